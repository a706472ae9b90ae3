import type { FaultRecord } from '../faults/conductor.ts';
import { durationText } from '../scenario/quantities.ts';
import { type Check, holds, type RunFacts, unknown, violated } from './facts.ts';

/** Faults under which a peer takes no part, or cannot be relied on. */
const ABSENT = new Set(['kill', 'stop', 'restart', 'wipe', 'pause', 'disk-full', 'disconnect', 'misbehave']);

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
    for (const { atMs, height } of ends) {
      for (const span of quorate) {
        const gapMs = Math.min(atMs, span.toMs) - Math.max(beforeMs, span.fromMs);
        if (gapMs > longest.gapMs) longest = { gapMs, atMs: Math.max(beforeMs, span.fromMs) + maxGap, height };
      }
      beforeMs = Math.max(beforeMs, atMs);
    }
    const found = `longest wait for a block with a quorum: ${(longest.gapMs / 1_000).toFixed(1)} s`;
    if (longest.gapMs > maxGap)
      return violated(`${found}, at height ${longest.height}; allowed: ${durationText(maxGap)}`, longest);
    return holds(`${found}, of ${durationText(maxGap)} allowed`);
  },
};

/** When each height was first durable somewhere. */
export function firstCommits({ commits, originMs }: RunFacts): { readonly height: number; readonly atMs: number }[] {
  return [...commits]
    .map(([height, ofPeers]) => ({
      height,
      atMs: Math.min(...[...ofPeers.values()].map(({ committedMs }) => committedMs)) - originMs,
    }))
    .sort((a, b) => a.height - b.height);
}

/** Spans of the run in which enough peers were there and could reach each other. */
export function quorateSpans({ faults, names, quorum, endMs }: RunFacts): { fromMs: number; toMs: number }[] {
  const begun = faults.filter(({ beganMs, failure }) => beganMs !== null && failure === null);
  const edges = new Set([0, endMs]);
  for (const { beganMs, endedMs } of begun) {
    edges.add(beganMs ?? 0);
    edges.add(endedMs ?? endMs);
  }
  const times = [...edges].filter((ms) => ms >= 0 && ms <= endMs).sort((a, b) => a - b);
  const spans: { fromMs: number; toMs: number }[] = [];
  times.slice(0, -1).forEach((fromMs, k) => {
    const toMs = times[k + 1] as number;
    const on = begun.filter(({ beganMs, endedMs }) => (beganMs ?? 0) <= fromMs && (endedMs ?? endMs) >= toMs);
    if (largestGroup(names, on) < quorum) return;
    const last = spans.at(-1);
    if (last !== undefined && last.toMs === fromMs) last.toMs = toMs;
    else spans.push({ fromMs, toMs });
  });
  return spans;
}

function largestGroup(names: readonly string[], on: readonly FaultRecord[]): number {
  const absent = new Set(on.filter(({ kind }) => ABSENT.has(kind)).flatMap(({ peers }) => peers));
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
