import { FrlError, requireConfig } from '../frl-error.ts';
import { krumOfUpdates } from './aggregation/krum.ts';
import { meanOfUpdates } from './aggregation/mean.ts';
import { medianOfUpdates } from './aggregation/median.ts';
import { multiKrumOfUpdates } from './aggregation/multi-krum.ts';
import { normClippedMeanOfUpdates } from './aggregation/norm-clip.ts';
import type { AggregationRule, Combination, Updates } from './aggregation/rule.ts';
import { trimmedMeanOfUpdates } from './aggregation/trimmed-mean.ts';

/** What one EV sends: its weights after local training. `rank` fixes the order in which updates are summed. */
export interface ModelSubmission {
  readonly rank: number;
  readonly weights: Float64Array;
}

export interface AggregatedModel {
  readonly weights: Float64Array;
  /** Krum rules only: score per submission and the chosen ones, as positions in rank order. */
  readonly scores?: Float64Array;
  readonly selected?: readonly number[];
}

/**
 * `G + rule(w_i - G)` (eq. 4.19 and its robust variants). Submissions may come in any order: they are sorted by rank,
 * so every peer gets the same bits. Any invalid submission refuses the whole call, because who is left out is a matter
 * of consensus and not of this function: check each one with `validateSubmission` first.
 *
 * Throws `FRL_UPDATE_WRONG_LENGTH`, `FRL_UPDATE_NON_FINITE`, `FRL_DUPLICATE_UPDATE` (two of one rank),
 * `FRL_TOO_FEW_UPDATES` (none, or fewer than the rule needs).
 */
export function aggregateModels(
  globalWeights: Float64Array,
  submissions: readonly ModelSubmission[],
  rule: AggregationRule,
): AggregatedModel {
  const ordered = [...submissions].sort((a, b) => a.rank - b.rank);
  ordered.forEach((submission, index) => {
    validateSubmission(submission.weights, globalWeights.length, submission.rank);
    if (index > 0 && ordered[index - 1]?.rank === submission.rank) {
      throw new FrlError('FRL_DUPLICATE_UPDATE', `two updates carry rank ${submission.rank}`, {
        rank: submission.rank,
      });
    }
  });
  const updates = ordered.map(({ weights }) => weights.map((value, i) => value - (globalWeights[i] as number)));
  const { update, scores, selected } = combineUpdates(updates, rule);
  const weights = update.map((value, i) => (globalWeights[i] as number) + value);
  return { weights, ...(scores && { scores }), ...(selected && { selected }) };
}

/** Applies a rule to updates that are already in order and valid. Throws `FRL_TOO_FEW_UPDATES`, `FRL_INVALID_CONFIG`. */
export function combineUpdates(updates: Updates, rule: AggregationRule): Combination {
  if (updates.length === 0) {
    throw new FrlError('FRL_TOO_FEW_UPDATES', `${rule.name} needs at least one update`, { rule: rule.name, count: 0 });
  }
  if ('f' in rule) {
    requireConfig(Number.isInteger(rule.f) && rule.f >= 0, `${rule.name} needs a whole number f >= 0`, { f: rule.f });
  }
  switch (rule.name) {
    case 'mean':
      return meanOfUpdates(updates);
    case 'median':
      return medianOfUpdates(updates);
    case 'trim':
      return trimmedMeanOfUpdates(updates, rule.f);
    case 'krum':
      return krumOfUpdates(updates, rule.f);
    case 'multikrum':
      return multiKrumOfUpdates(updates, rule.f);
    case 'clip':
      return normClippedMeanOfUpdates(updates);
  }
}

/** Refuses weights of a wrong length (`FRL_UPDATE_WRONG_LENGTH`) or with NaN or infinity (`FRL_UPDATE_NON_FINITE`). */
export function validateSubmission(weights: Float64Array, expectedLength: number, rank: number): void {
  if (weights.length !== expectedLength) {
    throw new FrlError(
      'FRL_UPDATE_WRONG_LENGTH',
      `update of rank ${rank} has ${weights.length} values, the model has ${expectedLength}`,
      { rank, expected: expectedLength, found: weights.length },
    );
  }
  const index = weights.findIndex((value) => !Number.isFinite(value));
  if (index >= 0) {
    throw new FrlError('FRL_UPDATE_NON_FINITE', `update of rank ${rank} is not finite at coordinate ${index}`, {
      rank,
      index,
      value: String(weights[index]),
    });
  }
}
