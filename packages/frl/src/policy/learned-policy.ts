import { observationSize, observe } from '../environment/observation.ts';
import type { ActorCritic } from '../learner/actor-critic.ts';
import type { Policy } from './policy.ts';

/** Acts with the mean of the model's Gaussian (clipped by the environment), without exploration. */
export function createLearnedPolicy(model: ActorCritic, weights: Float64Array): Policy {
  let observations = new Float32Array(0);
  return {
    name: 'learned',
    act(environment, command) {
      const length = environment.days.count * observationSize(environment.config);
      if (observations.length !== length) observations = new Float32Array(length);
      observe(environment, observations);
      model.predict(weights, observations, environment.days.count, command);
    },
  };
}
