import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { requireInput } from '../frl-error.ts';

/**
 * Floating-point selection for studies (eq. 4.18). The chain draws with integers and its own beacon; see
 * `chain/integer-score.ts` for the weights that it uses.
 */

export interface SelectionOptions {
  /** EVs that may serve; default all. Excluding the last miner is "no EV twice in a row". */
  readonly eligible?: readonly boolean[];
  /** Largest weight of one EV (2/N in hardened studies); the excess is shared in proportion. Default none. */
  readonly maxWeight?: number;
}

/**
 * Weights that sum to 1: max(0, score) over its sum, uniform over eligible EVs when no score is positive. Throws
 * `FRL_INVALID_INPUT` when nobody is eligible or a cap below 1/eligible cannot be met.
 */
export function selectionWeights(scores: readonly number[], options: SelectionOptions = {}): Float64Array {
  const eligible = scores.map((_, index) => options.eligible?.[index] ?? true);
  const eligibleCount = eligible.filter(Boolean).length;
  requireInput(eligibleCount > 0, 'selection needs at least one eligible EV', { count: scores.length });
  const positive = scores.map((score, index) => (eligible[index] ? Math.max(0, score) : 0));
  const sum = positive.reduce((total, score) => total + score, 0);
  const weights = Float64Array.from(positive, (score, index) =>
    sum > 0 ? score / sum : eligible[index] ? 1 / eligibleCount : 0,
  );
  return options.maxWeight === undefined ? weights : capWeights(weights, options.maxWeight);
}

/** Caps weights and shares the excess pro rata among those below the cap, until no weight exceeds it. */
function capWeights(weights: Float64Array, maxWeight: number): Float64Array {
  const carriers = weights.filter((weight) => weight > 0).length;
  requireInput(maxWeight * carriers >= 1 - 1e-12, 'maxWeight is too small for the EVs that carry weight', {
    maxWeight,
    carriers,
  });
  const capped = new Uint8Array(weights.length);
  for (;;) {
    let excess = 0;
    let free = 0;
    weights.forEach((weight, index) => {
      if (weight > maxWeight) {
        excess += weight - maxWeight;
        weights[index] = maxWeight;
        capped[index] = 1;
      } else if (!capped[index]) free += weight;
    });
    if (excess <= 1e-15 || free === 0) return weights;
    for (let index = 0; index < weights.length; index++) {
      if (!capped[index]) weights[index] = (weights[index] as number) * (1 + excess / free);
    }
  }
}

/**
 * Index drawn by u in [0, 1): the first whose cumulative weight exceeds u; if rounding leaves none, the last with
 * positive weight.
 */
export function drawWinner(weights: ArrayLike<number>, u: number): number {
  let cumulative = 0;
  let last = -1;
  for (let index = 0; index < weights.length; index++) {
    const weight = weights[index] as number;
    cumulative += weight;
    if (weight > 0) last = index;
    if (weight > 0 && cumulative > u) return index;
  }
  requireInput(last >= 0, 'a draw needs at least one positive weight');
  return last;
}

/** A study's beacon: u in [0, 1) from SHA-256(`posoc|prevhash=<hex>|round=<n>`), its first 52 bits. */
export function randomBeacon(
  previousHashHex: string,
  round: number,
): { readonly digestHex: string; readonly u: number } {
  const digestHex = bytesToHex(sha256(utf8ToBytes(`posoc|prevhash=${previousHashHex}|round=${round}`)));
  return { digestHex, u: Number.parseInt(digestHex.slice(0, 13), 16) / 2 ** 52 };
}
