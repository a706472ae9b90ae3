import type { DayBatch } from '../environment/day-batch.ts';
import type { EnvironmentConfig } from '../environment/environment-config.ts';
import { type OracleOptions, solveOracle } from '../environment/oracle.ts';
import type { Policy } from './policy.ts';
import { createReplayPolicy } from './replay-policy.ts';

/** Plays each day as the oracle of `options.objective` would; solves every day of the batch at once. */
export function createOraclePolicy(config: EnvironmentConfig, days: DayBatch, options: OracleOptions): Policy {
  const actions = Array.from({ length: days.count }, (_, index) => solveOracle(config, days, index, options).actionKwh);
  return { ...createReplayPolicy(actions), name: `oracle-${options.objective}` };
}
