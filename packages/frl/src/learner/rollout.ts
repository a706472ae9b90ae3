import { BatchEnvironment } from '../environment/batch-environment.ts';
import type { DayBatch } from '../environment/day-batch.ts';
import type { EnvironmentConfig } from '../environment/environment-config.ts';
import { observationSize, observe } from '../environment/observation.ts';
import type { Rng } from '../rng.ts';
import { type ActorCritic, HALF_LOG_TWO_PI } from './actor-critic.ts';

/** Experience of some EV-days, episode after episode: episode e holds samples `episodeStart[e] .. episodeStart[e + 1]`. */
export interface Rollout {
  readonly count: number;
  readonly episodeStart: Int32Array;
  readonly observations: Float32Array;
  readonly samples: Float64Array;
  readonly logProbabilities: Float64Array;
  readonly values: Float64Array;
  readonly rewards: Float64Array;
}

/**
 * Plays `days` with the stochastic policy. The sample goes to the environment, which clips it to [-1, 1]; the log
 * probability is that of the unclipped sample. One normal per EV present and step, in EV order.
 */
export function collectRollout(
  model: ActorCritic,
  parameters: Float64Array,
  config: EnvironmentConfig,
  days: DayBatch,
  rng: Rng,
): Rollout {
  const size = observationSize(config);
  const environment = new BatchEnvironment(config, days);
  const episodeStart = new Int32Array(days.count + 1);
  for (let i = 0; i < days.count; i++) {
    episodeStart[i + 1] = episodeStart[i]! + days.departureSlot[i]! - days.arrivalSlot[i]!;
  }
  const count = episodeStart[days.count]!;
  const rollout: Rollout = {
    count,
    episodeStart,
    observations: new Float32Array(count * size),
    samples: new Float64Array(count),
    logProbabilities: new Float64Array(count),
    values: new Float64Array(count),
    rewards: new Float64Array(count),
  };
  const rows = new Float32Array(days.count * size);
  const means = new Float64Array(days.count);
  const values = new Float64Array(days.count);
  const command = new Float64Array(days.count);
  const logStd = parameters[model.layout.logStdOffset]!;
  const std = Math.exp(logStd);
  for (let step = 0; ; step++) {
    observe(environment, rows);
    model.predict(parameters, rows, days.count, means, values);
    for (let i = 0; i < days.count; i++) {
      if (!environment.isPresent(i)) continue;
      const at = episodeStart[i]! + step;
      const z = rng.normal();
      const sample = means[i]! + std * z;
      command[i] = sample;
      rollout.samples[at] = sample;
      rollout.logProbabilities[at] = -0.5 * z * z - logStd - HALF_LOG_TWO_PI;
      rollout.values[at] = values[i]!;
      rollout.observations.set(rows.subarray(i * size, (i + 1) * size), at * size);
    }
    if (environment.step(command) === 0) return rollout;
    const { reward } = environment;
    for (let i = 0; i < days.count; i++) {
      if (environment.active[i]) rollout.rewards[episodeStart[i]! + step] = reward[i]!;
    }
  }
}

/** One rollout that holds the episodes of several, in order. */
export function poolRollouts(rollouts: readonly Rollout[]): Rollout {
  const count = rollouts.reduce((sum, rollout) => sum + rollout.count, 0);
  const starts: number[] = [0];
  let base = 0;
  for (const rollout of rollouts) {
    for (let e = 1; e < rollout.episodeStart.length; e++) starts.push(base + rollout.episodeStart[e]!);
    base += rollout.count;
  }
  const joined = (pick: (rollout: Rollout) => Float64Array): Float64Array => {
    const values = new Float64Array(count);
    let offset = 0;
    for (const rollout of rollouts) {
      values.set(pick(rollout), offset);
      offset += rollout.count;
    }
    return values;
  };
  const observations = new Float32Array(rollouts.reduce((sum, rollout) => sum + rollout.observations.length, 0));
  let offset = 0;
  for (const rollout of rollouts) {
    observations.set(rollout.observations, offset);
    offset += rollout.observations.length;
  }
  return {
    count,
    episodeStart: Int32Array.from(starts),
    observations,
    samples: joined((rollout) => rollout.samples),
    logProbabilities: joined((rollout) => rollout.logProbabilities),
    values: joined((rollout) => rollout.values),
    rewards: joined((rollout) => rollout.rewards),
  };
}
