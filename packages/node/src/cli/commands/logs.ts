import { createReadStream, existsSync, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Command } from 'commander';
import { ClusterError } from '../../cluster/errors.ts';
import { peerFolder, readRun } from '../../provision/run-folder.ts';
import { integerBetween, jsonOption, runOption } from '../options.ts';
import { print } from '../output.ts';

const LEVELS: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};

export function logsCommand(): Command {
  return new Command('logs')
    .description('Show what a peer has logged.')
    .argument('<peer>', 'its name, such as p01')
    .option('--lines <n>', 'how many of the last lines', integerBetween(1, 1_000_000), 40)
    .option('--follow', 'go on with new lines until Ctrl-C')
    .addOption(runOption())
    .addOption(jsonOption())
    .action(async (name: string, options: { run: string; lines: number; follow?: boolean; json?: boolean }) => {
      if (!existsSync(join(options.run, 'run.json')))
        throw new ClusterError('RUN_NOT_FOUND', `there is no run in ${options.run}; start one with: wattmesh up`);
      const { peers } = await readRun(options.run);
      if (!peers.some((peer) => peer.name === name))
        throw new ClusterError(
          'RUN_UNKNOWN_PEER',
          `${options.run} has no peer ${name}; it has ${peers.map((peer) => peer.name).join(', ')}`,
        );
      const file = join(peerFolder(options.run, name), 'node.log');
      const show = (line: string): void => print(options.json ? line : readable(line));
      const last: string[] = [];
      let seen = await each(file, 0, (line) => {
        last.push(line);
        if (last.length > options.lines) last.shift();
      });
      last.forEach(show);
      if (!options.follow) return;
      const watcher = watch(file);
      process.once('SIGINT', () => watcher.close());
      const changes = new Promise<void>((resolve) => watcher.once('close', resolve));
      let reading = Promise.resolve();
      watcher.on('change', () => {
        reading = reading.then(async () => {
          seen = await each(file, seen, show);
        });
      });
      await changes;
    });
}

/** Feeds the complete lines from `start` on; returns where to go on. */
async function each(file: string, start: number, use: (line: string) => void): Promise<number> {
  const { size } = await stat(file).catch(() => ({ size: 0 }));
  if (size <= start) return start;
  for await (const line of createInterface({ input: createReadStream(file, { start, end: size - 1 }) })) use(line);
  return size;
}

function readable(line: string): string {
  try {
    const { time, level, msg, pid, hostname, name, ...rest } = JSON.parse(line) as Record<string, unknown>;
    const details = Object.entries(rest).map(
      ([key, value]) => `${key}=${typeof value === 'object' ? JSON.stringify(value) : String(value)}`,
    );
    return `${new Date(Number(time)).toISOString()} ${(LEVELS[Number(level)] ?? '').padEnd(5)} ${msg ?? ''} ${details.join(' ')}`;
  } catch {
    return line;
  }
}
