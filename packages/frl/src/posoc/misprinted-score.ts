/** One slot of a stay, as a score sees it. */
export interface ScoredSlot {
  readonly delta: number;
  /** Metered, positive charges. */
  readonly actionKwh: number;
  readonly socAfter: number;
}

/**
 * Two scores as the thesis prints them, to show what the misprints do; nothing else uses them. kWh plus fractions.
 * - `hourlyHeadroom` (eq. 4.17): headroom counts in every hour present, so that parking empty is rewarded.
 * - `signedDischarge` (Algorithm 4, line 12): D holds the negative action, so that selling lowers the score.
 */
export function misprintedScores(
  slots: readonly ScoredSlot[],
  socMax: number,
): { readonly hourlyHeadroom: number; readonly signedDischarge: number } {
  let [trade, signedTrade, headroomSum, headroom] = [0, 0, 0, 0];
  for (const { delta, actionKwh, socAfter } of slots) {
    trade -= delta * actionKwh;
    signedTrade -= delta * Math.abs(actionKwh);
    headroom = Math.max(0, socMax - socAfter);
    headroomSum += headroom;
  }
  return { hourlyHeadroom: trade + headroomSum, signedDischarge: signedTrade + headroom };
}
