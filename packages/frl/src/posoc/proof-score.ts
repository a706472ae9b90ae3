/** How a day's trades become a proof score (section 7). `trade` is recommended; `thesis` mixes kWh and fractions. */
export type ScoreMode = 'thesis' | 'normalized' | 'gated' | 'trade';

/** What a score is made of, for one EV over one stay. */
export interface ScoreInput {
  /** T: sum over slots of delta (D - C), kWh. */
  readonly tradeScoreKwh: number;
  /** SOC after the last action. */
  readonly socEnd: number;
  /** Sum of D - C, metered kWh. */
  readonly netSoldKwh: number;
  readonly socMax: number;
  readonly capacityKwh: number;
}

/**
 * Proof of State of Charge score, eq. 4.1. Headroom max(0, socMax - socEnd) counts once, at departure. `thesis` is
 * kWh plus a fraction as printed; the other modes are dimensionless. Throws nothing; may be negative.
 */
export function proofScore(mode: ScoreMode, input: ScoreInput): number {
  const headroom = Math.max(0, input.socMax - input.socEnd);
  const trade = input.tradeScoreKwh / input.capacityKwh;
  switch (mode) {
    case 'thesis':
      return input.tradeScoreKwh + headroom;
    case 'normalized':
      return trade + headroom;
    case 'gated':
      return trade + Math.min(headroom, Math.max(0, input.netSoldKwh / input.capacityKwh));
    case 'trade':
      return trade;
  }
}

/** Score ledger of a vehicle: L <- rho L + score. May be negative (debt). */
export function advanceScoreLedger(ledger: number, score: number, rho: number): number {
  return rho * ledger + score;
}
