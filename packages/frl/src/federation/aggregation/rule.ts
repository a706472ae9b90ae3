/**
 * An aggregation rule combines updates (differences to the global model) into one. Bit-for-bit reproducible: updates
 * come in one fixed order, coordinates go from 0 up, sums run in that order, and nothing but +, -, *, / and the
 * correctly rounded square root of IEEE 754 is used.
 */
export type AggregationRule =
  | { readonly name: 'mean' }
  | { readonly name: 'median' }
  /** f: how many lowest and highest values to drop per coordinate. */
  | { readonly name: 'trim'; readonly f: number }
  /** f: how many attackers are assumed. */
  | { readonly name: 'krum'; readonly f: number }
  | { readonly name: 'multikrum'; readonly f: number }
  | { readonly name: 'clip' };

/** What a rule makes of a list of updates. */
export interface Combination {
  readonly update: Float64Array;
  /** Krum rules: score of each update, and the indexes that were averaged, best first. */
  readonly scores?: Float64Array;
  readonly selected?: readonly number[];
}

export type Updates = readonly Float64Array[];
