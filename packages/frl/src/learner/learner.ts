import { FrlError } from '../frl-error.ts';
import type { ModelLayout } from '../model/model-layout.ts';
import type { Rng } from '../rng.ts';
import { shuffleIndexes } from '../rng.ts';
import type { ActorCritic, Minibatch } from './actor-critic.ts';
import { Adam } from './adam.ts';
import { estimateAdvantages } from './advantage.ts';
import { createPpoConfig, type PpoConfig } from './ppo-config.ts';
import type { Rollout } from './rollout.ts';
import { TypedArrayActorCritic } from './typed-array-actor-critic.ts';

/** Means over the gradient steps of one update. */
export interface UpdateReport {
  readonly actorLoss: number;
  readonly criticLoss: number;
  readonly gradientSteps: number;
  readonly logStd: number;
}

/** What trains one EV's model. Weights and optimiser state are plain vectors, whichever backend computes. */
export interface Learner {
  readonly layout: ModelLayout;
  readonly model: ActorCritic;
  /** The current weights; the caller may read but not keep them. */
  readonly weights: Float64Array;
  /** Adam's moments and step count; they stay with the EV. */
  readonly optimizerState: Float64Array;
  /** Replaces the weights by a copy. Throws `FRL_UPDATE_WRONG_LENGTH`. */
  setWeights(weights: Float64Array): void;
  /** Replaces the optimiser state by a copy. Throws `FRL_CHECKPOINT_MISMATCH`. */
  setOptimizerState(state: Float64Array): void;
  /**
   * One PPO update from experience that the current weights have made. A minibatch is a share of the episodes, whole ones,
   * as the batch is counted in episodes too; `rng` shuffles them in each epoch.
   */
  update(rollout: Rollout, rng: Rng): UpdateReport;
  dispose(): void;
}

/** A learner on typed arrays: the default. */
export function createTypedArrayLearner(layout: ModelLayout, config?: Partial<PpoConfig>): Learner {
  return createLearner(new TypedArrayActorCritic(layout), config);
}

/** PPO (section 5) on whichever numerical core `model` is. */
export function createLearner(model: ActorCritic, overrides?: Partial<PpoConfig>): Learner {
  const config = createPpoConfig(overrides);
  const { layout } = model;
  const weights = new Float64Array(layout.parameterCount);
  const adam = new Adam(layout.parameterCount, config.learningRate);

  return {
    layout,
    model,
    weights,
    optimizerState: adam.state,
    setWeights(next) {
      if (next.length !== weights.length) {
        throw new FrlError('FRL_UPDATE_WRONG_LENGTH', `model has ${weights.length} weights, got ${next.length}`, {
          expected: weights.length,
          found: next.length,
        });
      }
      weights.set(next);
    },
    setOptimizerState(next) {
      if (next.length !== adam.state.length) {
        throw new FrlError('FRL_CHECKPOINT_MISMATCH', 'optimiser state belongs to a model of another size', {
          expected: adam.state.length,
          found: next.length,
        });
      }
      adam.state.set(next);
    },
    update(rollout, rng) {
      const estimate = estimateAdvantages(rollout, config.gamma, config.gaeLambda);
      const episodes = rollout.episodeStart.length - 1;
      const order = new Int32Array(episodes);
      let [actorLoss, criticLoss, gradientSteps] = [0, 0, 0];
      for (let epoch = 0; epoch < config.epochs; epoch++) {
        shuffleIndexes(order, episodes, rng);
        for (let part = 0; part < config.minibatches; part++) {
          const from = Math.floor((part * episodes) / config.minibatches);
          const to = Math.floor(((part + 1) * episodes) / config.minibatches);
          const slots = slotsOf(rollout, order.subarray(from, to));
          if (slots.length === 0) continue;
          const batch = gather(rollout, estimate, slots, layout.observationSize);
          const loss = model.lossAndGradient(weights, batch, config);
          clipNorm(loss.gradient, layout.actor.start, layout.actor.end, config.maxGradientNorm);
          clipNorm(loss.gradient, layout.critic.start, layout.critic.end, config.maxGradientNorm);
          adam.step(weights, loss.gradient);
          const logStd = weights[layout.logStdOffset]!;
          weights[layout.logStdOffset] = Math.min(config.maxLogStd, Math.max(config.minLogStd, logStd));
          actorLoss += loss.actorLoss;
          criticLoss += loss.criticLoss;
          gradientSteps++;
        }
      }
      return {
        actorLoss: actorLoss / gradientSteps,
        criticLoss: criticLoss / gradientSteps,
        gradientSteps,
        logStd: weights[layout.logStdOffset]!,
      };
    },
    dispose: () => model.dispose(),
  };
}

/** Indexes of all slots of some episodes, episode after episode. */
function slotsOf({ episodeStart }: Rollout, episodes: Int32Array): Int32Array {
  const slots: number[] = [];
  for (const episode of episodes) {
    for (let slot = episodeStart[episode]!; slot < episodeStart[episode + 1]!; slot++) slots.push(slot);
  }
  return Int32Array.from(slots);
}

function gather(
  rollout: Rollout,
  estimate: { advantages: Float64Array; returns: Float64Array },
  order: Int32Array,
  observationSize: number,
): Minibatch {
  const pick = (values: Float64Array): Float64Array => Float64Array.from(order, (index) => values[index]!);
  const observations = new Float32Array(order.length * observationSize);
  order.forEach((index, row) => {
    for (let i = 0; i < observationSize; i++) {
      observations[row * observationSize + i] = rollout.observations[index * observationSize + i]!;
    }
  });
  return {
    count: order.length,
    observations,
    samples: pick(rollout.samples),
    oldLogProbabilities: pick(rollout.logProbabilities),
    advantages: pick(estimate.advantages),
    returns: pick(estimate.returns),
  };
}

/** Scales `gradient[start, end)` down to `maxNorm`, if it is longer. */
function clipNorm(gradient: Float64Array, start: number, end: number, maxNorm: number): void {
  let squares = 0;
  for (let i = start; i < end; i++) squares += gradient[i]! * gradient[i]!;
  const norm = Math.sqrt(squares);
  if (norm <= maxNorm) return;
  const scale = maxNorm / norm;
  for (let i = start; i < end; i++) gradient[i] = gradient[i]! * scale;
}
