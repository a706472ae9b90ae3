import type * as TensorFlow from '@tensorflow/tfjs';
import type { ModelLayout, NetworkSpec } from '../../model/model-layout.ts';
import {
  type ActorCritic,
  HALF_LOG_TWO_PI,
  type LossAndGradient,
  type LossConfig,
  type Minibatch,
} from '../actor-critic.ts';

/**
 * The actor-critic on tfjs, in float32, differentiated by tfjs itself: the second implementation and the oracle of the
 * hand-written gradients. The loss is written with minimum and maximum only, because the wasm backend has no gradient
 * for `where` and `gather`.
 */
export class TfjsActorCritic implements ActorCritic {
  readonly backend: string;
  readonly layout: ModelLayout;
  private readonly tf: typeof TensorFlow;

  constructor(tf: typeof TensorFlow, backend: string, layout: ModelLayout) {
    this.tf = tf;
    this.backend = backend;
    this.layout = layout;
  }

  predict(
    parameters: Float64Array,
    observations: Float32Array,
    count: number,
    means: Float64Array,
    values?: Float64Array,
  ): void {
    const { tf, layout } = this;
    const run = (network: NetworkSpec, out: Float64Array): void => {
      tf.tidy(() => {
        const output = this.forward(this.tensorsOf(parameters), network, this.rows(observations, count));
        out.set(output.dataSync().subarray(0, count));
      });
    };
    run(layout.actor, means);
    if (values) run(layout.critic, values);
  }

  lossAndGradient(parameters: Float64Array, batch: Minibatch, loss: LossConfig): LossAndGradient {
    const { tf, layout } = this;
    let [actorLoss, criticLoss] = [0, 0];
    const gradient = new Float64Array(layout.parameterCount);
    tf.tidy(() => {
      const observations = this.rows(batch.observations, batch.count);
      const column = (values: Float64Array): TensorFlow.Tensor1D =>
        tf.tensor1d(Float32Array.from(values.subarray(0, batch.count)));
      const [samples, old] = [column(batch.samples), column(batch.oldLogProbabilities)];
      const [advantages, returns] = [column(batch.advantages), column(batch.returns)];
      const objective = (...tensors: TensorFlow.Tensor[]): TensorFlow.Scalar => {
        const logStd = this.pick(tensors, layout.logStdOffset);
        const means = this.forward(tensors, layout.actor, observations);
        const z = tf.mul(tf.sub(samples, means), tf.exp(tf.neg(logStd)));
        const logProbability = tf.sub(tf.mul(-0.5, tf.square(z)), tf.add(logStd, HALF_LOG_TWO_PI));
        const ratio = tf.exp(tf.sub(logProbability, old));
        const clipped = tf.minimum(tf.maximum(ratio, 1 - loss.clipRange), 1 + loss.clipRange);
        const surrogate = tf.mean(tf.minimum(tf.mul(ratio, advantages), tf.mul(clipped, advantages)));
        const entropy = tf.add(tf.sum(logStd), HALF_LOG_TWO_PI + 0.5);
        const actor = tf.neg(tf.add(surrogate, tf.mul(loss.entropyCoefficient, entropy)));
        const errors = tf.sub(this.forward(tensors, layout.critic, observations), returns);
        const critic = tf.mul(0.5, tf.mean(tf.square(errors)));
        actorLoss = actor.dataSync()[0]!;
        criticLoss = critic.dataSync()[0]!;
        return tf.add(actor, critic) as TensorFlow.Scalar;
      };
      const slopes = tf.grads(objective)(this.tensorsOf(parameters));
      layout.tensors.forEach(({ offset }, index) => {
        gradient.set(slopes[index]!.dataSync(), offset);
      });
    });
    return { actorLoss, criticLoss, gradient };
  }

  dispose(): void {}

  private rows(observations: Float32Array, count: number): TensorFlow.Tensor2D {
    const width = this.layout.observationSize;
    return this.tf.tensor2d(observations.slice(0, count * width), [count, width]);
  }

  private tensorsOf(parameters: Float64Array): TensorFlow.Tensor[] {
    return this.layout.tensors.map(({ shape, offset, length }) =>
      this.tf.tensor(Float32Array.from(parameters.subarray(offset, offset + length)), [...shape]),
    );
  }

  private pick(tensors: readonly TensorFlow.Tensor[], offset: number): TensorFlow.Tensor {
    return tensors[this.layout.tensors.findIndex((tensor) => tensor.offset === offset)]!;
  }

  private forward(
    tensors: readonly TensorFlow.Tensor[],
    network: NetworkSpec,
    observations: TensorFlow.Tensor2D,
  ): TensorFlow.Tensor1D {
    const { tf } = this;
    let x = observations;
    network.layers.forEach((layer, index) => {
      const weight = this.pick(tensors, layer.weightOffset) as TensorFlow.Tensor2D;
      const y: TensorFlow.Tensor2D = tf.add(tf.matMul(x, weight, false, true), this.pick(tensors, layer.biasOffset));
      x = index < network.layers.length - 1 ? tf.tanh(y) : y;
    });
    return tf.reshape(x, [x.shape[0]]);
  }
}
