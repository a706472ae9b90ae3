import { FrlError } from '../../frl-error.ts';
import type { Combination, Updates } from './rule.ts';

/**
 * Coordinate-wise trimmed mean (Yin et al. 2018): drops the `f` lowest and `f` highest values, averages the rest from
 * the lowest up. Needs more than 2f updates (`FRL_TOO_FEW_UPDATES`).
 */
export function trimmedMeanOfUpdates(updates: Updates, f: number): Combination {
  const count = updates.length;
  if (count <= 2 * f) {
    throw new FrlError('FRL_TOO_FEW_UPDATES', `trim with f=${f} needs more than ${2 * f} updates, got ${count}`, {
      rule: 'trim',
      f,
      count,
    });
  }
  const update = new Float64Array((updates[0] as Float64Array).length);
  const column = new Float64Array(count);
  for (let i = 0; i < update.length; i++) {
    for (let k = 0; k < count; k++) column[k] = (updates[k] as Float64Array)[i] as number;
    column.sort();
    let sum = 0;
    for (let k = f; k < count - f; k++) sum += column[k] as number;
    update[i] = sum / (count - 2 * f);
  }
  return { update };
}
