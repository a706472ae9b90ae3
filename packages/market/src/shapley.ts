import { type Arithmetic, realArithmetic } from './arithmetic.ts';
import { MarketError } from './errors.ts';

/** Above this size a sum over all subsets takes too long; sample instead. */
export const MAX_EXACT_SHAPLEY_MEMBERS = 16;

/**
 * Shapley value times `m!` of the game `value` on `m` members (eq. 3.3 with N the winning coalition): exact in integer
 * arithmetic. `value` gets member positions `0 .. m - 1` and is asked once per subset.
 *
 * @throws MarketError MARKET_TOO_LARGE above `MAX_EXACT_SHAPLEY_MEMBERS`.
 */
export function shapleyTimesFactorial<T>(
  arithmetic: Arithmetic<T>,
  memberCount: number,
  value: (positions: readonly number[]) => T,
): T[] {
  if (memberCount > MAX_EXACT_SHAPLEY_MEMBERS) {
    throw new MarketError(
      'MARKET_TOO_LARGE',
      `an exact Shapley value over ${memberCount} members needs 2^${memberCount} coalition problems; sample it instead`,
      { field: 'members', value: String(memberCount) },
    );
  }
  const { add, subtract, multiply, zero } = arithmetic;
  const factorial = [arithmetic.fromInteger(1)];
  for (let k = 1; k <= memberCount; k++) factorial.push(multiply(factorial[k - 1]!, arithmetic.fromInteger(k)));
  const shares = Array.from({ length: memberCount }, () => zero);
  for (let mask = 1; mask < 2 ** memberCount; mask++) {
    const inside: number[] = [];
    for (let k = 0; k < memberCount; k++) if ((mask >> k) & 1) inside.push(k);
    const worth = value(inside);
    // v(S) enters with (s-1)!(m-s)! for members of S, and with -s!(m-s-1)! for the others, whom S lacks.
    const size = inside.length;
    const joined = multiply(worth, multiply(factorial[size - 1]!, factorial[memberCount - size]!));
    const missing =
      size < memberCount ? multiply(worth, multiply(factorial[size]!, factorial[memberCount - size - 1]!)) : zero;
    for (let k = 0; k < memberCount; k++) {
      shares[k] = (mask >> k) & 1 ? add(shares[k]!, joined) : subtract(shares[k]!, missing);
    }
  }
  return shares;
}

/** `m!`, exact as a double up to 18!. */
export function factorial(m: number): number {
  let product = 1;
  for (let k = 2; k <= m; k++) product *= k;
  return product;
}

/** Shapley value of `value` on `memberCount` members in floating point. */
export function exactShapley(memberCount: number, value: (positions: readonly number[]) => number): number[] {
  const scale = factorial(memberCount);
  return shapleyTimesFactorial(realArithmetic, memberCount, value).map((share) => share / scale);
}
