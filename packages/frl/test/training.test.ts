import { describe, expect, it } from 'vitest';
import { createEnvironmentConfig } from '../src/environment/environment-config.ts';
import { createTypedArrayLearner } from '../src/learner/learner.ts';
import { createPpoConfig } from '../src/learner/ppo-config.ts';
import { initialWeights } from '../src/model/initial-weights.ts';
import { encodeSafetensors } from '../src/model/safetensors.ts';
import { streamRng } from '../src/rng.ts';
import { runLocalRound } from '../src/training/local-round.ts';
import { type RoundProgress, train, trainingLayout } from '../src/training/train.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../src/training/training-checkpoint.ts';
import type { TrainingConfig } from '../src/training/training-config.ts';
import { trainingFingerprint } from '../src/training/training-config.ts';

const paper = createEnvironmentConfig('paper');
const code = (name: string) => expect.objectContaining({ code: name });

const small = (changes: Partial<TrainingConfig> = {}): TrainingConfig => ({
  seed: 1,
  mode: 'federated',
  environments: [paper, paper, paper],
  rounds: 4,
  episodesPerRound: 2,
  hidden: [6],
  aggregation: { name: 'mean' },
  evaluation: { everyRounds: 0, days: 5, seed: 'test' },
  ...changes,
});

const run = (config: TrainingConfig): RoundProgress[] => [...train(config)];
const last = (config: TrainingConfig): RoundProgress => run(config).at(-1)!;

describe.each(['local', 'federated', 'centralised'] as const)('%s training', (mode) => {
  it('gives the same bytes for the same seed, others for another', () => {
    const hashes = [small({ mode }), small({ mode }), small({ mode, seed: 2 })].map((config) => last(config).modelHash);
    expect(hashes[0]).toBe(hashes[1]);
    expect(hashes[0]).not.toBe(hashes[2]);
  });

  it('goes on from a checkpoint as if it had never stopped', () => {
    const config = small({ mode });
    const whole = last(config);
    const half = last({ ...config, rounds: 2 }).checkpoint();
    expect(half.round).toBe(2);
    expect(() => run(config)[1]!.checkpoint()).toThrowError(code('FRL_INVALID_INPUT'));
    const resumed = [...train(config, { resume: decodeCheckpoint(encodeCheckpoint(half)) })];
    expect(resumed.map(({ round }) => round)).toEqual([3, 4]);
    expect(encodeCheckpoint(resumed.at(-1)!.checkpoint())).toEqual(encodeCheckpoint(whole.checkpoint()));
  });
});

describe('modes', () => {
  it('one federated EV under the mean is a local EV, and centralised training of one too', () => {
    const weights = (['local', 'federated', 'centralised'] as const).map(
      (mode) => last(small({ mode, environments: [paper] })).checkpoint().models[0]!,
    );
    // G + (w - G) rounds, so equal to the last digits only.
    weights[0]!.forEach((value, i) => {
      expect(Math.abs(weights[1]![i]! - value)).toBeLessThan(1e-9);
      expect(weights[2]![i]).toBe(value);
    });
  });

  it('averages: the shared model is the mean of what the EVs learned alone from it', () => {
    const config = small({ rounds: 1 });
    const alone = last({ ...config, mode: 'local' }).checkpoint().models;
    const shared = last(config).checkpoint().models[0]!;
    shared.forEach((value, i) => {
      expect(Math.abs(value - (alone[0]![i]! + alone[1]![i]! + alone[2]![i]!) / 3)).toBeLessThan(1e-12);
    });
    expect(alone[0]).not.toEqual(alone[1]);
  });

  it('pools the days of all EVs when centralised', () => {
    const progress = last(small({ mode: 'centralised' }));
    const federated = last(small());
    expect(progress.reports).toHaveLength(1);
    expect(progress.reports[0]!.steps).toBe(federated.reports.reduce((sum, report) => sum + report.steps, 0));
  });
});

describe('learning', () => {
  it('reaches more than four fifths of the oracle in 60 rounds of one EV', () => {
    const config = small({
      mode: 'local',
      environments: [paper],
      rounds: 60,
      episodesPerRound: 16,
      hidden: [32, 32],
      evaluation: { everyRounds: 60, days: 60, seed: 'test' },
    });
    const [evaluation] = last(config).evaluations;
    expect(evaluation!.shapedGain).toBeGreaterThan(0.8);
    expect(evaluation!.shapedGain).toBeLessThan(1.01);
    expect(evaluation!.regret).toBeGreaterThan(0);
    expect(evaluation!.policy).toBe('learned');
  });

  it('evaluates each distinct world once when the model is shared, each EV when it is not', () => {
    const uniform = createEnvironmentConfig('paper', { tariff: { distribution: 'UD' } });
    const config = small({
      environments: [uniform, paper, paper],
      rounds: 2,
      evaluation: { everyRounds: 2, days: 3, seed: 'test' },
    });
    const rounds = run(config);
    expect(rounds.map(({ evaluations }) => evaluations.map(({ ev }) => ev))).toEqual([[], [0, 1]]);
    expect(last({ ...config, mode: 'local' }).evaluations.map(({ ev }) => ev)).toEqual([0, 1, 2]);
  });
});

describe('poisoning', () => {
  const environments = Array(7).fill(paper) as (typeof paper)[];
  const poisoning = { members: [0], attack: { kind: 'sign-flip', factor: 1e4 } } as const;

  it('drags the mean away and leaves multi-Krum where it was', () => {
    const size = (config: TrainingConfig): number => Math.hypot(...last(config).checkpoint().models[0]!);
    const honest = size(small({ environments, rounds: 2 }));
    expect(size(small({ environments, rounds: 2, poisoning }))).toBeGreaterThan(10 * honest);
    const robust = small({ environments, rounds: 2, poisoning, aggregation: { name: 'multikrum', f: 2 } });
    expect(Math.abs(size(robust) / honest - 1)).toBeLessThan(0.1);
  });

  it('names an update that is not finite and goes on without it', () => {
    const attack = { kind: 'sign-flip', factor: Number.POSITIVE_INFINITY } as const;
    const rounds = run(small({ rounds: 2, poisoning: { members: [1], attack } }));
    for (const { refused, aggregated } of rounds) {
      expect(refused).toEqual([{ ev: 1, code: 'FRL_UPDATE_NON_FINITE' }]);
      expect(aggregated).toBe(true);
    }
  });

  it('keeps the model when refusals leave too few updates for the rule', () => {
    const attack = { kind: 'sign-flip', factor: Number.POSITIVE_INFINITY } as const;
    const config = small({
      environments: environments.slice(0, 5),
      rounds: 1,
      aggregation: { name: 'krum', f: 1 },
      poisoning: { members: [1], attack },
    });
    const progress = last(config);
    expect(progress.aggregated).toBe(false);
    expect(progress.checkpoint().models[0]).toEqual(
      initialWeights(trainingLayout(config), streamRng(config.seed, 'initial-weights')),
    );
  });

  it('refuses a rule that the number of EVs can never satisfy', () => {
    expect(() => run(small({ aggregation: { name: 'krum', f: 3 } }))).toThrowError(code('FRL_TOO_FEW_UPDATES'));
  });
});

describe('a round in a worker', () => {
  it('is decided by weights, optimiser state, seed, EV and round alone', () => {
    const layout = trainingLayout(small());
    const play = (round: number): Float64Array => {
      const learner = createTypedArrayLearner(layout);
      learner.setWeights(initialWeights(layout, streamRng(1, 'start')));
      learner.setOptimizerState(new Float64Array(2 * layout.parameterCount + 1));
      runLocalRound(learner, { environment: paper, seed: 3, ev: 1, round, episodes: 2 });
      return learner.weights;
    };
    expect(play(5)).toEqual(play(5));
    expect(play(5)).not.toEqual(play(6));
  });

  it('refuses weights and optimiser state of another model', () => {
    const learner = createTypedArrayLearner(trainingLayout(small()));
    expect(() => learner.setWeights(new Float64Array(3))).toThrowError(code('FRL_UPDATE_WRONG_LENGTH'));
    expect(() => learner.setOptimizerState(new Float64Array(3))).toThrowError(code('FRL_CHECKPOINT_MISMATCH'));
  });
});

describe('checkpoints', () => {
  const config = small();
  const checkpoint = last({ ...config, rounds: 1 }).checkpoint();

  it('belong to one configuration, whatever its length and evaluation', () => {
    expect(trainingFingerprint({ ...config, rounds: 99 })).toBe(trainingFingerprint(config));
    const other = { ...config, aggregation: { name: 'median' } as const };
    expect(() => [...train(other, { resume: checkpoint })]).toThrowError(code('FRL_CHECKPOINT_MISMATCH'));
  });

  it('have as many models and moments as the run, of its size', () => {
    const [first] = checkpoint.models as [Float64Array];
    for (const other of [
      { ...checkpoint, models: [first, first] },
      { ...checkpoint, models: [first.subarray(1)] },
      { ...checkpoint, optimizerStates: checkpoint.optimizerStates.slice(1) },
      { ...checkpoint, optimizerStates: checkpoint.optimizerStates.map((state) => state.subarray(1)) },
    ])
      expect(() => [...train(config, { resume: other })]).toThrowError(code('FRL_CHECKPOINT_MISMATCH'));
  });

  it('refuse other safetensors files', () => {
    const file = encodeSafetensors({ tensors: [{ name: 'x', shape: [1], values: Float64Array.of(1) }], metadata: {} });
    expect(() => decodeCheckpoint(file)).toThrowError(code('FRL_CHECKPOINT_MISMATCH'));
  });
});

describe('configurations that cannot be trained', () => {
  it.each([
    ['no EV', { environments: [] }],
    ['no round', { rounds: 0 }],
    ['half an episode', { episodesPerRound: 0.5 }],
    ['negative evaluation period', { evaluation: { everyRounds: -1, days: 5, seed: 0 } }],
    [
      'different features',
      { environments: [paper, createEnvironmentConfig('paper', { observation: { observeRangeAnxiety: true } })] },
    ],
    ['poisoned local training', { mode: 'local', poisoning: { members: [0], attack: { kind: 'noise', sd: 1 } } }],
    ['negative learning rate', { ppo: { learningRate: -1 } }],
  ] as [string, Partial<TrainingConfig>][])('%s', (_what, changes) => {
    expect(() => run(small(changes))).toThrowError(code('FRL_INVALID_CONFIG'));
  });

  it.each([{ clipRange: 0 }, { epochs: 0 }, { minibatches: 1.5 }, { gaeLambda: 2 }, { minLogStd: 1 }])(
    'PPO %j',
    (ppo) => {
      expect(() => createPpoConfig(ppo)).toThrowError(code('FRL_INVALID_CONFIG'));
    },
  );
});
