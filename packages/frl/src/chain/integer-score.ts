import type { ScoreMode } from '../posoc/proof-score.ts';
import { floorDivide, maxOf, minOf, PPM } from './integer-arithmetic.ts';

/** ppm x Wh in 10^-6 kWh. */
const PPM_WH_PER_MICRO_KWH = 1_000n;

/**
 * One slot's exact contribution to T: deltaPpm x (D - C), in ppm Wh = 10^-9 kWh. `actionWh` positive charges. Add these
 * up over the day and round once, with `integerProofScore`.
 */
export function slotScorePpmWh(deltaPpm: bigint, actionWh: bigint): bigint {
  return deltaPpm * -actionWh;
}

/** What a day's score is made of, for one EV. */
export interface IntegerScoreInput {
  /** Sum of `slotScorePpmWh` over the stay. */
  readonly tradeScorePpmWh: bigint;
  /** Stored energy after the last action, and the top of the usable band. */
  readonly energyEndWh: bigint;
  readonly maxEnergyWh: bigint;
  readonly capacityWh: bigint;
  /** Sum of D - C, metered Wh. */
  readonly netSoldWh: bigint;
}

/**
 * Day score as an integer, floored: `thesis` and `trade` in 10^-6 kWh (the headroom of `thesis` counts its fraction as
 * kWh, as eq. 4.1 adds it); `normalized` and `gated` in 10^-6 of a capacity. `trade` is not divided by the capacity
 * here, so on the chain a vehicle of twice the size weighs twice. May be negative.
 */
export function integerProofScore(mode: ScoreMode, input: IntegerScoreInput): bigint {
  const headroomWh = maxOf(0n, input.maxEnergyWh - input.energyEndWh);
  const tradeMicroKwh = floorDivide(input.tradeScorePpmWh, PPM_WH_PER_MICRO_KWH);
  switch (mode) {
    case 'trade':
      return tradeMicroKwh;
    case 'thesis':
      return tradeMicroKwh + (headroomWh * PPM) / input.capacityWh;
    case 'normalized':
      return floorDivide(input.tradeScorePpmWh + headroomWh * PPM, input.capacityWh);
    case 'gated': {
      const countedWh = minOf(headroomWh, maxOf(0n, input.netSoldWh));
      return floorDivide(input.tradeScorePpmWh + countedWh * PPM, input.capacityWh);
    }
  }
}

/** Score ledger with memory rho in ppm: floor(rho L) + score. `rhoPpm` 0 forgets, 900 000 is the `sound` preset. */
export function advanceIntegerScoreLedger(ledger: bigint, score: bigint, rhoPpm: bigint): bigint {
  return floorDivide(ledger * rhoPpm, PPM) + score;
}

/** Weights of the next term's draw: negative scores count as 0. The uniform fallback belongs to the election. */
export function integerSelectionWeights(scores: readonly bigint[]): bigint[] {
  return scores.map((score) => maxOf(0n, score));
}
