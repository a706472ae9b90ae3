import { sampleDays } from '../environment/day-batch.ts';
import type { EnvironmentConfig } from '../environment/environment-config.ts';
import { observationSize } from '../environment/observation.ts';
import { aggregateModels, type ModelSubmission, validateSubmission } from '../federation/aggregate-models.ts';
import { poisonUpdates } from '../federation/attack.ts';
import { FrlError, type FrlErrorCode, requireInput } from '../frl-error.ts';
import type { ActorCritic } from '../learner/actor-critic.ts';
import { createLearner, type Learner } from '../learner/learner.ts';
import { collectRollout, poolRollouts } from '../learner/rollout.ts';
import { TypedArrayActorCritic } from '../learner/typed-array-actor-critic.ts';
import { initialWeights } from '../model/initial-weights.ts';
import { modelHash } from '../model/model-codec.ts';
import { createModelLayout, type ModelLayout } from '../model/model-layout.ts';
import { createLearnedPolicy } from '../policy/learned-policy.ts';
import { streamRng } from '../rng.ts';
import { createEvaluation, type Evaluation, type EvaluationSummary } from './evaluation.ts';
import { type LocalRoundReport, runLocalRound } from './local-round.ts';
import type { TrainingCheckpoint } from './training-checkpoint.ts';
import { type TrainingConfig, trainingFingerprint, validateTrainingConfig } from './training-config.ts';

/** An evaluation of the model that EV `ev` uses, in EV `ev`'s world. */
export interface EvaluationPoint extends EvaluationSummary {
  readonly ev: number;
}

export interface RefusedUpdate {
  readonly ev: number;
  readonly code: FrlErrorCode;
}

/** What happened in one round. */
export interface RoundProgress {
  /** Rounds completed, from 1. */
  readonly round: number;
  readonly rounds: number;
  /** Episodes that each EV has played so far. */
  readonly episodesPerEv: number;
  readonly reports: readonly LocalRoundReport[];
  /** Updates left out because they were malformed. */
  readonly refused: readonly RefusedUpdate[];
  /** False when too few updates were left for the rule and the model stayed as it was. */
  readonly aggregated: boolean;
  /** Of the shared model; in local training of EV 0's. */
  readonly modelHash: string;
  /** One per distinct world (local training: one per EV), in rounds that evaluate; else empty. */
  readonly evaluations: readonly EvaluationPoint[];
  /** State after this round. Throws `FRL_INVALID_INPUT` once the next round has been played. */
  checkpoint(): TrainingCheckpoint;
}

export interface TrainingOptions {
  /** Numerical core; default typed arrays. Its layout must be that of `trainingLayout(config)`. */
  readonly model?: ActorCritic;
  /** Go on from here. Throws `FRL_CHECKPOINT_MISMATCH` if it belongs to another configuration. */
  readonly resume?: TrainingCheckpoint;
}

/** The model layout of a configuration. */
export function trainingLayout(config: TrainingConfig): ModelLayout {
  return createModelLayout(observationSize(config.environments[0] as EnvironmentConfig), config.hidden);
}

/**
 * Trains round by round and yields after each; stop by not asking for more, go on with `resume`. Pure: the same
 * configuration gives the same bytes, resumed or not. Throws `FRL_INVALID_CONFIG`, `FRL_CHECKPOINT_MISMATCH`.
 */
export function* train(config: TrainingConfig, options: TrainingOptions = {}): Generator<RoundProgress, void> {
  validateTrainingConfig(config);
  const run = startRun(config, options);
  const evaluations = new Map<string, Evaluation>();
  let current = options.resume?.round ?? 0;
  for (let round = (options.resume?.round ?? 0) + 1; round <= config.rounds; round++) {
    current = round;
    const outcome = playRound(run, round);
    const { everyRounds } = config.evaluation;
    const evaluates = everyRounds > 0 && (round % everyRounds === 0 || round === config.rounds);
    yield {
      round,
      rounds: config.rounds,
      episodesPerEv: round * config.episodesPerRound,
      ...outcome,
      modelHash: modelHash(run.models[0] as Float64Array),
      evaluations: evaluates ? evaluateRun(run, evaluations) : [],
      checkpoint: () => {
        requireInput(current === round, 'ask for the checkpoint of a round before the next round', { round, current });
        return {
          round,
          fingerprint: run.fingerprint,
          models: run.models.map((weights) => Float64Array.from(weights)),
          optimizerStates: run.learners.map((learner) => Float64Array.from(learner.optimizerState)),
        };
      },
    };
  }
}

interface TrainingRun {
  readonly config: TrainingConfig;
  readonly fingerprint: string;
  readonly learners: readonly Learner[];
  /** Local: one per EV. Otherwise the shared model alone. */
  readonly models: Float64Array[];
}

function startRun(config: TrainingConfig, options: TrainingOptions): TrainingRun {
  const { mode, environments, seed, ppo } = config;
  const layout = trainingLayout(config);
  const model = options.model ?? new TypedArrayActorCritic(layout);
  const learnerCount = mode === 'centralised' ? 1 : environments.length;
  const learners = Array.from({ length: learnerCount }, () => createLearner(model, ppo));
  const modelCount = mode === 'local' ? environments.length : 1;
  // Every EV starts from the same weights in every mode, so that modes differ in nothing but who learns from whom.
  const models = Array.from({ length: modelCount }, () => initialWeights(layout, streamRng(seed, 'initial-weights')));
  const fingerprint = trainingFingerprint(config);
  const { resume } = options;
  if (resume) {
    const isOfThisShape =
      resume.models.length === modelCount &&
      resume.models.every((weights) => weights.length === layout.parameterCount) &&
      resume.optimizerStates.length === learnerCount;
    if (resume.fingerprint !== fingerprint || !isOfThisShape) {
      throw new FrlError('FRL_CHECKPOINT_MISMATCH', 'the checkpoint belongs to a run with another configuration', {
        expected: fingerprint,
        found: resume.fingerprint,
      });
    }
    resume.models.forEach((weights, index) => {
      models[index] = Float64Array.from(weights);
    });
    learners.forEach((learner, index) => {
      learner.setOptimizerState(resume.optimizerStates[index] as Float64Array);
    });
  }
  return { config, fingerprint, learners, models };
}

type RoundOutcome = Pick<RoundProgress, 'reports' | 'refused' | 'aggregated'>;

function playRound(run: TrainingRun, round: number): RoundOutcome {
  const { config, learners, models } = run;
  if (config.mode === 'centralised') return playCentralisedRound(run, round);
  const reports = learners.map((learner, ev) => {
    learner.setWeights(models[config.mode === 'local' ? ev : 0] as Float64Array);
    return runLocalRound(learner, {
      environment: config.environments[ev] as EnvironmentConfig,
      seed: config.seed,
      ev,
      round,
      episodes: config.episodesPerRound,
    });
  });
  if (config.mode === 'local') {
    learners.forEach((learner, ev) => {
      models[ev] = Float64Array.from(learner.weights);
    });
    return { reports, refused: [], aggregated: false };
  }
  return { reports, ...aggregateRound(run, round) };
}

function aggregateRound(run: TrainingRun, round: number): Pick<RoundProgress, 'refused' | 'aggregated'> {
  const { config, learners, models } = run;
  const global = models[0] as Float64Array;
  let sent = learners.map((learner) => Float64Array.from(learner.weights));
  if (config.poisoning) {
    const updates = sent.map((weights) => weights.map((value, i) => value - global[i]!));
    const { members, attack } = config.poisoning;
    const poisoned = poisonUpdates(updates, members, attack, streamRng(config.seed, 'attack', round));
    sent = poisoned.map((update, ev) =>
      update === updates[ev] ? sent[ev]! : update.map((value, i) => global[i]! + value),
    );
  }
  const refused: RefusedUpdate[] = [];
  const submissions: ModelSubmission[] = [];
  sent.forEach((weights, ev) => {
    try {
      validateSubmission(weights, global.length, ev);
      submissions.push({ rank: ev, weights });
    } catch (error) {
      if (!(error instanceof FrlError)) throw error;
      refused.push({ ev, code: error.code });
    }
  });
  try {
    models[0] = aggregateModels(global, submissions, config.aggregation).weights;
    return { refused, aggregated: true };
  } catch (error) {
    if (error instanceof FrlError && error.code === 'FRL_TOO_FEW_UPDATES' && refused.length > 0) {
      return { refused, aggregated: false };
    }
    throw error;
  }
}

/** One learner on everybody's days: with equal worlds, N times the episodes in one update. */
function playCentralisedRound(run: TrainingRun, round: number): RoundOutcome {
  const { config, models } = run;
  const learner = run.learners[0] as Learner;
  learner.setWeights(models[0] as Float64Array);
  const rollouts = config.environments.map((environment, ev) =>
    collectRollout(
      learner.model,
      learner.weights,
      environment,
      sampleDays(environment, config.episodesPerRound, streamRng(config.seed, 'days', ev, round)),
      streamRng(config.seed, 'actions', ev, round),
    ),
  );
  const pooled = poolRollouts(rollouts);
  const report = learner.update(pooled, streamRng(config.seed, 'minibatches', 0, round));
  models[0] = Float64Array.from(learner.weights);
  const totalReturn = pooled.rewards.reduce((sum, reward) => sum + reward, 0);
  const episodes = config.environments.length * config.episodesPerRound;
  return {
    reports: [{ ...report, steps: pooled.count, meanReturn: totalReturn / episodes }],
    refused: [],
    aggregated: false,
  };
}

function evaluateRun(run: TrainingRun, cache: Map<string, Evaluation>): EvaluationPoint[] {
  const { config, models, learners } = run;
  const seen = new Set<string>();
  return config.environments.flatMap((environment, ev) => {
    const key = JSON.stringify(environment);
    if (config.mode !== 'local' && seen.has(key)) return [];
    seen.add(key);
    let evaluation = cache.get(key);
    if (!evaluation) {
      const { days, seed } = config.evaluation;
      evaluation = createEvaluation(environment, { days, seed });
      cache.set(key, evaluation);
    }
    const weights = models[config.mode === 'local' ? ev : 0] as Float64Array;
    return [{ ev, ...evaluation.evaluate(createLearnedPolicy((learners[0] as Learner).model, weights)) }];
  });
}
