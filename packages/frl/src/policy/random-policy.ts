import type { Rng } from '../rng.ts';
import type { Policy } from './policy.ts';

/** Uniform over [-1, 1] in every slot. One draw per EV and step, present or not, so streams do not depend on stays. */
export function createRandomPolicy(rng: Rng): Policy {
  return {
    name: 'random',
    act(environment, command) {
      for (let i = 0; i < environment.days.count; i++) command[i] = 2 * rng.uniform() - 1;
    },
  };
}
