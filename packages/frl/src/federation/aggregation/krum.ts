import { FrlError } from '../../frl-error.ts';
import type { Combination, Updates } from './rule.ts';

/**
 * Krum (Blanchard et al. 2017): the update whose summed squared distance to its N-f-2 nearest others is smallest; ties
 * by index. Needs N >= 2f+3 (`FRL_TOO_FEW_UPDATES`).
 */
export function krumOfUpdates(updates: Updates, f: number): Combination {
  const scores = krumScores(updates, f, 'krum');
  const best = rankByScore(scores)[0] as number;
  return { update: Float64Array.from(updates[best] as Float64Array), scores, selected: [best] };
}

/** The Krum score of every update. */
export function krumScores(updates: Updates, f: number, rule: 'krum' | 'multikrum'): Float64Array {
  const count = updates.length;
  if (count < 2 * f + 3) {
    throw new FrlError('FRL_TOO_FEW_UPDATES', `${rule} with f=${f} needs at least ${2 * f + 3} updates, got ${count}`, {
      rule,
      f,
      count,
    });
  }
  const squaredDistance = new Float64Array(count * count);
  for (let a = 0; a < count; a++) {
    for (let b = a + 1; b < count; b++) {
      const distance = squaredDistanceOf(updates[a] as Float64Array, updates[b] as Float64Array);
      squaredDistance[a * count + b] = distance;
      squaredDistance[b * count + a] = distance;
    }
  }
  const scores = new Float64Array(count);
  const others = new Float64Array(count - 1);
  for (let a = 0; a < count; a++) {
    for (let b = 0, next = 0; b < count; b++) {
      if (b !== a) others[next++] = squaredDistance[a * count + b] as number;
    }
    others.sort();
    let sum = 0;
    for (let k = 0; k < count - f - 2; k++) sum += others[k] as number;
    scores[a] = sum;
  }
  return scores;
}

/** Indexes by score, smallest first, ties by index. */
export function rankByScore(scores: Float64Array): number[] {
  return Array.from(scores.keys()).sort((a, b) => {
    const [left, right] = [scores[a] as number, scores[b] as number];
    return left < right ? -1 : left > right ? 1 : a - b;
  });
}

function squaredDistanceOf(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    sum += difference * difference;
  }
  return sum;
}
