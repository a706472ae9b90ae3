import { type Rng, shuffled } from './rng.ts';

export interface SampledShapley {
  /** Estimates; they add up to the value of all members without scaling, since the contributions of every order do. */
  readonly value: readonly number[];
  /** Standard error of each member's estimate. */
  readonly standardError: readonly number[];
  /** Orders that were walked, reverses included. */
  readonly orders: number;
}

/** Pairs to walk before the spread of the estimates is trusted for stopping early. */
const MIN_PAIRS = 30;

/**
 * Shapley value by antithetic sampling (section 7): random orders, each with its reverse, up to `maxOrders`; stops
 * early when every standard error is below `relativeError` of the value of all members. `value` gets ascending
 * positions.
 */
export function sampledShapley(
  memberCount: number,
  value: (positions: readonly number[]) => number,
  rng: Rng,
  maxOrders = 2000,
  relativeError = 0.005,
): SampledShapley {
  const positions = Array.from({ length: memberCount }, (_, k) => k);
  const known = new Map<string, number>([['', 0]]);
  const worth = (inside: readonly boolean[]) => {
    const members = positions.filter((k) => inside[k]);
    const key = members.join();
    let result = known.get(key);
    if (result === undefined) {
      result = value(members);
      known.set(key, result);
    }
    return result;
  };
  const contributions = (order: readonly number[]) => {
    const inside = positions.map(() => false);
    const gains = positions.map(() => 0);
    let before = 0;
    for (const k of order) {
      inside[k] = true;
      const after = worth(inside);
      gains[k] = after - before;
      before = after;
    }
    return gains;
  };

  const total = worth(positions.map(() => true));
  const mean = positions.map(() => 0);
  const squares = positions.map(() => 0);
  let pairs = 0;
  const standardError = () => squares.map((square) => (pairs > 1 ? Math.sqrt(square / (pairs - 1) / pairs) : 0));
  while (2 * (pairs + 1) <= Math.max(2, maxOrders)) {
    const order = shuffled(positions, rng);
    const forward = contributions(order);
    const backward = contributions(order.reverse());
    pairs += 1;
    for (const k of positions) {
      const sample = (forward[k]! + backward[k]!) / 2;
      const change = sample - mean[k]!;
      mean[k]! += change / pairs;
      squares[k]! += change * (sample - mean[k]!);
    }
    if (pairs >= MIN_PAIRS && standardError().every((error) => error < relativeError * total)) break;
  }
  return {
    value: mean,
    standardError: standardError(),
    orders: 2 * pairs,
  };
}
