import type { ModelLayout } from '../model/model-layout.ts';

/** Samples of one gradient step. Observations are row-major `count x observationSize`; the rest has one entry each. */
export interface Minibatch {
  readonly count: number;
  readonly observations: Float32Array;
  /** Samples of the Gaussian before the environment clipped them. */
  readonly samples: Float64Array;
  readonly oldLogProbabilities: Float64Array;
  readonly advantages: Float64Array;
  /** What the critic should predict. */
  readonly returns: Float64Array;
}

/** Coefficients of the loss. */
export interface LossConfig {
  readonly clipRange: number;
  readonly entropyCoefficient: number;
}

export interface LossAndGradient {
  /** -mean min(ratio A, clip(ratio) A) - entropyCoefficient x entropy. */
  readonly actorLoss: number;
  /** Half the mean squared error of the value. */
  readonly criticLoss: number;
  /** d(actorLoss + criticLoss) / d parameter, in the model's flat order. Valid until the next call. */
  readonly gradient: Float64Array;
}

/**
 * The numerical core that a learner runs on: forward passes and gradients of one model. Implementations: typed arrays
 * (`TypedArrayActorCritic`, float64) and tfjs (`TfjsActorCritic`, float32).
 */
export interface ActorCritic {
  /** What computes, for logs: `typed-array`, `tfjs-wasm`, ... */
  readonly backend: string;
  readonly layout: ModelLayout;
  /** Mean of the Gaussian of each row, into `means`; value of each row into `values`, if given. */
  predict(
    parameters: Float64Array,
    observations: Float32Array,
    count: number,
    means: Float64Array,
    values?: Float64Array,
  ): void;
  lossAndGradient(parameters: Float64Array, batch: Minibatch, loss: LossConfig): LossAndGradient;
  /** Frees what the backend holds; the object must not be used afterwards. */
  dispose(): void;
}

export const HALF_LOG_TWO_PI = 0.5 * Math.log(2 * Math.PI);
