import { existsSync } from 'node:fs';
import {
  createEnvironmentConfig,
  createEvaluationOfDays,
  createLearnedPolicy,
  createOraclePolicy,
  createRandomPolicy,
  type DayBatch,
  type EnvironmentConfig,
  type Evaluation,
  type EvaluationSummary,
  idlePolicy,
  type ModelFile,
  modelHash,
  observationSize,
  type Policy,
  readModelFile,
  rulePolicy,
  streamRng,
  TypedArrayActorCritic,
  uncontrolledPolicy,
} from '@wattmesh/frl';
import { readDataFile } from '../homes/home-file.ts';
import { LearningError } from './errors.ts';
import { type EvaluationDays, evaluationDays } from './evaluation-days.ts';

/** Policies that need no model. */
export const POLICIES = ['oracle', 'oracle-shaped', 'rule', 'idle', 'random', 'uncontrolled'] as const;
type PolicyName = (typeof POLICIES)[number];

export interface EvaluateOptions {
  /** Names of policies and paths of models. */
  readonly what: readonly string[];
  /** World; what is left out is as the first model's file says, else `sound`, winter, normal prices, 10 CAD. */
  readonly preset?: 'paper' | 'sound' | undefined;
  readonly calendar: 'winter' | 'summer';
  readonly prices: 'ND' | 'UD';
  readonly rangeAnxietyCad: number;
  readonly days: number;
  readonly seed: string;
  readonly sessions?: string | undefined;
  readonly zone: string;
  readonly rates?: string | undefined;
}

/** One policy on the days: means over EV-days, money in CAD, gains as shares. */
export interface EvaluatedPolicy extends EvaluationSummary {
  /** Of a model; null of a policy without one. */
  readonly modelHash: string | null;
}

export interface EvaluationReport {
  readonly preset: 'paper' | 'sound';
  readonly days: number;
  readonly remarks: readonly string[];
  readonly dataHashes: EvaluationDays['dataHashes'];
  readonly policies: readonly EvaluatedPolicy[];
}

/**
 * Plays every policy on the same days.
 * @throws LearningError EVALUATE_...; FrlError FRL_MODEL_... when a file holds no model
 */
export async function evaluatePolicies(options: EvaluateOptions): Promise<EvaluationReport> {
  const models = new Map<string, ModelFile>();
  for (const one of options.what) {
    if (isPolicy(one)) continue;
    if (!existsSync(one))
      throw new LearningError(
        'EVALUATE_UNKNOWN_POLICY',
        `${one} is neither a policy (${POLICIES.join(', ')}) nor a file with a model`,
      );
    models.set(one, readModelFile(await readDataFile(one)));
  }
  const preset = options.preset ?? presetOf([...models.values()][0]);
  const base = worldOfModel(preset, options, undefined);
  const { days, remarks, dataHashes } = await evaluationDays(base, options);
  // A model is told what it was trained to see; days and references are the same for all.
  const evaluations = new Map<string, Evaluation>();
  const evaluationOf = (config: EnvironmentConfig): Evaluation => {
    const key = JSON.stringify(config);
    const known = evaluations.get(key) ?? createEvaluationOfDays(config, days);
    evaluations.set(key, known);
    return known;
  };
  const policies = options.what.map((name): EvaluatedPolicy => {
    const file = models.get(name);
    if (file === undefined) {
      const policy = policyOf(name as PolicyName, base, days, options.seed);
      return { ...evaluationOf(base).evaluate(policy), policy: name, modelHash: null };
    }
    const world = worldOfModel(preset, options, file);
    if (observationSize(world) !== file.layout.observationSize)
      throw new LearningError(
        'EVALUATE_WRONG_WORLD',
        `${name} observes ${file.layout.observationSize} features, an EV of this world has ${observationSize(world)}`,
      );
    const policy = createLearnedPolicy(new TypedArrayActorCritic(file.layout), file.weights);
    return { ...evaluationOf(world).evaluate(policy), policy: name, modelHash: modelHash(file.weights) };
  });
  return { preset, days: days.count, remarks, dataHashes, policies };
}

function isPolicy(name: string): name is PolicyName {
  return (POLICIES as readonly string[]).includes(name);
}

function presetOf(file: ModelFile | undefined): 'paper' | 'sound' {
  return file?.metadata.preset === 'paper' ? 'paper' : 'sound';
}

function worldOfModel(
  preset: 'paper' | 'sound',
  { calendar, prices, rangeAnxietyCad }: EvaluateOptions,
  file: ModelFile | undefined,
): EnvironmentConfig {
  const world = (observeRangeAnxiety: boolean): EnvironmentConfig =>
    createEnvironmentConfig(preset, {
      tariff: { calendar, distribution: prices },
      rangeAnxietyCad,
      observation: { useDelta: file?.metadata.useDelta !== 'false', observeRangeAnxiety },
    });
  const plain = world(false);
  const isTold = file !== undefined && file.layout.observationSize === observationSize(plain) + 1;
  return isTold ? world(true) : plain;
}

function policyOf(name: PolicyName, config: EnvironmentConfig, days: DayBatch, seed: string): Policy {
  switch (name) {
    case 'oracle':
      return createOraclePolicy(config, days, { objective: 'money' });
    case 'oracle-shaped':
      return createOraclePolicy(config, days, { objective: 'shaped' });
    case 'rule':
      return rulePolicy;
    case 'idle':
      return idlePolicy;
    case 'random':
      return createRandomPolicy(streamRng(seed, 'random-policy'));
    case 'uncontrolled':
      return uncontrolledPolicy;
  }
}
