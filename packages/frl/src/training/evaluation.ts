import { BatchEnvironment } from '../environment/batch-environment.ts';
import { type DayBatch, sampleDays } from '../environment/day-batch.ts';
import { allDayMetrics, type DayMetrics, summariseMetric } from '../environment/day-metrics.ts';
import type { EnvironmentConfig } from '../environment/environment-config.ts';
import { idlePolicy } from '../policy/idle-policy.ts';
import { createOraclePolicy } from '../policy/oracle-policy.ts';
import { type Policy, playOut } from '../policy/policy.ts';
import { streamRng } from '../rng.ts';

/** Means over a fixed set of days (section 4). Money in CAD, gains in parts of the (oracle - idle) span. */
export interface EvaluationSummary {
  readonly policy: string;
  readonly days: number;
  /** (R - R_idle) / (R_oracle - R_idle) of the shaped return. */
  readonly shapedGain: number;
  /** The same of U = cash - eta RA - degradation. */
  readonly objectiveGain: number;
  /** U_oracle - U_policy. */
  readonly regret: number;
  readonly means: Readonly<Record<keyof DayMetrics, number>>;
}

/** A fixed set of days with its idle and oracle references. */
export interface Evaluation {
  readonly config: EnvironmentConfig;
  readonly days: DayBatch;
  /** `objectiveGain` of the optimum of the shaped return: what learning that return perfectly brings in money. */
  readonly objectiveGainOfShapedOptimum: number;
  evaluate(policy: Policy, socTarget?: number): EvaluationSummary;
}

export interface EvaluationOptions {
  /** At least 200 in anything that is published. */
  readonly days: number;
  readonly seed: number | string;
  /** Grid of the oracle; default 0.25 kWh. */
  readonly oracleStepKwh?: number;
}

/** Samples the days once and solves both oracles on them, so that every policy is measured against the same span. */
export function createEvaluation(config: EnvironmentConfig, options: EvaluationOptions): Evaluation {
  const days = sampleDays(config, options.days, streamRng(options.seed, 'evaluation-days'));
  return createEvaluationOfDays(config, days, options);
}

/** The same on days that the caller brings, such as measured stays and published rates. */
export function createEvaluationOfDays(
  config: EnvironmentConfig,
  days: DayBatch,
  options: Pick<EvaluationOptions, 'oracleStepKwh'> = {},
): Evaluation {
  const play = (policy: Policy, socTarget?: number): Record<keyof DayMetrics, number> => {
    const environment = new BatchEnvironment(config, days);
    playOut(environment, policy);
    const metrics = allDayMetrics(environment, socTarget);
    const names = Object.keys(metrics[0] as DayMetrics) as (keyof DayMetrics)[];
    return Object.fromEntries(names.map((name) => [name, summariseMetric(metrics, name).mean])) as Record<
      keyof DayMetrics,
      number
    >;
  };
  const stepKwh = options.oracleStepKwh === undefined ? {} : { stepKwh: options.oracleStepKwh };
  const idle = play(idlePolicy);
  const bestMoney = play(createOraclePolicy(config, days, { objective: 'money', ...stepKwh }));
  const bestShaped = play(createOraclePolicy(config, days, { objective: 'shaped', ...stepKwh }));
  const objectiveGain = (means: { readonly objective: number }): number =>
    (means.objective - idle.objective) / (bestMoney.objective - idle.objective);
  return {
    config,
    days,
    objectiveGainOfShapedOptimum: objectiveGain(bestShaped),
    evaluate(policy, socTarget) {
      const means = play(policy, socTarget);
      return {
        policy: policy.name,
        days: days.count,
        shapedGain: (means.shapedReturn - idle.shapedReturn) / (bestShaped.shapedReturn - idle.shapedReturn),
        objectiveGain: objectiveGain(means),
        regret: bestMoney.objective - means.objective,
        means,
      };
    },
  };
}
