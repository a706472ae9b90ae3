import type { Combination, Updates } from './rule.ts';

/** Federated averaging, eq. 4.19: the equal-weight mean. Any number of updates from 1. */
export function meanOfUpdates(updates: Updates): Combination {
  return { update: averageOf(updates) };
}

/** Sum in the given order, then one division per coordinate. */
export function averageOf(updates: Updates): Float64Array {
  const sum = Float64Array.from(updates[0] as Float64Array);
  for (let k = 1; k < updates.length; k++) {
    const update = updates[k] as Float64Array;
    for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (update[i] as number);
  }
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) / updates.length;
  return sum;
}
