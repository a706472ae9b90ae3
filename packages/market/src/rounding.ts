/** Largest integer not above `numerator / denominator`, for `denominator > 0`. */
export function floorDivide(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator;
  return numerator % denominator < 0n ? quotient - 1n : quotient;
}

/**
 * Rounds exact amounts `numerators[k] / denominator` to integers whose sum is `total`: each is floored, and the units
 * that are then missing go to the largest fractional parts, ties to the lower index (protocol section 7).
 *
 * `total` must be the floor of the exact sum; then fewer units are missing than there are amounts.
 */
export function roundToTotal(numerators: readonly bigint[], denominator: bigint, total: bigint): bigint[] {
  const rounded = numerators.map((numerator) => floorDivide(numerator, denominator));
  const missing = Number(total - rounded.reduce((sum, amount) => sum + amount, 0n));
  const fraction = numerators.map((numerator, k) => numerator - rounded[k]! * denominator);
  const order = numerators
    .map((_, k) => k)
    .sort((a, b) => (fraction[a]! === fraction[b]! ? a - b : fraction[a]! > fraction[b]! ? -1 : 1));
  for (const k of order.slice(0, missing)) rounded[k]! += 1n;
  return rounded;
}
