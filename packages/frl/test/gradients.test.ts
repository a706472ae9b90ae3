import { describe, expect, it } from 'vitest';
import { sampleDays } from '../src/environment/day-batch.ts';
import { createEnvironmentConfig } from '../src/environment/environment-config.ts';
import { observationSize } from '../src/environment/observation.ts';
import type { ActorCritic, Minibatch } from '../src/learner/actor-critic.ts';
import { Adam } from '../src/learner/adam.ts';
import { estimateAdvantages } from '../src/learner/advantage.ts';
import { createLearner } from '../src/learner/learner.ts';
import { collectRollout } from '../src/learner/rollout.ts';
import { loadTfjsActorCritic } from '../src/learner/tfjs/load-tfjs.ts';
import { TypedArrayActorCritic } from '../src/learner/typed-array-actor-critic.ts';
import { initialWeights } from '../src/model/initial-weights.ts';
import { createModelLayout } from '../src/model/model-layout.ts';
import { streamRng } from '../src/rng.ts';
import { runLocalRound } from '../src/training/local-round.ts';

const config = createEnvironmentConfig('sound', { tariff: { serviceFeeCadPerKwh: 0.005 } });
const loss = { clipRange: 0.2, entropyCoefficient: 1e-3 };

/** Real experience of one model, judged by another one nearby, so that some ratios are inside the clip and some outside. */
function experience(hidden: readonly number[]) {
  const layout = createModelLayout(observationSize(config), hidden);
  const behaviour = initialWeights(layout, streamRng(1, 'behaviour'));
  const model = new TypedArrayActorCritic(layout);
  const rng = streamRng(1, 'experience');
  const rollout = collectRollout(model, behaviour, config, sampleDays(config, 5, rng), rng);
  const estimate = estimateAdvantages(rollout, 1, 0.95);
  const batch: Minibatch = {
    count: rollout.count,
    observations: rollout.observations,
    samples: rollout.samples,
    oldLogProbabilities: rollout.logProbabilities,
    ...estimate,
  };
  const moved = behaviour.map((value) => value + 0.05 * rng.normal());
  return { layout, model, batch, moved };
}

function clippedShare(model: ActorCritic, parameters: Float64Array, batch: Minibatch): number {
  const means = new Float64Array(batch.count);
  model.predict(parameters, batch.observations, batch.count, means);
  const logStd = parameters[model.layout.logStdOffset]!;
  const outside = batch.oldLogProbabilities.filter((old, i) => {
    const z = (batch.samples[i]! - means[i]!) / Math.exp(logStd);
    return Math.abs(Math.exp(-0.5 * z * z - logStd - 0.5 * Math.log(2 * Math.PI) - old) - 1) > 0.2;
  });
  return outside.length / batch.count;
}

describe('typed-array gradients', () => {
  it.each([[[5, 3]], [[4, 4]], [[7]]])('agree with finite differences, hidden layers %j', (hidden) => {
    const { model, batch, moved } = experience(hidden);
    const share = clippedShare(model, moved, batch);
    expect(share).toBeGreaterThan(0.05);
    expect(share).toBeLessThan(0.95);
    const { gradient } = model.lossAndGradient(moved, batch, loss);
    const analytic = Float64Array.from(gradient);
    const step = 1e-6;
    for (let i = 0; i < moved.length; i++) {
      const at = (offset: number): number => {
        const shifted = Float64Array.from(moved);
        shifted[i] = moved[i]! + offset;
        const { actorLoss, criticLoss } = model.lossAndGradient(shifted, batch, loss);
        return actorLoss + criticLoss;
      };
      const numeric = (at(step) - at(-step)) / (2 * step);
      const scale = Math.max(1e-3, Math.abs(numeric));
      expect(Math.abs(numeric - analytic[i]!) / scale, `parameter ${i}`).toBeLessThan(1e-4);
    }
  });
});

describe.each(['cpu', 'wasm'] as const)('tfjs on %s', (backend) => {
  it('gives the same losses, outputs and gradients', async () => {
    const { layout, model, batch, moved } = experience([32, 32]);
    const choice = await loadTfjsActorCritic(layout, { preference: ['node', backend] });
    expect(choice.backend).toBe(backend);
    expect(choice.model.backend).toBe(`tfjs-${backend}`);
    expect(choice.refused).toEqual([{ backend: 'node', reason: expect.stringContaining('tfjs-node') }]);
    const own = model.lossAndGradient(moved, batch, loss);
    const theirs = choice.model.lossAndGradient(moved, batch, loss);
    expect(Math.abs(own.actorLoss - theirs.actorLoss)).toBeLessThan(1e-5);
    expect(Math.abs(own.criticLoss / theirs.criticLoss - 1)).toBeLessThan(1e-5);
    for (const { name, offset, length } of layout.tensors) {
      let [difference, size] = [0, 0];
      for (let i = offset; i < offset + length; i++) {
        difference += (own.gradient[i]! - theirs.gradient[i]!) ** 2;
        size += own.gradient[i]! ** 2;
      }
      expect(Math.sqrt(difference / size), name).toBeLessThan(1e-4);
    }
    const [ownMeans, theirMeans, ownValues, theirValues] = Array.from(
      { length: 4 },
      () => new Float64Array(batch.count),
    );
    model.predict(moved, batch.observations, batch.count, ownMeans!, ownValues);
    choice.model.predict(moved, batch.observations, batch.count, theirMeans!, theirValues);
    ownMeans!.forEach((mean, i) => {
      expect(Math.abs(mean - theirMeans![i]!)).toBeLessThan(1e-5);
      expect(Math.abs(ownValues![i]! - theirValues![i]!)).toBeLessThan(1e-5);
    });
  });

  it('learns the same thing from the same round', async () => {
    const { layout, model } = experience([32, 32]);
    const { model: tfjs } = await loadTfjsActorCritic(layout, { preference: [backend] });
    const start = initialWeights(layout, streamRng(2, 'start'));
    const input = { environment: config, seed: 2, ev: 0, round: 1, episodes: 2 };
    const learned = [model, tfjs].map((core) => {
      const learner = createLearner(core, { epochs: 2 });
      learner.setWeights(start);
      runLocalRound(learner, input);
      return Float64Array.from(learner.weights);
    });
    let moved = 0;
    learned[0]!.forEach((value, i) => {
      moved = Math.max(moved, Math.abs(value - start[i]!));
      expect(Math.abs(value - learned[1]![i]!)).toBeLessThan(2e-4);
    });
    expect(moved).toBeGreaterThan(2e-3);
  });
});

describe('backends', () => {
  it('says why none works', async () => {
    const { layout } = experience([4]);
    const loadNative = () => Promise.reject(new Error('libtensorflow is missing'));
    await expect(loadTfjsActorCritic(layout, { preference: ['node'], loadNative })).rejects.toMatchObject({
      code: 'FRL_BACKEND_UNAVAILABLE',
      message: expect.stringContaining('libtensorflow is missing'),
    });
  });

  it('goes on when a native backend registers itself but cannot compute', async () => {
    const tf = await import('@tensorflow/tfjs');
    const { layout } = experience([4]);
    const loadNative = async (): Promise<void> => {
      tf.registerBackend('tensorflow', () => tf.findBackend('cpu'));
    };
    const choice = await loadTfjsActorCritic(layout, { preference: ['node', 'cpu'], loadNative });
    expect(choice.backend).toBe('cpu');
    expect(choice.refused).toEqual([{ backend: 'node', reason: expect.stringContaining('tensorflow') }]);
    tf.removeBackend('tensorflow');
  });
});

describe('Adam', () => {
  it('takes the same steps as tfjs', async () => {
    const tf = await import('@tensorflow/tfjs');
    await tf.setBackend('cpu');
    const optimiser = tf.train.adam(1e-2);
    const variable = tf.variable(tf.tensor1d([1, -2, 0.5]));
    const adam = new Adam(3, 1e-2);
    const parameters = Float64Array.from([1, -2, 0.5]);
    for (let step = 0; step < 20; step++) {
      const gradient = Float64Array.from(parameters, (value, i) => value * (i + 1) + 0.1 * Math.cos(step));
      adam.step(parameters, gradient);
      optimiser.applyGradients([{ name: variable.name, tensor: tf.tensor1d(Float32Array.from(gradient)) }]);
    }
    const theirs = variable.dataSync();
    parameters.forEach((value, i) => {
      expect(Math.abs(value - theirs[i]!)).toBeLessThan(1e-5);
    });
    expect(adam.state[6]).toBe(20);
  });
});
