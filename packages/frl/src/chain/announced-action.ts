import type { EnvironmentConfig } from '../environment/environment-config.ts';
import { observationSize, type SlotView, writeObservation } from '../environment/observation.ts';
import type { ActorCritic } from '../learner/actor-critic.ts';
import { type IntegerBattery, projectActionWh } from './integer-battery.ts';

/**
 * The action in Wh that an EV announces for a slot: the model's mean action, rounded to a Wh and projected onto what the
 * battery can do. The model computes in floats, which is harmless: an announcement is the EV's own word, and peers agree
 * on the integer that it sends. Positive charges. A model that has been driven so far off that its answer is no number
 * (which poisoned updates can do) announces nothing: 0.
 */
export function announcedActionWh(
  model: ActorCritic,
  weights: Float64Array,
  config: EnvironmentConfig,
  battery: IntegerBattery,
  energyWh: bigint,
  view: Omit<SlotView, 'energyKwh'>,
): bigint {
  const observation = new Float32Array(observationSize(config));
  writeObservation(config, { ...view, energyKwh: Number(energyWh) / 1000 }, observation, 0);
  const mean = new Float64Array(1);
  model.predict(weights, observation, 1, mean);
  const answer = mean[0] as number;
  const command = Number.isNaN(answer) ? 0 : Math.min(1, Math.max(-1, answer));
  return projectActionWh(battery, energyWh, BigInt(Math.round(command * Number(battery.powerLimitWh))));
}
