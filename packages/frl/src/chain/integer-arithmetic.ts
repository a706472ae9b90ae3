import { requireInput } from '../frl-error.ts';

/** Parts per million in one. */
export const PPM = 1_000_000n;
/** Wh in a kWh. */
export const WH_PER_KWH = 1_000n;

/** The smaller of two (Math.min does not take bigint). */
export function minOf(a: bigint, b: bigint): bigint {
  if (a < b) return a;
  return b;
}

/** The larger of two. */
export function maxOf(a: bigint, b: bigint): bigint {
  if (a > b) return a;
  return b;
}

/** Quotient rounded towards minus infinity (BigInt division truncates). `divisor` must be positive. */
export function floorDivide(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  return dividend % divisor < 0n ? quotient - 1n : quotient;
}

/**
 * Splits `total` in proportion to `weights`: floors first, then one unit each to the largest fractional parts, ties to
 * the earlier index (rank). The parts always sum to `total`. Throws `FRL_INVALID_INPUT` on a negative total or weight,
 * or a positive total without any weight.
 */
export function apportion(total: bigint, weights: readonly bigint[]): bigint[] {
  let sum = 0n;
  for (const weight of weights) {
    requireInput(weight >= 0n, 'apportion: weights must not be negative', { weight });
    sum += weight;
  }
  requireInput(total >= 0n && (sum > 0n || total === 0n), 'apportion: nobody to give a positive total to', { total });
  if (sum === 0n) return weights.map(() => 0n);
  const parts = weights.map((weight) => (total * weight) / sum);
  const fractions = weights.map((weight) => (total * weight) % sum);
  let left = parts.reduce((rest, part) => rest - part, total);
  const order = weights
    .map((_, index) => index)
    .sort((a, b) => {
      const difference = (fractions[b] as bigint) - (fractions[a] as bigint);
      return difference > 0n ? 1 : difference < 0n ? -1 : a - b;
    });
  for (const index of order) {
    if (left === 0n) break;
    parts[index] = (parts[index] as bigint) + 1n;
    left -= 1n;
  }
  return parts;
}
