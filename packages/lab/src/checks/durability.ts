import { type Check, holds, unknown, violated } from './facts.ts';

/** What a peer acknowledged as committed survives: heights over restarts, and transactions at the end of the run. */
export const durability: Check = {
  name: 'durability',
  promise:
    'What a peer has acknowledged as committed is still there, at the same height, after every restart and at the end.',
  judge: ({ findings, lookedUp, endMs, load, comparedHeights }) => {
    const [lost] = findings.filter(({ check }) => check === 'durability');
    if (lost !== undefined) return violated(lost.message, lost);
    const [wrong] = lookedUp.wrong;
    if (wrong !== undefined)
      return violated(`${wrong}${lookedUp.wrong.length > 1 ? ` (and ${lookedUp.wrong.length - 1} more)` : ''}`, {
        atMs: endMs,
        height: null,
      });
    if (load.committed > 0 && lookedUp.answers === 0) return unknown('no peer could be asked at the end');
    const [silent] = lookedUp.unanswered;
    if (silent !== undefined)
      return unknown(
        `${silent}${lookedUp.unanswered.length > 1 ? ` (and ${lookedUp.unanswered.length - 1} more)` : ''}`,
      );
    if (comparedHeights === 0) return unknown('no height was compared');
    return holds(`${lookedUp.answers} answers about committed transactions at the end; no peer came back with less`);
  },
};
