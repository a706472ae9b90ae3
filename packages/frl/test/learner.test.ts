import { describe, expect, it } from 'vitest';
import { BatchEnvironment } from '../src/environment/batch-environment.ts';
import { sampleDays } from '../src/environment/day-batch.ts';
import { createEnvironmentConfig } from '../src/environment/environment-config.ts';
import { observationSize, observe } from '../src/environment/observation.ts';
import type { ActorCritic, Minibatch } from '../src/learner/actor-critic.ts';
import { estimateAdvantages } from '../src/learner/advantage.ts';
import { createLearner } from '../src/learner/learner.ts';
import { collectRollout, poolRollouts, type Rollout } from '../src/learner/rollout.ts';
import { TypedArrayActorCritic } from '../src/learner/typed-array-actor-critic.ts';
import { initialWeights } from '../src/model/initial-weights.ts';
import { createModelLayout } from '../src/model/model-layout.ts';
import { streamRng } from '../src/rng.ts';

const config = createEnvironmentConfig('paper');
const layout = createModelLayout(observationSize(config), [5]);

/** Experience without a world: only what advantages need. */
function madeUp(rewards: number[], values: number[], episodeStart: number[]): Rollout {
  return {
    count: rewards.length,
    episodeStart: Int32Array.from(episodeStart),
    observations: Float32Array.from({ length: rewards.length * layout.observationSize }, (_, i) => i),
    samples: Float64Array.from(rewards.keys()),
    logProbabilities: new Float64Array(rewards.length),
    values: Float64Array.from(values),
    rewards: Float64Array.from(rewards),
  };
}

describe('advantages', () => {
  it('follow the recursion by hand, within each episode', () => {
    const { advantages, returns } = estimateAdvantages(madeUp([1, 2, -1], [0.5, 0.25, 0], [0, 2, 3]), 0.9, 0.8);
    // Surprises 0.725 and 1.75; 0.725 + 0.72 * 1.75 = 1.985. The second episode has nothing after it.
    const raw = [1.985, 1.75, -1];
    [2.485, 2, -1].forEach((value, i) => {
      expect(returns[i]).toBeCloseTo(value, 12);
    });
    const mean = raw.reduce((sum, value) => sum + value, 0) / 3;
    const sd = Math.sqrt(raw.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 3);
    raw.forEach((value, i) => {
      expect(advantages[i]).toBeCloseTo((value - mean) / sd, 6);
    });
  });
});

describe('rollout', () => {
  const days = sampleDays(config, 6, streamRng(1, 'days'));
  const weights = initialWeights(layout, streamRng(1, 'weights'));
  const model = new TypedArrayActorCritic(layout);
  const rollout = collectRollout(model, weights, config, days, streamRng(1, 'actions'));

  it('holds every slot of every stay, with the reward of its own action', () => {
    const environment = new BatchEnvironment(config, days);
    const rows = new Float32Array(days.count * layout.observationSize);
    let slots = 0;
    for (let step = 0; ; step++) {
      observe(environment, rows);
      const command = Array.from(
        { length: days.count },
        (_, i) => rollout.samples[rollout.episodeStart[i]! + step] ?? 0,
      );
      if (environment.step(command) === 0) break;
      for (let i = 0; i < days.count; i++) {
        if (!environment.active[i]) continue;
        const at = rollout.episodeStart[i]! + step;
        const width = layout.observationSize;
        expect(rollout.rewards[at]).toBe(environment.shapedReward[i]);
        expect(rollout.observations.subarray(at * width, (at + 1) * width)).toEqual(
          rows.subarray(i * width, (i + 1) * width),
        );
        slots++;
      }
    }
    expect(rollout.count).toBe(slots);
    expect(rollout.episodeStart.at(-1)).toBe(slots);
  });

  it('draws one normal per slot and records its unclipped probability', () => {
    const means = new Float64Array(rollout.count);
    model.predict(weights, rollout.observations, rollout.count, means);
    const std = Math.exp(-0.5);
    const z = rollout.samples.map((sample, i) => (sample - means[i]!) / std);
    rollout.logProbabilities.forEach((value, i) => {
      expect(value).toBeCloseTo(-0.5 * z[i]! ** 2 + 0.5 - 0.5 * Math.log(2 * Math.PI), 9);
    });
    const rng = streamRng(1, 'actions');
    const drawn = Float64Array.from({ length: rollout.count }, () => rng.normal()).sort();
    z.sort().forEach((value, i) => {
      expect(value).toBeCloseTo(drawn[i]!, 9);
    });
    expect(rollout.samples.some((sample) => Math.abs(sample) > 1)).toBe(true);
  });

  it('pools end to end', () => {
    const other = madeUp([7, 8], [1, 1], [0, 1, 2]);
    const pooled = poolRollouts([rollout, other]);
    expect(pooled.count).toBe(rollout.count + 2);
    expect([...pooled.episodeStart].slice(-3)).toEqual([rollout.count, rollout.count + 1, rollout.count + 2]);
    expect([...pooled.rewards].slice(-2)).toEqual([7, 8]);
    expect(pooled.observations.length).toBe(pooled.count * layout.observationSize);
  });
});

describe('PPO update', () => {
  /** A core that returns a given gradient and remembers what it was asked. */
  function recorder(gradientValue: number): { model: ActorCritic; batches: Minibatch[] } {
    const batches: Minibatch[] = [];
    const model: ActorCritic = {
      backend: 'recorder',
      layout,
      predict: () => undefined,
      lossAndGradient: (_parameters, batch) => {
        batches.push(batch);
        return { actorLoss: 1, criticLoss: 2, gradient: new Float64Array(layout.parameterCount).fill(gradientValue) };
      },
      dispose: () => undefined,
    };
    return { model, batches };
  }
  const seven = madeUp([1, 2, 3, 4, 5, 6, 7], [0, 0, 0, 0, 0, 0, 0], [0, 3, 7]);

  it('shows every slot once per epoch, in two minibatches of whole episodes, other ones each time', () => {
    // Five episodes, of 1 to 5 slots.
    const starts = [0, 1, 3, 6, 10, 15];
    const slots = Array.from({ length: 15 }, (_, k) => k);
    const five = madeUp(
      slots.map((k) => k + 1),
      slots.map(() => 0),
      starts,
    );
    const { model, batches } = recorder(0);
    const report = createLearner(model, { epochs: 3 }).update(five, streamRng(1));
    expect(report).toMatchObject({ gradientSteps: 6, actorLoss: 1, criticLoss: 2 });
    const episodesIn = ({ samples }: Minibatch): number[] => {
      const found = starts.flatMap((start, k) => (k < 5 && samples.includes(start) ? [k] : []));
      const expected = found.flatMap((k) => slots.slice(starts[k], starts[k + 1]));
      expect([...samples].sort((a, b) => a - b)).toEqual(expected);
      return found;
    };
    const parts = batches.map(episodesIn);
    expect(parts.map(({ length }) => length)).toEqual([2, 3, 2, 3, 2, 3]);
    for (const k of [0, 2, 4]) expect([...parts[k]!, ...parts[k + 1]!].sort()).toEqual([0, 1, 2, 3, 4]);
    expect(new Set(parts.map(String)).size).toBeGreaterThan(2);
    const [first] = batches;
    expect(first!.observations[0]).toBe(first!.samples[0]! * layout.observationSize);
    expect(first!.returns[0]).toBeGreaterThan(0);
  });

  it('makes one step an epoch of a single episode, which is all in one minibatch', () => {
    const { model, batches } = recorder(0);
    const report = createLearner(model, { epochs: 3 }).update(madeUp([1, 2, 3], [0, 0, 0], [0, 3]), streamRng(1));
    expect(report.gradientSteps).toBe(3);
    expect(batches.map(({ count }) => count)).toEqual([3, 3, 3]);
  });

  it('limits the gradient norm of actor and critic each', () => {
    const { model } = recorder(3);
    const learner = createLearner(model, { epochs: 1, minibatches: 1 });
    learner.update(seven, streamRng(1));
    for (const { start, end } of [layout.actor, layout.critic]) {
      expect(Math.hypot(...learner.optimizerState.subarray(start, end))).toBeCloseTo(0.1 * 0.5, 12);
    }
    const { model: small } = recorder(1e-3);
    const gentle = createLearner(small, { epochs: 1, minibatches: 1 });
    gentle.update(seven, streamRng(1));
    expect(gentle.optimizerState[0]).toBeCloseTo(1e-4, 12);
  });

  it.each([
    [1, -2.5],
    [-1, 0.3],
  ])('keeps the log standard deviation in its range, gradient %d', (gradient, expected) => {
    const { model } = recorder(gradient);
    const learner = createLearner(model, { learningRate: 10, epochs: 1 });
    expect(learner.update(seven, streamRng(1)).logStd).toBe(expected);
  });
});
