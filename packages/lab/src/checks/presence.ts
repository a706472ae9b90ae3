import { setsBack } from './absence.ts';
import { type Check, holds, unknown, violated } from './facts.ts';

/** Nobody falls silent by itself: a quorum of the others would hide it from every other check. */
export const presence: Check = {
  name: 'presence',
  promise:
    'Every peer runs unless a fault has ended it, and at the end every peer is up and has the height of the others.',
  judge: ({ findings, finals, goalHeight, restMs, faults, scenario, endMs }) => {
    const [gone] = findings.filter(({ check }) => check === 'presence').sort((a, b) => a.atMs - b.atMs);
    if (gone !== undefined) return violated(gone.message, gone);
    if (finals.length === 0) return unknown('nobody looked at the peers at the end');
    const behind: string[] = [];
    let excused = 0;
    for (const { peer, state, height } of finals) {
      const isCovered = faults.some(
        (fault) =>
          setsBack(fault) &&
          fault.peers.includes(peer) &&
          fault.beganMs !== null &&
          (fault.endedMs === null || fault.failure !== null),
      );
      if (isCovered) excused += 1;
      else if (state !== 'up') return violated(`${peer} was ${state} at the end`, { atMs: endMs, height });
      else if ((height ?? -1) < goalHeight)
        behind.push(
          `${peer} had ${height === null ? 'told no height' : `height ${height}`} at the end, not ${goalHeight}`,
        );
    }
    const [first] = behind;
    // The wait for the others ends early when a block was found to be wrong.
    if (first !== undefined)
      return restMs >= scenario.checks.recovery.within
        ? violated(first, { atMs: endMs, height: goalHeight })
        : unknown(`${first}, and was not waited for`);
    if (excused === finals.length) return unknown('every peer was under a fault at the end');
    return holds(`${finals.length - excused} peers were up at height ${goalHeight} or more`);
  },
};
