import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import type { EnvironmentConfig } from '../environment/environment-config.ts';
import { observationSize } from '../environment/observation.ts';
import type { AggregationRule } from '../federation/aggregation/rule.ts';
import type { Attack } from '../federation/attack.ts';
import { requireConfig } from '../frl-error.ts';
import { createPpoConfig, type PpoConfig } from '../learner/ppo-config.ts';

export interface TrainingConfig {
  readonly seed: number | string;
  /**
   * `local`: every EV for itself. `federated`: updates are aggregated each round. `centralised`: one learner on the
   * pooled days of all EVs.
   */
  readonly mode: 'local' | 'federated' | 'centralised';
  /** One world per EV; its length is the number of EVs. */
  readonly environments: readonly EnvironmentConfig[];
  readonly rounds: number;
  /** Episodes of each EV and round: 16, or 1 for the schedule of the thesis. */
  readonly episodesPerRound: number;
  readonly ppo?: Partial<PpoConfig>;
  readonly hidden?: readonly number[];
  readonly aggregation: AggregationRule;
  /** Which members poison their updates, and how. Federated only. */
  readonly poisoning?: { readonly members: readonly number[]; readonly attack: Attack };
  readonly evaluation: {
    /** Evaluate after every so many rounds; 0 never. */
    readonly everyRounds: number;
    readonly days: number;
    readonly seed: number | string;
  };
}

/** Throws `FRL_INVALID_CONFIG` on a configuration that cannot be trained. */
export function validateTrainingConfig(config: TrainingConfig): void {
  const { environments, rounds, episodesPerRound, evaluation, mode, poisoning } = config;
  const first = environments[0];
  requireConfig(first !== undefined, 'training needs at least one EV');
  const size = observationSize(first);
  environments.forEach((environment, ev) => {
    requireConfig(observationSize(environment) === size, `EV ${ev} observes other features than EV 0`, {
      ev,
      expected: size,
      found: observationSize(environment),
    });
  });
  for (const [name, value] of Object.entries({ rounds, episodesPerRound })) {
    requireConfig(Number.isInteger(value) && value > 0, `${name} must be a positive whole number`, { [name]: value });
  }
  requireConfig(
    Number.isInteger(evaluation.everyRounds) && evaluation.everyRounds >= 0 && evaluation.days > 0,
    'evaluation needs everyRounds >= 0 and days > 0',
  );
  requireConfig(poisoning === undefined || mode === 'federated', 'only federated training can be poisoned', { mode });
  createPpoConfig(config.ppo);
}

/** Hash of everything in the configuration that decides the course of training (not how long it runs or is watched). */
export function trainingFingerprint(config: TrainingConfig): string {
  const { rounds: _rounds, evaluation: _evaluation, ...decisive } = config;
  return bytesToHex(sha256(utf8ToBytes(JSON.stringify(decisive))));
}
