import { Command } from 'commander';
import { z } from 'zod';
import { nodeConfigSchema, readNodeConfig } from '../../config/node-config.ts';
import { EXIT } from '../exit.ts';
import { hostAndPort } from '../options.ts';
import { print } from '../output.ts';

interface NodeOptions {
  readonly config?: string;
  readonly explain?: boolean;
  readonly metrics?: { readonly host: string; readonly port: number };
  readonly endWithParent?: boolean;
  readonly neverSigned?: boolean;
}

export function nodeCommand(): Command {
  return new Command('node')
    .description('Run one peer in the foreground until it is told to stop (Ctrl-C or SIGTERM).')
    .option('--config <file>', 'configuration of the peer (JSON); see --explain')
    .option('--explain', 'print the JSON Schema of the configuration, with every default, and end')
    .option('--metrics <host:port>', 'also serve the metrics, and nothing else, at this address', hostAndPort)
    .option(
      '--never-signed',
      'the keys are new: sign at once, although the data folder that was dealt with them is not there',
    )
    .option('--end-with-parent', 'end when the process that started this one ends')
    .addHelpText(
      'after',
      `
A peer whose data folder is empty takes its disk for lost: it joins, but signs nothing until a quorum has told it how far the
chain is. --never-signed is for a member whose data folder was not copied with its keys, until it has signed something; it is
refused where the data folder shows that it has. Given to one that has signed on another disk, it lets the peer contradict
itself, which costs its stake.

Example:
  wattmesh node --config .wattmesh/run/peers/p01/config.json`,
    )
    .action(async (options: NodeOptions, command: Command) => {
      if (options.explain) {
        print(JSON.stringify(z.toJSONSchema(nodeConfigSchema, { io: 'input' }), null, 2));
        return;
      }
      if (options.config === undefined) command.error("error: option '--config <file>' is needed", { exitCode: 2 });
      const stopped = Promise.withResolvers<void>();
      for (const signal of ['SIGINT', 'SIGTERM'] as const)
        process.once(signal, () => {
          stopped.resolve();
          // Who asks twice does not want to wait.
          process.once(signal, () => process.exit(EXIT.interrupted));
        });
      if (options.endWithParent) process.on('disconnect', () => stopped.resolve());
      try {
        const config = await readNodeConfig(options.config as string);
        const { metrics = config.metrics } = options;
        // Here, because the network library is most of what there is to load, and only this command needs it.
        if (options.neverSigned) await (await import('../../provision/first-journal.ts')).declareUnsigned(config);
        const { startNode } = await import('../../node.ts');
        const node = await startNode({ ...config, metrics });
        // A peer that had to stop by itself rejects here, and the error decides the exit code.
        await Promise.race([stopped.promise, node.ended]);
        await node.stop();
      } finally {
        // The channel to the parent would keep this process from ending.
        if (options.endWithParent && process.connected) process.disconnect();
      }
    });
}
