import { krumScores, rankByScore } from './krum.ts';
import { averageOf } from './mean.ts';
import type { Combination, Updates } from './rule.ts';

/** Multi-Krum (Blanchard et al. 2017): the mean of the N-f updates with the smallest Krum scores. */
export function multiKrumOfUpdates(updates: Updates, f: number): Combination {
  const scores = krumScores(updates, f, 'multikrum');
  const selected = rankByScore(scores).slice(0, updates.length - f);
  // Summed in the order of the updates, not of the scores, as every other rule is.
  const members = [...selected].sort((a, b) => a - b).map((index) => updates[index] as Float64Array);
  return { update: averageOf(members), scores, selected };
}
