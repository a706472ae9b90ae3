import { type Summary, summarise } from './quantiles.ts';
import { intendedMs } from './schedule.ts';

/** What became of an offered load. `carried`: all of it was committed in time; `overloaded`: not all; `unknown`: it was never offered. */
export type LoadVerdict = 'carried' | 'overloaded' | 'unknown';

export interface OfferedLoad {
  /** Batches a second, and transactions in each. */
  readonly batchesPerSecond: number;
  readonly operations: number;
  readonly startMs: number;
  /** Per batch: when it left (NaN: never), and 0 without an answer, 1 taken, 2 refused. */
  readonly sentMs: Float64Array;
  readonly answers: Uint8Array;
  /** Per batch: height of the block that holds it; 0 when no block does. */
  readonly heights: Uint32Array;
  /** Per batch: rank of the peer that it was handed to. */
  readonly peers: Uint16Array;
}

/** When each peer had a block on disk, by rank. Only blocks that are on every peer's disk are in the map. */
export type DurableBlocks = ReadonlyMap<number, readonly number[]>;

export interface LoadWindow {
  /** Counted from the first intended send; what comes before is warm-up, what is intended after does not count. */
  readonly fromMs: number;
  readonly toMs: number;
}

export interface LoadReport {
  readonly verdict: LoadVerdict;
  /** Why the verdict is not `carried`. */
  readonly reason: string | null;
  readonly offeredPerSecond: number;
  /** Transactions that became durable on every peer within the window, a second. */
  readonly committedPerSecond: number;
  /** Of the batches intended within the window. */
  readonly batches: {
    readonly offered: number;
    readonly sent: number;
    readonly refused: number;
    readonly lost: number;
  };
  /** From the intended send until the block was durable: on the peer that the batch was handed to, and on the last one. */
  readonly submittedToCommittedMs: Summary | null;
  readonly submittedToEverywhereMs: Summary | null;
  /** How late the client itself was; part of the latencies, and the reason for `unknown` when it is large. */
  readonly clientDelayMs: Summary | null;
}

export interface LoadLimits {
  /** Share of the offered transactions that must be committed within the window. */
  readonly carriedShare: number;
  /** Latency (99th percentile) above which a load is not carried but piles up. */
  readonly latencyMs: number;
  /** A client that is later than this (99th percentile) has not offered the load. */
  readonly clientDelayMs: number;
}

export const LOAD_LIMITS: LoadLimits = { carriedShare: 0.97, latencyMs: 2_000, clientDelayMs: 200 };

/** What a load came to. A batch counts as committed only with a block that is durable on every peer. */
export function accountFor(
  load: OfferedLoad,
  blocks: DurableBlocks,
  window: LoadWindow,
  limits: LoadLimits = LOAD_LIMITS,
): LoadReport {
  const { operations, startMs, batchesPerSecond } = load;
  const schedule = { startMs, perSecond: batchesPerSecond, count: load.sentMs.length };
  const fromMs = startMs + window.fromMs;
  const toMs = startMs + window.toMs;
  const batches = { offered: 0, sent: 0, refused: 0, lost: 0 };
  const clientDelays: number[] = [];
  const latencies: number[] = [];
  const everywhere: number[] = [];
  let committedInWindow = 0;
  for (let place = 0; place < load.sentMs.length; place += 1) {
    const durableMs = blocks.get(load.heights[place] ?? 0);
    const lastMs = durableMs === undefined ? null : Math.max(...durableMs);
    if (lastMs !== null && lastMs >= fromMs && lastMs < toMs) committedInWindow += 1;
    const dueMs = intendedMs(schedule, place);
    if (dueMs < fromMs || dueMs >= toMs) continue;
    batches.offered += 1;
    const sentMs = load.sentMs[place] ?? Number.NaN;
    if (Number.isFinite(sentMs)) {
      batches.sent += 1;
      clientDelays.push(sentMs - dueMs);
    }
    if (load.answers[place] === 2) batches.refused += 1;
    if (durableMs !== undefined && lastMs !== null) {
      latencies.push((durableMs[load.peers[place] ?? 0] ?? lastMs) - dueMs);
      everywhere.push(lastMs - dueMs);
    } else if (load.answers[place] !== 2) batches.lost += 1;
  }
  const seconds = (toMs - fromMs) / 1_000;
  const offeredPerSecond = batchesPerSecond * operations;
  const committedPerSecond = (committedInWindow * operations) / seconds;
  const submittedToEverywhereMs = summarise(everywhere);
  const clientDelayMs = summarise(clientDelays);
  const judged = judge(
    { batches, offeredPerSecond, committedPerSecond, submittedToEverywhereMs, clientDelayMs },
    limits,
  );
  return {
    ...judged,
    offeredPerSecond,
    committedPerSecond,
    batches,
    submittedToCommittedMs: summarise(latencies),
    submittedToEverywhereMs,
    clientDelayMs,
  };
}

function judge(
  report: Pick<
    LoadReport,
    'batches' | 'offeredPerSecond' | 'committedPerSecond' | 'submittedToEverywhereMs' | 'clientDelayMs'
  >,
  limits: LoadLimits,
): { verdict: LoadVerdict; reason: string | null } {
  const { batches, clientDelayMs, submittedToEverywhereMs, committedPerSecond, offeredPerSecond } = report;
  const unknown = (reason: string) => ({ verdict: 'unknown' as const, reason });
  const overloaded = (reason: string) => ({ verdict: 'overloaded' as const, reason });
  if (batches.offered === 0) return unknown('no batch was to be sent within the window');
  if (batches.sent < batches.offered)
    return unknown(`the client sent ${batches.sent} of the ${batches.offered} batches that it should have sent`);
  if (clientDelayMs !== null && clientDelayMs.p99 > limits.clientDelayMs)
    return unknown(`the client itself was ${clientDelayMs.p99.toFixed(0)} ms late (99th percentile)`);
  if (batches.refused > 0) return overloaded(`${batches.refused} batches were refused`);
  if (batches.lost > 0) return overloaded(`${batches.lost} batches were not on every disk at the end`);
  if (committedPerSecond < limits.carriedShare * offeredPerSecond)
    return overloaded(
      `${committedPerSecond.toFixed(0)} of ${offeredPerSecond.toFixed(0)} transactions a second were committed`,
    );
  if (submittedToEverywhereMs !== null && submittedToEverywhereMs.p99 > limits.latencyMs)
    return overloaded(`latency grew to ${submittedToEverywhereMs.p99.toFixed(0)} ms (99th percentile)`);
  return { verdict: 'carried', reason: null };
}
