import type { Combination, Updates } from './rule.ts';

/** Coordinate-wise median (Yin et al. 2018); of an even number, the mean of the middle two. */
export function medianOfUpdates(updates: Updates): Combination {
  const count = updates.length;
  const first = updates[0] as Float64Array;
  const update = new Float64Array(first.length);
  const column = new Float64Array(count);
  const middle = count >> 1;
  for (let i = 0; i < update.length; i++) {
    for (let k = 0; k < count; k++) column[k] = (updates[k] as Float64Array)[i] as number;
    column.sort();
    const upper = column[middle] as number;
    update[i] = count % 2 === 1 ? upper : ((column[middle - 1] as number) + upper) / 2;
  }
  return { update };
}
