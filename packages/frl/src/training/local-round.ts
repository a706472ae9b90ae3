import { sampleDays } from '../environment/day-batch.ts';
import type { EnvironmentConfig } from '../environment/environment-config.ts';
import type { Learner, UpdateReport } from '../learner/learner.ts';
import { collectRollout } from '../learner/rollout.ts';
import { streamRng } from '../rng.ts';

/** What names one EV's round: with the weights it fixes the result. */
export interface LocalRoundInput {
  readonly environment: EnvironmentConfig;
  readonly seed: number | string;
  readonly ev: number;
  readonly round: number;
  readonly episodes: number;
}

export interface LocalRoundReport extends UpdateReport {
  /** Slots played. */
  readonly steps: number;
  /** Mean training return of an episode under exploration, CAD (shaped or money as configured). */
  readonly meanReturn: number;
}

/**
 * One EV's part of a round: play `episodes` own days with the learner's weights, then one PPO update. All randomness
 * comes from the streams of (seed, ev, round), so a peer may run it in a worker and again after a restart.
 */
export function runLocalRound(learner: Learner, input: LocalRoundInput): LocalRoundReport {
  const { environment, seed, ev, round, episodes } = input;
  const days = sampleDays(environment, episodes, streamRng(seed, 'days', ev, round));
  const actions = streamRng(seed, 'actions', ev, round);
  const rollout = collectRollout(learner.model, learner.weights, environment, days, actions);
  const report = learner.update(rollout, streamRng(seed, 'minibatches', ev, round));
  const totalReturn = rollout.rewards.reduce((sum, reward) => sum + reward, 0);
  return { ...report, steps: rollout.count, meanReturn: totalReturn / episodes };
}
