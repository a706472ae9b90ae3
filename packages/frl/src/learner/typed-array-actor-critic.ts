import type { ModelLayout } from '../model/model-layout.ts';
import {
  type ActorCritic,
  HALF_LOG_TWO_PI,
  type LossAndGradient,
  type LossConfig,
  type Minibatch,
} from './actor-critic.ts';
import { Network } from './network.ts';

/** Forward and backward passes in plain TypeScript over Float64Array. Same inputs, same bits, on one machine. */
export class TypedArrayActorCritic implements ActorCritic {
  readonly backend = 'typed-array';
  readonly layout: ModelLayout;
  private readonly actor: Network;
  private readonly critic: Network;
  private readonly gradient: Float64Array;
  private outputGradient = new Float64Array(0);

  constructor(layout: ModelLayout) {
    this.layout = layout;
    this.actor = new Network(layout.actor);
    this.critic = new Network(layout.critic);
    this.gradient = new Float64Array(layout.parameterCount);
  }

  predict(
    parameters: Float64Array,
    observations: Float32Array,
    count: number,
    means: Float64Array,
    values?: Float64Array,
  ): void {
    const actorOutput = this.actor.forward(parameters, observations, count);
    for (let i = 0; i < count; i++) means[i] = actorOutput[i]!;
    if (!values) return;
    const criticOutput = this.critic.forward(parameters, observations, count);
    for (let i = 0; i < count; i++) values[i] = criticOutput[i]!;
  }

  lossAndGradient(parameters: Float64Array, batch: Minibatch, loss: LossConfig): LossAndGradient {
    this.gradient.fill(0);
    if (this.outputGradient.length < batch.count) this.outputGradient = new Float64Array(batch.count);
    const actorLoss = this.actorGradient(parameters, batch, loss);
    const criticLoss = this.criticGradient(parameters, batch);
    return { actorLoss, criticLoss, gradient: this.gradient };
  }

  dispose(): void {}

  private actorGradient(parameters: Float64Array, batch: Minibatch, loss: LossConfig): number {
    const { count, samples, oldLogProbabilities, advantages } = batch;
    const means = this.actor.forward(parameters, batch.observations, count);
    const logStd = parameters[this.layout.logStdOffset]!;
    const inverseStd = Math.exp(-logStd);
    const [lowest, highest] = [1 - loss.clipRange, 1 + loss.clipRange];
    let total = 0;
    let logStdGradient = 0;
    for (let i = 0; i < count; i++) {
      const z = (samples[i]! - means[i]!) * inverseStd;
      const ratio = Math.exp(-0.5 * z * z - logStd - HALF_LOG_TWO_PI - oldLogProbabilities[i]!);
      const advantage = advantages[i]!;
      const unclipped = ratio * advantage;
      const clipped = Math.min(highest, Math.max(lowest, ratio)) * advantage;
      total -= Math.min(unclipped, clipped);
      // Where the clipped term is the smaller one the objective is flat.
      const slope = unclipped <= clipped ? -unclipped / count : 0;
      this.outputGradient[i] = slope * z * inverseStd;
      logStdGradient += slope * (z * z - 1);
    }
    this.actor.backward(parameters, this.outputGradient, count, this.gradient);
    const entropy = logStd + HALF_LOG_TWO_PI + 0.5;
    this.gradient[this.layout.logStdOffset] = logStdGradient - loss.entropyCoefficient;
    return total / count - loss.entropyCoefficient * entropy;
  }

  private criticGradient(parameters: Float64Array, batch: Minibatch): number {
    const { count, returns } = batch;
    const values = this.critic.forward(parameters, batch.observations, count);
    let total = 0;
    for (let i = 0; i < count; i++) {
      const error = values[i]! - returns[i]!;
      total += error * error;
      this.outputGradient[i] = error / count;
    }
    this.critic.backward(parameters, this.outputGradient, count, this.gradient);
    return total / (2 * count);
  }
}
