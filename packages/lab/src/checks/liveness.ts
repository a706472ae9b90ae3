import type { FaultRecord } from '../faults/conductor.ts';
import { durationText } from '../scenario/quantities.ts';
import { faultEndMs, takesPeersAway } from './absence.ts';
import { type Check, holds, type RunFacts, unknown, violated } from './facts.ts';

/** A silence that is this long when the run ends is not taken for the pause between two blocks. */
const LONG_SILENCE_MS = 10_000;

/** From when on a run that ends in silence says nothing about whether blocks would have gone on. */
export function longSilenceMs(maxGapMs: number): number {
  return Math.min(LONG_SILENCE_MS, maxGapMs / 3);
}

/** Invariant 8: heights decide while a quorum is up and can talk. */
export const liveness: Check = {
  name: 'liveness',
  promise: 'Blocks go on being made whenever a quorum is up and connected, and again in time when it is back.',
  judge: (facts) => {
    const { maxGap } = facts.scenario.checks.liveness;
    const heights = firstCommits(facts);
    if (heights.length === 0) return unknown('no block was seen');
    const quorate = quorateSpans(facts);
    if (quorate.length === 0) return unknown('there was never a quorum that could talk');
    let longest = { gapMs: 0, atMs: 0, height: 0 };
    const ends = [...heights, { atMs: facts.endMs, height: (heights.at(-1)?.height ?? 0) + 1 }];
    let beforeMs = 0;
    let openMs = 0;
    for (const { atMs, height } of ends) {
      const wait = waitOf(quorate, beforeMs, atMs, maxGap);
      if (wait.gapMs > longest.gapMs) longest = { ...wait, height };
      openMs = wait.gapMs;
      beforeMs = Math.max(beforeMs, atMs);
    }
    const found = `longest wait for a block with a quorum: ${(longest.gapMs / 1_000).toFixed(1)} s`;
    if (longest.gapMs > maxGap)
      return violated(`${found}, at height ${longest.height}; allowed: ${durationText(maxGap)}`, longest);
    const last = quorate.at(-1);
    if (last !== undefined && last.fromMs > 0 && !heights.some(({ atMs }) => atMs >= last.fromMs))
      return unknown(`no block was seen after a quorum was back, and the run ended; ${found}`);
    if (openMs >= longSilenceMs(maxGap))
      return unknown(`the run ended after ${(openMs / 1_000).toFixed(1)} s without a block; ${found}`);
    return holds(`${found}, of ${durationText(maxGap)} allowed`);
  },
};

/**
 * For how long a quorum could talk between two moments, and when that became longer than allowed. Its parts are added up: a
 * quorum that comes and goes must make blocks, too.
 */
function waitOf(
  quorate: readonly { readonly fromMs: number; readonly toMs: number }[],
  fromMs: number,
  toMs: number,
  maxGapMs: number,
): { readonly gapMs: number; readonly atMs: number } {
  let gapMs = 0;
  let exceededMs = toMs;
  for (const span of quorate) {
    const beganMs = Math.max(fromMs, span.fromMs);
    const partMs = Math.max(0, Math.min(toMs, span.toMs) - beganMs);
    if (gapMs <= maxGapMs && gapMs + partMs > maxGapMs) exceededMs = beganMs + maxGapMs - gapMs;
    gapMs += partMs;
  }
  return { gapMs, atMs: exceededMs };
}

/** When each height was first durable somewhere. */
export function firstCommits({
  commits,
  originMs,
}: Pick<RunFacts, 'commits' | 'originMs'>): { readonly height: number; readonly atMs: number }[] {
  return [...commits]
    .map(([height, ofPeers]) => ({
      height,
      atMs: Math.min(...[...ofPeers.values()].map(({ committedMs }) => committedMs)) - originMs,
    }))
    .sort((a, b) => a.height - b.height);
}

/**
 * Whether a run that is to end now has shown that blocks go on: there is one since the last fault was over, and the last is
 * not long ago. Otherwise the next is worth waiting for.
 */
export function showsLife(
  { commits, originMs, faults }: Pick<RunFacts, 'commits' | 'originMs' | 'faults'>,
  nowMs: number,
  maxGapMs: number,
): boolean {
  let lastMs = 0;
  for (const { atMs } of firstCommits({ commits, originMs })) lastMs = Math.max(lastMs, atMs);
  const healedMs = faults.reduce((latest, { endedMs }) => Math.max(latest, endedMs ?? 0), 0);
  return lastMs >= healedMs && nowMs - lastMs < longSilenceMs(maxGapMs);
}

/** Spans of the run in which enough peers were there and could reach each other. */
export function quorateSpans({ faults, names, quorum, endMs }: RunFacts): { fromMs: number; toMs: number }[] {
  const begun = faults.filter(({ beganMs }) => beganMs !== null);
  const edges = new Set([0, endMs]);
  for (const fault of begun) {
    edges.add(fault.beganMs ?? 0);
    edges.add(faultEndMs(fault, endMs));
  }
  const times = [...edges].filter((ms) => ms >= 0 && ms <= endMs).sort((a, b) => a - b);
  const spans: { fromMs: number; toMs: number }[] = [];
  times.slice(0, -1).forEach((fromMs, k) => {
    const toMs = times[k + 1] as number;
    const on = begun.filter((fault) => (fault.beganMs ?? 0) <= fromMs && faultEndMs(fault, endMs) >= toMs);
    if (largestGroup(names, on) < quorum) return;
    const last = spans.at(-1);
    if (last !== undefined && last.toMs === fromMs) last.toMs = toMs;
    else spans.push({ fromMs, toMs });
  });
  return spans;
}

function largestGroup(names: readonly string[], on: readonly FaultRecord[]): number {
  const absent = new Set(on.filter(takesPeersAway).flatMap(({ peers }) => peers));
  const cut = new Set(on.filter(({ kind }) => kind === 'partition').flatMap(({ links }) => links));
  const present = names.filter((name) => !absent.has(name));
  const reach = (a: string, b: string): boolean => a === b || (!cut.has(`${a}>${b}`) && !cut.has(`${b}>${a}`));
  // Groups of a partition are cliques: whoever a peer reaches, reaches each other.
  return Math.max(
    0,
    ...present.map((peer) =>
      cliqueOf(
        present.filter((other) => reach(peer, other)),
        reach,
      ),
    ),
  );
}

function cliqueOf(peers: readonly string[], reach: (a: string, b: string) => boolean): number {
  const clique: string[] = [];
  for (const peer of peers) if (clique.every((other) => reach(peer, other))) clique.push(peer);
  return clique.length;
}
