import { join } from 'node:path';
import type { LoadReport } from './accounting.ts';
import { runCeiling, runFloor } from './baseline-run.ts';
import { type BlockTimes, STEPS, type Step } from './block-split.ts';
import { BenchNetwork, type LoadRun } from './network-run.ts';
import type { PeerReport } from './peer-program.ts';
import { type Summary, summarise } from './quantiles.ts';
import { findSaturation, type Trial } from './saturation.ts';
import type { Slowness } from './slowness.ts';

export interface BenchOptions {
  readonly seed: string;
  /** Operations under one signature. */
  readonly operations: number;
  /** Batches a second, and for how long, when the network is almost idle. */
  readonly lowRate: number;
  readonly lowSeconds: number;
  /** Offered transactions a second; empty searches for the highest that is carried; null measures no throughput. */
  readonly rates: readonly number[] | null;
  /** Length of each throughput measurement, after its warm-up. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly slotMs: number;
  readonly slowness: ReadonlyMap<number, Slowness>;
  readonly folder: string;
  readonly profile?: string;
  onProgress(text: string): void;
  readonly signal: AbortSignal;
}

/** What one peer did and used during a run. */
export interface PeerFigures {
  readonly rank: number;
  readonly cpuPercent: number;
  readonly rssMb: number;
  readonly pssMb: number | null;
  readonly loopDelayMs: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly messagesIn: number;
  readonly messagesOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly dropped: number;
  /** Means by this peer's own ports, in milliseconds each: a peer that is slow shows here whatever path a block took. */
  readonly signMs: number;
  readonly verifyMs: number;
  readonly fsyncMs: number;
  readonly handleMs: Readonly<Record<string, number>>;
  readonly handled: Readonly<Record<string, number>>;
}

export interface LowLoadFigures {
  readonly load: LoadReport;
  /** From the start of the composition until the block was on the last disk. */
  readonly blockMs: Summary | null;
  readonly blockMsByKind: Readonly<Record<string, Summary | null>>;
  /** Means over the blocks that took the good path; they add up to the mean of these blocks. */
  readonly splitMs: Readonly<Record<Step, number>> | null;
  readonly splitBlocks: number;
  readonly blocks: number;
  readonly peers: readonly PeerFigures[];
}

export interface TrialFigures {
  readonly offeredPerSecond: number;
  readonly load: LoadReport;
  readonly transactionsPerBlock: Summary | null;
  readonly blockMs: Summary | null;
  /** CPU of all peers, in microseconds for each committed transaction and peer. */
  readonly cpuMicrosPerTransaction: number | null;
  readonly peers: readonly PeerFigures[];
}

export interface NodesReport {
  readonly nodes: number;
  readonly quorum: number;
  readonly floorMs: Summary | null;
  readonly ceilingPerSecond: number;
  /** CPU of the ceiling's processes, in microseconds for each transaction and process. */
  readonly ceilingCpuMicrosPerTransaction: number;
  /** Both baselines were measured before and after; how far the two were apart says how steady the machine was. */
  readonly baselines: {
    readonly floorP50Ms: readonly (number | null)[];
    readonly ceilingPerSecond: readonly number[];
  };
  readonly low: LowLoadFigures;
  readonly trials: readonly TrialFigures[];
  /** The trial with the highest rate that was carried. */
  readonly sustained: TrialFigures | null;
  /** Most transactions a second that came onto every disk in any trial, overloaded ones included; null without trials. */
  readonly peakPerSecond: number | null;
  readonly verdict: 'measured' | 'unknown' | 'overloaded' | 'not measured';
  /** Block latency (p50, low load) over the floor's; committed transactions a second over the ceiling's. */
  readonly latencyOverFloor: number | null;
  readonly throughputOverCeiling: number | null;
  readonly maxRssMb: number;
  /** Largest at the end of a measurement; null where the kernel does not tell. */
  readonly maxPssMb: number | null;
}

/** Where the search for the highest rate starts, as a share of the ceiling. */
const START_SHARE = 0.4;
const FLOOR_ROUNDS = 60;
const CEILING_SECONDS = 3;
const CEILING_BLOCK = 1_000;
const DRAIN_SECONDS = 8;

/** Floor, ceiling and network with `nodes` processes each, and the two baselines once more at the end. */
export async function benchNodes(nodes: number, options: BenchOptions): Promise<NodesReport> {
  const { operations, onProgress, signal } = options;
  const quorum = Math.floor((2 * nodes) / 3) + 1;
  const baseline = async (payloadBytes: number) => {
    signal.throwIfAborted();
    onProgress(`${nodes} peers: floor and ceiling`);
    const floor = await runFloor({
      members: nodes,
      quorum,
      folder: join(options.folder, 'floor'),
      rounds: FLOOR_ROUNDS,
      perSecond: options.lowRate,
      payloadBytes,
    });
    const ceiling = await runCeiling({
      members: nodes,
      folder: join(options.folder, 'ceiling'),
      operations,
      transactionsPerBlock: CEILING_BLOCK,
      seconds: CEILING_SECONDS,
    });
    return { floor, ceiling };
  };
  const payloadBytes = proposalBytes(quorum, operations);
  const before = await baseline(payloadBytes);
  const network = new Network(nodes, options);
  try {
    const low = await lowLoad(network, options);
    const ceilingPerSecond = before.ceiling.perSecond;
    const trials = options.rates === null ? null : await throughput(network, ceilingPerSecond, options);
    await network.stop();
    const after = await baseline(payloadBytes);
    return reportOf({ nodes, quorum, before, after, low, trials });
  } finally {
    await network.stop();
  }
}

/** A network that is started when it is needed, and anew when the last load has left something behind. */
class Network {
  readonly #nodes: number;
  readonly #options: BenchOptions;
  #network: BenchNetwork | null = null;
  #runs = 0;

  constructor(nodes: number, options: BenchOptions) {
    this.#nodes = nodes;
    this.#options = options;
  }

  async run(batchesPerSecond: number, seconds: number, warmUpSeconds: number): Promise<LoadRun> {
    const { seed, slotMs, slowness, folder, profile, operations, signal } = this.#options;
    signal.throwIfAborted();
    this.#runs += 1;
    this.#network ??= await BenchNetwork.start({
      nodes: this.#nodes,
      seed,
      slotMs,
      slowness,
      folder: join(folder, `network-${this.#nodes}-${this.#runs}`),
      ...(profile === undefined ? {} : { profile }),
    });
    const run = await this.#network.run({
      batchesPerSecond,
      operations,
      seconds,
      warmUpSeconds,
      drainSeconds: DRAIN_SECONDS,
    });
    if (!run.isDrained) await this.stop();
    return run;
  }

  async stop(): Promise<void> {
    const network = this.#network;
    this.#network = null;
    await network?.stop();
  }
}

async function lowLoad(network: Network, options: BenchOptions): Promise<LowLoadFigures> {
  options.onProgress(`${options.lowRate} batches a second, to see the latency`);
  const run = await network.run(options.lowRate, options.lowSeconds, options.warmUpSeconds);
  const kinds = [...new Set(run.blocks.map(({ kind }) => kind))].sort();
  const split = run.blocks.flatMap(({ splitMs }) => splitMs ?? []);
  const mean = (step: Step): number => split.reduce((sum, block) => sum + block[step], 0) / split.length;
  return {
    load: run.load,
    blockMs: blockMs(run.blocks),
    blockMsByKind: Object.fromEntries(
      kinds.map((kind) => [kind, blockMs(run.blocks.filter((block) => block.kind === kind))]),
    ),
    splitMs:
      split.length === 0 ? null : (Object.fromEntries(STEPS.map((step) => [step, mean(step)])) as Record<Step, number>),
    splitBlocks: split.length,
    blocks: run.blocks.length,
    peers: run.peers.map(peerFigures),
  };
}

interface Throughput {
  readonly trials: readonly TrialFigures[];
  readonly sustained: TrialFigures | null;
  readonly isUnknown: boolean;
}

async function throughput(network: Network, ceilingPerSecond: number, options: BenchOptions): Promise<Throughput> {
  const { operations, seconds, warmUpSeconds, rates, onProgress } = options;
  const figures: TrialFigures[] = [];
  const tryRate = async (offeredPerSecond: number): Promise<LoadReport> => {
    const run = await network.run(offeredPerSecond / operations, seconds, warmUpSeconds);
    figures.push(trialFigures(offeredPerSecond, run));
    const { verdict, committedPerSecond } = run.load;
    onProgress(
      `${offeredPerSecond.toFixed(0)} transactions a second offered: ${committedPerSecond.toFixed(0)}, ${verdict}`,
    );
    return run.load;
  };
  if (rates !== null && rates.length > 0) {
    const trials: Trial[] = [];
    for (const rate of rates) trials.push({ offeredPerSecond: rate, load: await tryRate(rate) });
    const carried = figures.filter(({ load }) => load.verdict === 'carried');
    const sustained = carried.reduce<TrialFigures | null>(
      (best, trial) => (best === null || trial.offeredPerSecond > best.offeredPerSecond ? trial : best),
      null,
    );
    return { trials: figures, sustained, isUnknown: trials.some(({ load }) => load.verdict === 'unknown') };
  }
  const { sustained, isUnknown } = await findSaturation(ceilingPerSecond * START_SHARE, tryRate);
  const best = figures.find(({ load }) => load === sustained?.load) ?? null;
  return { trials: figures, sustained: best, isUnknown };
}

interface Baseline {
  readonly floor: readonly number[];
  readonly ceiling: Awaited<ReturnType<typeof runCeiling>>;
}

function reportOf(parts: {
  readonly nodes: number;
  readonly quorum: number;
  readonly before: Baseline;
  readonly after: Baseline;
  readonly low: LowLoadFigures;
  readonly trials: Throughput | null;
}): NodesReport {
  const { nodes, quorum, before, after, low, trials } = parts;
  const floorMs = summarise([...before.floor, ...after.floor]);
  const ceilingPerSecond = (before.ceiling.perSecond + after.ceiling.perSecond) / 2;
  const sustained = trials?.sustained ?? null;
  const blockP50 = low.blockMs?.p50 ?? null;
  const isLatencyKnown = low.load.verdict !== 'unknown' && blockP50 !== null && floorMs !== null;
  const peers = [low.peers, ...(trials?.trials ?? []).map((trial) => trial.peers)].flat();
  return {
    nodes,
    quorum,
    floorMs,
    ceilingPerSecond,
    ceilingCpuMicrosPerTransaction:
      (before.ceiling.cpuMicrosPerTransaction + after.ceiling.cpuMicrosPerTransaction) / 2,
    baselines: {
      floorP50Ms: [before, after].map(({ floor }) => summarise(floor)?.p50 ?? null),
      ceilingPerSecond: [before, after].map(({ ceiling }) => ceiling.perSecond),
    },
    low,
    trials: trials?.trials ?? [],
    sustained,
    peakPerSecond: trials === null ? null : Math.max(...trials.trials.map(({ load }) => load.committedPerSecond)),
    verdict:
      trials === null ? 'not measured' : trials.isUnknown ? 'unknown' : sustained === null ? 'overloaded' : 'measured',
    latencyOverFloor: isLatencyKnown ? blockP50 / floorMs.p50 : null,
    throughputOverCeiling: sustained === null ? null : sustained.load.committedPerSecond / ceilingPerSecond,
    maxRssMb: Math.max(...peers.map(({ rssMb }) => rssMb)),
    maxPssMb: largest(peers.map(({ pssMb }) => pssMb)),
  };
}

function trialFigures(offeredPerSecond: number, run: LoadRun): TrialFigures {
  const cpuSeconds = run.peers.reduce((sum, { usage }) => sum + usage.cpuSeconds, 0);
  return {
    offeredPerSecond,
    load: run.load,
    transactionsPerBlock: summarise(run.blocks.map(({ transactions }) => transactions)),
    blockMs: blockMs(run.blocks),
    cpuMicrosPerTransaction: run.transactions === 0 ? null : (cpuSeconds * 1e6) / run.transactions / run.peers.length,
    peers: run.peers.map(peerFigures),
  };
}

function blockMs(blocks: readonly BlockTimes[]): Summary | null {
  return summarise(blocks.map(({ totalMs }) => totalMs));
}

function peerFigures({ usage, traffic, totals }: PeerReport, rank: number): PeerFigures {
  const each = (ms: number, count: number): number => (count === 0 ? 0 : ms / count);
  return {
    rank,
    cpuPercent: (100 * usage.cpuSeconds) / usage.seconds,
    rssMb: usage.rssMb,
    pssMb: usage.pssMb,
    loopDelayMs: usage.loopDelayMs,
    ...traffic,
    signMs: each(totals.signMs, totals.signed),
    verifyMs: each(totals.verifyMs, totals.verified),
    fsyncMs: each(totals.writeMs, totals.writes),
    handleMs: totals.handleMs,
    handled: totals.handled,
  };
}

function largest(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
}

/** About what a proposal of one batch takes: header, certificate of `quorum` votes, the batch. */
function proposalBytes(quorum: number, operations: number): number {
  return 400 + 76 * quorum + 141 + 43 * operations;
}
