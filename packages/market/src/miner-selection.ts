import type { SlotOutcome } from './prosumer-market.ts';

/*
 * The reference form of the draw (section 5), for studies and expected frequencies. On the chain the draw is a list of
 * integers made from the term's seed; that one lives with the consensus rules. Coalitions stand in the order of their
 * lowest member everywhere, so an index into them is also the order of the walk.
 */

/**
 * Weighted random selection (eq. 3.16): the first coalition whose cumulative weight exceeds `uniform` in [0, 1) of
 * the total; `undefined` when all weights are 0.
 */
export function drawCoalition(weights: readonly number[], uniform: number): number | undefined {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (!(total > 0)) return undefined;
  let cumulative = 0;
  let last: number | undefined;
  for (let k = 0; k < weights.length; k++) {
    if (!(weights[k]! > 0)) continue;
    cumulative += weights[k]!;
    if (cumulative > uniform * total) return k;
    last = k;
  }
  // Only a `uniform` of 1, which a generator should not give, gets here.
  return last;
}

/**
 * Each coalition's chance to be drawn; all 0 when no coalition has any weight, and the miner then comes from the
 * fallback.
 */
export function drawProbabilities(weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => (total > 0 ? weight / total : 0));
}

/** Redraw after a refusal (eq. 3.24): the refusing coalition as a whole loses its weight. */
export function withoutCoalition(weights: readonly number[], refused: number): number[] {
  return weights.map((weight, k) => (k === refused ? 0 : weight));
}

/**
 * Index of the largest value, ties to the lowest index; -1 for none. The test mode `argmax`, and the bootstrap slot's
 * miner from the singleton scores.
 */
export function argmax(values: readonly number[]): number {
  let best = -1;
  for (let k = 0; k < values.length; k++) if (best < 0 || values[k]! > values[best]!) best = k;
  return best;
}

/** The member that signs for a drawn coalition: largest `PS_Si`, ties to the lowest index. */
export function signingMember(outcome: SlotOutcome, coalition: number): number {
  const { members } = outcome.coalitions[coalition]!;
  return members[argmax(members.map((i) => outcome.proofScoreKwh[i]!))]!;
}
