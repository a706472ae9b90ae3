import { durationText } from '../scenario/quantities.ts';
import { type Check, holds, type RunFacts, unknown, violated } from './facts.ts';

/** Fewer samples say nothing about a percentile. */
const MINIMUM_SAMPLES = 20;
/** An open loop that could not send this share of what was due has not been that load. */
const MISSED_LIMIT = 0.1;

export const latency: Check = {
  name: 'latency',
  promise: 'Transactions are durable in time, counted from when each was due.',
  judge: (facts) => {
    const bound = facts.scenario.checks.latency;
    if (bound === undefined) return null;
    return judgePercentile(transactionLatencies(facts), bound, 'transactions', facts.endMs);
  },
};

export const blockLatency: Check = {
  name: 'block-latency',
  promise: 'Blocks are durable on every peer that is up in time, counted from their composition.',
  judge: (facts) => {
    const bound = facts.scenario.checks.blockLatency;
    return bound === undefined
      ? null
      : judgePercentile(
          blockLatencies(facts).map(({ ms }) => ms),
          bound,
          'blocks',
          facts.endMs,
        );
  },
};

function judgePercentile(
  samples: readonly number[],
  { percentile, below }: { readonly percentile: number; readonly below: number },
  what: string,
  endMs: number,
): ReturnType<Check['judge']> {
  if (samples.length < MINIMUM_SAMPLES) return unknown(`only ${samples.length} ${what} were measured`);
  const value = percentileOf(samples, percentile);
  const shown = Number.isFinite(value) ? `${value.toFixed(0)} ms` : 'never seen to be durable';
  const found = `p${percentile} of ${samples.length} ${what}: ${shown}; bound: ${durationText(below)}`;
  return value <= below ? holds(found) : violated(found, { atMs: endMs, height: null });
}

/**
 * The latency of every transaction that was due. One that could not be sent, came into no block, or was not told of by the peer
 * that it was sent to took longer than can be said: to leave it out would praise a network for what it did not do.
 */
export function transactionLatencies({ latencies, load }: RunFacts): number[] {
  const never = Number.POSITIVE_INFINITY;
  const samples = latencies.flatMap(({ latencyMs, count }) => new Array<number>(count).fill(latencyMs ?? never));
  return samples.concat(new Array<number>(load.missed + load.outstanding).fill(never));
}

/** Transactions that were committed while the load went on: those that the network was still to catch up with are no rate. */
export function committedInWindow({ latencies, loadFromMs, loadWindowMs }: RunFacts): number {
  return latencies
    .filter(({ atMs }) => atMs >= loadFromMs && atMs <= loadFromMs + loadWindowMs)
    .reduce((sum, { count }) => sum + count, 0);
}

/** Blocks that were composed while somebody watched, until the last of the peers that took part had them. */
export function blockLatencies({ commits, originMs }: RunFacts): { height: number; ms: number; atMs: number }[] {
  return [...commits].flatMap(([height, ofPeers]) => {
    const times = [...ofPeers.values()];
    const composedMs = times.find((time) => time.composedMs !== null)?.composedMs;
    const direct = times.filter(({ viaSync }) => !viaSync).map(({ committedMs }) => committedMs);
    if (composedMs == null || direct.length === 0) return [];
    return [{ height, ms: Math.max(...direct) - composedMs, atMs: composedMs - originMs }];
  });
}

/** The smallest sample that at least `percentile` per cent of the samples do not exceed. */
export function percentileOf(samples: readonly number[], percentile: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percentile / 100) * sorted.length) - 1)] ?? Number.NaN;
}

export const throughput: Check = {
  name: 'throughput',
  promise: 'Transactions are committed at the wanted rate.',
  judge: (facts) => {
    const { scenario, loadWindowMs, endMs } = facts;
    const bound = scenario.checks.throughput;
    if (bound === undefined) return null;
    if (loadWindowMs <= 0) return unknown('there was no load');
    const rate = committedInWindow(facts) / (loadWindowMs / 1_000);
    const found = `${rate.toFixed(1)} transactions a second over ${(loadWindowMs / 1_000).toFixed(0)} s; wanted: ${bound.atLeast}`;
    return rate >= bound.atLeast ? holds(found) : violated(found, { atMs: endMs, height: null });
  },
};

export const progress: Check = {
  name: 'progress',
  promise: 'The market settles its slots.',
  judge: ({ scenario, settlements, endMs }) => {
    const bound = scenario.checks.progress;
    if (bound === undefined) return null;
    const found = `${settlements.length} slots settled; wanted: ${bound.slots}`;
    return settlements.length >= bound.slots ? holds(found) : violated(found, { atMs: endMs, height: null });
  },
};

/** Why the load was not what the scenario asks for; null when it was. */
export function loadShortfall({ scenario, load }: RunFacts): string | null {
  if (scenario.load.length === 0) return null;
  if (load.due === 0 || load.sent === 0) return 'no transaction of the load was taken by a peer';
  if (load.missed > MISSED_LIMIT * load.due)
    return `${load.missed} of ${load.due} transactions could not be sent when they were due: the network was too slow for this load`;
  return null;
}
