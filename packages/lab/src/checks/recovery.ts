import { durationText } from '../scenario/quantities.ts';
import { type Check, holds, unknown, violated } from './facts.ts';
import { firstCommits } from './liveness.ts';

/** Faults after which a peer may be behind. */
const SETS_BACK = new Set([
  'kill',
  'stop',
  'restart',
  'wipe',
  'pause',
  'disk-full',
  'disconnect',
  'partition',
  'misbehave',
]);

/** After a fault, who was away comes to the height that the others had when it ended. */
export const recovery: Check = {
  name: 'recovery',
  promise: 'A peer that was away catches up with the others within the bound.',
  judge: (facts) => {
    const { within } = facts.scenario.checks.recovery;
    const firsts = firstCommits(facts);
    let slowest = { peer: '', label: '', tookMs: -1 };
    for (const { kind, label, peers, endedMs, failure } of facts.faults) {
      if (!SETS_BACK.has(kind) || endedMs === null || failure !== null) continue;
      const goal = firsts.filter(({ atMs }) => atMs <= endedMs).at(-1)?.height ?? 0;
      for (const peer of peers) {
        if (awayLater(facts.faults, peer, endedMs, within)) continue;
        const tookMs = caughtUpMs(facts, peer, goal) - endedMs;
        if (tookMs > within && facts.endMs - endedMs >= within)
          return violated(`${peer} had not reached height ${goal} ${durationText(within)} after the end of ${label}`, {
            atMs: endedMs + within,
            height: goal,
          });
        if (tookMs > within) return unknown(`the run ended ${Math.round(facts.endMs - endedMs)} ms after ${label}`);
        if (tookMs > slowest.tookMs) slowest = { peer, label, tookMs: Math.max(0, tookMs) };
      }
    }
    if (slowest.tookMs < 0) return facts.auditedHeights > 0 ? holds('nobody was away') : unknown('no block was seen');
    return holds(`${slowest.peer} took longest: ${(slowest.tookMs / 1_000).toFixed(1)} s after ${slowest.label}`);
  },
};

/** When the peer first had `goal` or more on its disk; Infinity when that was not seen. */
function caughtUpMs({ commits, originMs }: Parameters<Check['judge']>[0], peer: string, goal: number): number {
  let ms = Number.POSITIVE_INFINITY;
  for (const [height, ofPeers] of commits) {
    const commit = ofPeers.get(peer);
    if (height >= goal && commit !== undefined) ms = Math.min(ms, commit.committedMs - originMs);
  }
  return ms;
}

/** Whether another fault took the peer away again before it had its time. */
function awayLater(
  faults: Parameters<Check['judge']>[0]['faults'],
  peer: string,
  endedMs: number,
  withinMs: number,
): boolean {
  return faults.some(
    ({ kind, peers, beganMs }) =>
      SETS_BACK.has(kind) &&
      peers.includes(peer) &&
      beganMs !== null &&
      beganMs >= endedMs &&
      beganMs < endedMs + withinMs,
  );
}
