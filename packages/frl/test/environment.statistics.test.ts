import { describe, expect, it } from 'vitest';
import { BatchEnvironment } from '../src/environment/batch-environment.ts';
import { sampleDays } from '../src/environment/day-batch.ts';
import { allDayMetrics, type DayMetrics, summariseMetric } from '../src/environment/day-metrics.ts';
import { createEnvironmentConfig } from '../src/environment/environment-config.ts';
import { type Calendar, PRICE_DISTRIBUTIONS } from '../src/environment/tariff.ts';
import { idlePolicy } from '../src/policy/idle-policy.ts';
import { createOraclePolicy } from '../src/policy/oracle-policy.ts';
import { type Policy, playOut } from '../src/policy/policy.ts';
import { createRandomPolicy } from '../src/policy/random-policy.ts';
import { rulePolicy } from '../src/policy/rule-policy.ts';
import { streamRng } from '../src/rng.ts';
import { golden } from './golden/golden.ts';

const DAYS = 500;
const COLUMNS: Record<string, keyof DayMetrics> = {
  U: 'objective',
  cash: 'cash',
  settled: 'settled',
  socEnd: 'socEnd',
  scoreTradeKwh: 'tradeScoreKwh',
  throughput: 'throughputKwh',
};

describe.each(golden.statistical.cases)('$preset', (reference) => {
  const [calendar, prices] = reference.preset.split('/') as [Calendar, 'text' | 'table'];
  const config = createEnvironmentConfig('paper', {
    tariff: { calendar, prices: PRICE_DISTRIBUTIONS[prices], v2vFactor: reference.kV },
    rangeAnxietyCad: reference.eta,
  });
  const days = sampleDays(config, DAYS, streamRng('statistics', reference.preset));
  days.initialEnergyKwh.forEach((energy, i) => {
    days.initialEnergyKwh[i] = Math.round(energy * 4) / 4;
  });

  it('stays have the mean length', () => {
    const hours = days.departureSlot.reduce((sum, departure, i) => sum + departure - days.arrivalSlot[i]!, 0) / DAYS;
    expect(Math.abs(hours - reference.meanHours)).toBeLessThan(4 * Math.sqrt(2 / DAYS));
  });

  const policies: Record<string, () => Policy> = {
    idle: () => idlePolicy,
    random: () => createRandomPolicy(streamRng('statistics', 'random')),
    rule: () => rulePolicy,
    oracleMoney: () => createOraclePolicy(config, days, { objective: 'money' }),
    oracleDelta: () => createOraclePolicy(config, days, { objective: 'shaped' }),
  };
  it.each(Object.keys(policies))('%s, within four combined standard errors', (name) => {
    const environment = new BatchEnvironment(config, days);
    playOut(environment, policies[name]!());
    const metrics = allDayMetrics(environment);
    const expected = reference[name as 'rule'];
    for (const [column, [mean, error]] of Object.entries(expected) as [string, [number, number]][]) {
      const own = summariseMetric(metrics, COLUMNS[column]!);
      const tolerance = 4 * Math.hypot(own.standardError, error) + 1e-9;
      expect(Math.abs(own.mean - mean), `${column}: ${own.mean} against ${mean}`).toBeLessThan(tolerance);
    }
  });
});
