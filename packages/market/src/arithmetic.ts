/**
 * The few operations that the transport solver, the formation and the Shapley value need. One implementation of each
 * algorithm serves studies (`realArithmetic`) and the chain (`integerArithmetic`, exact, no tolerance).
 */
export interface Arithmetic<T> {
  readonly zero: T;
  add(a: T, b: T): T;
  subtract(a: T, b: T): T;
  multiply(a: T, b: T): T;
  /** Negative, zero or positive as `a` is below, equal to or above `b`. */
  compare(a: T, b: T): number;
  /** An integer constant (a sign, a factorial up to 12!) as a `T`. */
  fromInteger(value: number): T;
  /** Values up to this size count as zero among quantities of size `scale`. */
  tolerance(scale: T): T;
}

/** Rounding noise of a sum of a few dozen doubles stays well below this fraction of the largest term. */
const RELATIVE_TOLERANCE = 1e-12;

/** Doubles, for studies. */
export const realArithmetic: Arithmetic<number> = {
  zero: 0,
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  compare: (a, b) => a - b,
  fromInteger: (value) => value,
  tolerance: (scale) => scale * RELATIVE_TOLERANCE,
};

/** Exact integers, for what peers must agree on. */
export const integerArithmetic: Arithmetic<bigint> = {
  zero: 0n,
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  compare: (a, b) => (a < b ? -1 : a > b ? 1 : 0),
  fromInteger: (value) => BigInt(value),
  tolerance: () => 0n,
};
