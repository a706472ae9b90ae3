import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { type Genesis, posocParametersOf } from '@wattmesh/consensus';
import { POSOC_PRESETS } from '@wattmesh/frl';
import { Command } from 'commander';
import { provisionSyntheticEvs } from '../../cluster/create-ev-run.ts';
import { provisionSynthetic } from '../../cluster/create-run.ts';
import { livingEndpoint, startPeer, stopProcess } from '../../cluster/peer-process.ts';
import { readGenesis } from '../../config/chain-files.ts';
import { RunError } from '../../provision/errors.ts';
import { isRun, type Run, readRun, writeRunFolder } from '../../provision/run-folder.ts';
import { codeOf, EXIT } from '../exit.ts';
import { integerBetween, jsonOption, presetOption, protocolOption, runOption, seedOption } from '../options.ts';
import { print, printJson } from '../output.ts';
import { showStatus } from './status.ts';

interface UpOptions {
  readonly protocol: 'poeg' | 'posoc';
  readonly preset: 'paper' | 'sound';
  readonly roundsPerDay: number;
  readonly trainingSeconds: number;
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
      'Start a network of prosumers or EVs, each a process of its own, and leave it running. On a run that exists, start the peers that are down.',
    )
    .option('--nodes <n>', 'how many prosumers or EVs a new run has (default 4)', integerBetween(1, 64))
    .addOption(protocolOption())
    .addOption(presetOption())
    .option('--rounds-per-day <n>', 'posoc: learning rounds at the end of each day', integerBetween(1, 200), 4)
    .option('--training-seconds <s>', 'posoc: real length of a learning round', integerBetween(1, 86_400), 10)
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
    .action(async (options: UpOptions, command: Command) => {
      const isGiven = (name: keyof UpOptions): boolean => command.getOptionValueSource(name) === 'cli';
      const run = isRun(options.run) ? await existing(options, isGiven) : await create(options);
      const started = await startMissing(options, run);
      if (started === null) return;
      if (options.json) printJson({ run: options.run, chainId: run.chainId, started });
      else await showStatus(options.run, false);
    });
}

/**
 * All or nothing: what this command started does not outlive its failure, nor Ctrl-C (null). Who presses it twice does not
 * want to wait: the processes are killed.
 */
async function startMissing(options: UpOptions, run: Run): Promise<{ name: string; pid: number }[] | null> {
  const say = (text: string): void => (options.json ? undefined : print(text));
  const stop = new AbortController();
  const children: ChildProcess[] = [];
  const interrupt = (): void => {
    if (!stop.signal.aborted) {
      say('stopping what was started; Ctrl-C once more kills it');
      stop.abort();
      return;
    }
    for (const child of children) child.kill('SIGKILL');
    process.exit(EXIT.interrupted);
  };
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.on(signal, interrupt);
  try {
    const started: { name: string; pid: number }[] = [];
    const ends = await Promise.allSettled(
      run.peers.map(async (peer) => {
        if ((await livingEndpoint(options.run, peer)) !== null) return say(`${peer.name} is running already`);
        const { endpoint } = await startPeer(options.run, peer, false, {
          signal: stop.signal,
          onSpawn: (child) => children.push(child),
        });
        started.push({ name: peer.name, pid: endpoint.pid });
        say(`${peer.name} started: process ${endpoint.pid}, ${endpoint.apiUrl}`);
      }),
    );
    const failures = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason as unknown] : []));
    if (failures.length === 0 && !stop.signal.aborted) return started.sort((a, b) => (a.name < b.name ? -1 : 1));
    await Promise.all(started.map(({ name, pid }) => stopProcess(pid, name)));
    // Of an interrupted start, only what is still there matters.
    const [failure] = failures.filter((error) => !stop.signal.aborted || codeOf(error) === 'PEER_WOULD_NOT_STOP');
    if (failure !== undefined) throw failure;
  } finally {
    for (const signal of signals) process.removeListener(signal, interrupt);
  }
  say('stopped; what this command started is down again');
  process.exitCode = EXIT.interrupted;
  return null;
}

/** A run keeps what it was made with; an option that asks for something else is refused, not ignored. */
async function existing(options: UpOptions, isGiven: (name: keyof UpOptions) => boolean): Promise<Run> {
  const run = await readRun(options.run);
  const genesis = await readGenesis(join(options.run, 'genesis.json'));
  const made = { nodes: run.peers.length, seed: run.seed, quorum: genesis.quorum, ...madeOf(genesis) };
  for (const name of Object.keys(made) as (keyof typeof made)[])
    if (isGiven(name) && options[name] !== made[name])
      throw new RunError(
        'RUN_EXISTS',
        made[name] === null
          ? `${options.run} holds a run of ${made.protocol}, which has no ${name}; leave the option out, choose another folder with --run, or remove this one`
          : `${options.run} holds a run with ${name} ${made[name]}, not ${options[name]}; choose another folder with --run, or remove this one`,
      );
  return run;
}

type Made = Pick<UpOptions, 'protocol' | 'slotSeconds'> & {
  readonly [Name in 'preset' | 'roundsPerDay' | 'trainingSeconds']: UpOptions[Name] | null;
};

/** The options behind a genesis; null for those that its protocol does not have. */
function madeOf(genesis: Genesis): Made {
  const { name: protocol } = genesis.application;
  const slotSeconds = genesis.slot.lengthMs / 1_000;
  if (protocol === 'poeg') return { protocol, slotSeconds, preset: null, roundsPerDay: null, trainingSeconds: null };
  const { learning, scoreMode } = posocParametersOf(genesis);
  return {
    protocol,
    slotSeconds,
    // The presets differ in how they score, among other things.
    preset: scoreMode === POSOC_PRESETS.paper.scoreMode ? 'paper' : 'sound',
    roundsPerDay: learning.roundsPerDay,
    trainingSeconds: learning.trainingWindowMs / 1_000,
  };
}

async function create(options: UpOptions): Promise<Run> {
  const nowMs = Date.now();
  const { protocol, preset, roundsPerDay, trainingSeconds } = options;
  const common = {
    nodes: options.nodes ?? 4,
    seed: options.seed,
    clock: 'wall',
    slotMs: options.slotSeconds * 1_000,
    genesisTimeMs: nowMs,
    ...(options.quorum === undefined ? {} : { quorum: options.quorum }),
  } as const;
  const network =
    protocol === 'posoc'
      ? provisionSyntheticEvs({ ...common, preset, roundsPerDay, trainingWindowMs: trainingSeconds * 1_000 })
      : provisionSynthetic(common);
  return writeRunFolder(options.run, network, { seed: options.seed, createdMs: nowMs });
}
