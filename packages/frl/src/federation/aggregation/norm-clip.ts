import { averageOf } from './mean.ts';
import type { Combination, Updates } from './rule.ts';

/**
 * Norm clipping (after Sun et al. 2019): each update is scaled down to the median of the norms where it exceeds it,
 * then averaged. The median of an even number of norms is the mean of the middle two.
 */
export function normClippedMeanOfUpdates(updates: Updates): Combination {
  const norms = Float64Array.from(updates, normOf);
  const sorted = Float64Array.from(norms).sort();
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  const limit = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
  const clipped = updates.map((update, k) => {
    const norm = norms[k] as number;
    return norm > limit ? update.map((value) => value * (limit / norm)) : update;
  });
  return { update: averageOf(clipped) };
}

/** Euclidean norm; squares are summed from coordinate 0 up. */
export function normOf(update: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < update.length; i++) sum += (update[i] as number) * (update[i] as number);
  return Math.sqrt(sum);
}
