import type { FaultRecord } from '../faults/conductor.ts';
import { durationText } from '../scenario/quantities.ts';
import { faultEndMs, setsBack } from './absence.ts';
import { type Check, holds, type RunFacts, unknown, violated } from './facts.ts';
import { firstCommits } from './liveness.ts';

/** After a fault, who was away comes to the height that the others had when it ended. */
export const recovery: Check = {
  name: 'recovery',
  promise: 'A peer that was away catches up with the others within the bound.',
  judge: (facts) => {
    const { within } = facts.scenario.checks.recovery;
    const firsts = firstCommits(facts);
    const begun = facts.faults.filter((fault) => setsBack(fault) && fault.beganMs !== null);
    let slowest: { readonly peer: string; readonly label: string; readonly tookMs: number } | null = null;
    // What cannot be said of one peer must not hide that another did not come back.
    const open: string[] = [];
    for (const fault of begun) {
      const { label, peers, endedMs, failure } = fault;
      if (endedMs === null || failure !== null) continue;
      const goal = firsts.filter(({ atMs }) => atMs <= endedMs).at(-1)?.height ?? 0;
      for (const peer of peers) {
        const others = begun.filter((other) => other !== fault && other.peers.includes(peer));
        // Another fault still keeps it away: its time begins when that one ends.
        if (others.some((other) => startOf(other) <= endedMs && faultEndMs(other, facts.endMs) > endedMs)) continue;
        const untilMs = Math.min(facts.endMs, ...others.map(startOf).filter((ms) => ms >= endedMs));
        const tookMs = Math.max(0, caughtUpMs(facts, fault, peer, goal) - endedMs);
        const leftMs = untilMs - endedMs;
        if (tookMs > within && leftMs >= within)
          return violated(`${peer} had not reached height ${goal} ${durationText(within)} after the end of ${label}`, {
            atMs: endedMs + within,
            height: goal,
          });
        if (tookMs > Math.min(within, leftMs))
          open.push(
            `${peer} had not reached height ${goal} when ${untilMs < facts.endMs ? 'the next fault began' : 'the run ended'}, ${Math.round(leftMs)} ms after ${label}`,
          );
        else if (slowest === null || tookMs > slowest.tookMs) slowest = { peer, label, tookMs };
      }
    }
    const [first] = open;
    if (first !== undefined) return unknown(first);
    if (slowest !== null)
      return holds(`${slowest.peer} took longest: ${(slowest.tookMs / 1_000).toFixed(1)} s after ${slowest.label}`);
    if (begun.length > 0) return unknown('no fault that a peer was away for has ended');
    return facts.auditedHeights > 0 ? holds('nobody was away') : unknown('no block was seen');
  },
};

function startOf({ beganMs }: FaultRecord): number {
  return beganMs ?? Number.POSITIVE_INFINITY;
}

/**
 * When the peer first had `goal` or more on its disk; Infinity when that was not seen. What it had before its disk was wiped
 * counts for nothing.
 */
function caughtUpMs(
  { commits, recommits, originMs }: RunFacts,
  { kind, endedMs }: FaultRecord,
  peer: string,
  goal: number,
): number {
  const sinceMs = kind === 'wipe' ? (endedMs ?? 0) : Number.NEGATIVE_INFINITY;
  let ms = Number.POSITIVE_INFINITY;
  const consider = (height: number, atMs: number): void => {
    if (height >= goal && atMs > sinceMs) ms = Math.min(ms, atMs);
  };
  for (const [height, ofPeers] of commits) {
    const commit = ofPeers.get(peer);
    if (commit !== undefined) consider(height, commit.committedMs - originMs);
  }
  for (const commit of recommits) if (commit.peer === peer) consider(commit.height, commit.committedMs - originMs);
  return ms;
}
