import { bls12_381 } from '@noble/curves/bls12-381.js';

/** Order of the groups of BLS12-381, over which secrets are shared. */
export const SCALAR_ORDER: bigint = bls12_381.fields.Fr.ORDER;

/**
 * Coefficients with which values of a polynomial at `points` (distinct, not 0) add up to its value at 0, modulo the
 * group order.
 */
export function lagrangeAtZero(points: readonly bigint[]): readonly bigint[] {
  const { Fr } = bls12_381.fields;
  return points.map((own, i) => {
    let numerator = 1n;
    let denominator = 1n;
    points.forEach((other, j) => {
      if (i === j) return;
      numerator = Fr.mul(numerator, other);
      denominator = Fr.mul(denominator, Fr.sub(other, own));
    });
    return Fr.mul(numerator, Fr.inv(denominator));
  });
}
