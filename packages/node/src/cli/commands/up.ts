import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { provisionSynthetic } from '../../cluster/create-run.ts';
import { ClusterError } from '../../cluster/errors.ts';
import { livingEndpoint, startPeer, stopProcess } from '../../cluster/peer-process.ts';
import { type Run, readRun, writeRunFolder } from '../../provision/run-folder.ts';
import { integerBetween, jsonOption, runOption, seedOption } from '../options.ts';
import { print, printJson } from '../output.ts';
import { showStatus } from './status.ts';

interface UpOptions {
  readonly nodes?: number;
  readonly run: string;
  readonly seed: string;
  readonly slotSeconds: number;
  readonly quorum?: number;
  readonly json?: boolean;
}

export function upCommand(): Command {
  return new Command('up')
    .description(
      'Start a network of prosumers, each a process of its own, and leave it running. On a run that exists, start the peers that are down.',
    )
    .option('--nodes <n>', 'how many prosumers a new run has (default 4)', integerBetween(1, 64))
    .option('--slot-seconds <s>', 'real length of an hourly slot in a new run', integerBetween(1, 86_400), 10)
    .option(
      '--quorum <q>',
      'votes that decide; more than two thirds of the peers (default: the fewest)',
      integerBetween(1, 64),
    )
    .addOption(seedOption())
    .addOption(runOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  wattmesh up --nodes 7 && wattmesh status && wattmesh down')
    .action(async (options: UpOptions) => {
      const run = existsSync(join(options.run, 'run.json')) ? await existing(options) : await create(options);
      const say = (text: string): void => (options.json ? undefined : print(text));
      const started: { name: string; pid: number }[] = [];
      try {
        await Promise.all(
          run.peers.map(async (peer) => {
            if ((await livingEndpoint(options.run, peer.publicKey)) !== null)
              return say(`${peer.name} is running already`);
            const { endpoint } = await startPeer(options.run, peer, false);
            started.push({ name: peer.name, pid: endpoint.pid });
            say(`${peer.name} started: process ${endpoint.pid}, ${endpoint.apiUrl}`);
          }),
        );
      } catch (error) {
        // All or nothing: what this command started does not outlive its failure.
        await Promise.all(started.map(({ name, pid }) => stopProcess(pid, name)));
        throw error;
      }
      if (options.json) printJson({ run: options.run, chainId: run.chainId, started });
      else await showStatus(options.run, false);
    });
}

async function existing(options: UpOptions): Promise<Run> {
  const run = await readRun(options.run);
  if (options.nodes !== undefined && options.nodes !== run.peers.length)
    throw new ClusterError(
      'RUN_EXISTS',
      `${options.run} holds a run of ${run.peers.length} peers, not ${options.nodes}; choose another folder with --run, or remove this one`,
    );
  return run;
}

async function create(options: UpOptions): Promise<Run> {
  const nowMs = Date.now();
  const network = provisionSynthetic({
    nodes: options.nodes ?? 4,
    seed: options.seed,
    clock: 'wall',
    slotMs: options.slotSeconds * 1_000,
    genesisTimeMs: nowMs,
    ...(options.quorum === undefined ? {} : { quorum: options.quorum }),
  });
  return writeRunFolder(options.run, network, { seed: options.seed, createdMs: nowMs });
}
