import type { Rng } from '../rng.ts';
import type { ModelLayout } from './model-layout.ts';

const ACTOR_OUTPUT_SCALE = 0.05;
export const INITIAL_LOG_STD = -0.5;

/**
 * Fresh weights (section 5): N(0, 1/fan_in), the actor's last layer 0.05 times that, biases 0, log-std -0.5. Draws in
 * the order of the flat vector.
 */
export function initialWeights(layout: ModelLayout, rng: Rng): Float64Array {
  const weights = new Float64Array(layout.parameterCount);
  for (const network of [layout.actor, layout.critic]) {
    network.layers.forEach((layer, index) => {
      const isActorOutput = network === layout.actor && index === network.layers.length - 1;
      const scale = (isActorOutput ? ACTOR_OUTPUT_SCALE : 1) / Math.sqrt(layer.inputs);
      for (let i = 0; i < layer.inputs * layer.outputs; i++) weights[layer.weightOffset + i] = scale * rng.normal();
    });
  }
  weights[layout.logStdOffset] = INITIAL_LOG_STD;
  return weights;
}
