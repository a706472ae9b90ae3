import { describe, expect, it } from 'vitest';
import { announcedActionWh } from '../src/chain/announced-action.ts';
import { defaultIntegerBattery } from '../src/chain/integer-battery.ts';
import { BatchEnvironment } from '../src/environment/batch-environment.ts';
import { allocateDays, type DayBatch, sampleDays, sampleLotDay, setDay } from '../src/environment/day-batch.ts';
import { dayMetrics } from '../src/environment/day-metrics.ts';
import { createEnvironmentConfig, type EnvironmentOverrides } from '../src/environment/environment-config.ts';
import { ev2GymMetrics } from '../src/environment/ev2gym-metrics.ts';
import { observationSize, observe } from '../src/environment/observation.ts';
import { solveOracle } from '../src/environment/oracle.ts';
import { TypedArrayActorCritic } from '../src/learner/typed-array-actor-critic.ts';
import { initialWeights } from '../src/model/initial-weights.ts';
import { createModelLayout } from '../src/model/model-layout.ts';
import { idlePolicy } from '../src/policy/idle-policy.ts';
import { createLearnedPolicy } from '../src/policy/learned-policy.ts';
import { playOut } from '../src/policy/policy.ts';
import { createReplayPolicy } from '../src/policy/replay-policy.ts';
import { rulePolicy } from '../src/policy/rule-policy.ts';
import { uncontrolledPolicy } from '../src/policy/uncontrolled-policy.ts';
import { streamRng } from '../src/rng.ts';
import { createEvaluation } from '../src/training/evaluation.ts';
import { playLotDay } from '../src/training/lot-day.ts';
import { goldenConfig } from './golden/golden.ts';

const code = (name: string) => expect.objectContaining({ code: name });
const triple = { off: 0.08, mid: 0.12, on: 0.15 };

/** EV-days with the golden prices: [arrival, departure, initial kWh] each. */
function daysOf(...stays: [number, number, number][]): DayBatch {
  const days = allocateDays(stays.length);
  stays.forEach(([arrivalSlot, departureSlot, initialEnergyKwh], i) => {
    setDay(days, i, goldenConfig, { arrivalSlot, departureSlot, initialEnergyKwh }, triple, streamRng(0));
  });
  return days;
}

describe('observation', () => {
  it('has the nine features in their order', () => {
    const environment = new BatchEnvironment(goldenConfig, daysOf([11, 17, 21], [16, 17, 33.6]));
    const out = new Float32Array(18);
    observe(environment, out);
    const near = (values: number[]): unknown[] => values.map((value) => expect.closeTo(value, 5));
    const prices = [0, (0.072 - 0.08) / 0.03, 0];
    expect([...out.subarray(0, 9)]).toEqual(
      near([0, 0, ...prices, 0.2, 0, Math.sin((11 * Math.PI) / 12), Math.cos((11 * Math.PI) / 12)]),
    );
    expect([...out.subarray(9)]).toEqual(
      near([0, 2, ...prices, -0.8, 1, Math.sin((16 * Math.PI) / 12), Math.cos((16 * Math.PI) / 12)]),
    );
    environment.step([0, 0]);
    observe(environment, out);
    expect([...out.subarray(9)]).toEqual(Array(9).fill(0));
  });

  it('drops delta and time on request and appends Omega and range anxiety', () => {
    const config = createEnvironmentConfig('paper', {
      tariff: { serviceFeeCadPerKwh: 0.01 },
      rangeAnxietyCad: 20,
      observation: { useDelta: false, observeTime: false, observeRangeAnxiety: true },
    });
    const environment = new BatchEnvironment(config, sampleDays(config, 1, streamRng(1)));
    expect(observationSize(config)).toBe(11);
    const out = new Float32Array(11);
    observe(environment, out);
    expect([out[0], ...out.subarray(5, 9)]).toEqual([0, 0, 0, 0, 0]);
    expect(out[9]).toBeCloseTo(0.01, 6);
    expect(out[10]).toBeCloseTo(Math.log(2) / 1.5, 6);
    expect(environment.reward).toBe(environment.moneyReward);
  });
});

describe('batch environment', () => {
  it('plays EVs on their own clocks, or on one', () => {
    const days = daysOf([6, 8, 21], [7, 9, 21]);
    const own = new BatchEnvironment(goldenConfig, days);
    expect([own.step([1, 1]), own.step([1, 1]), own.step([1, 1])]).toEqual([2, 2, 0]);
    const shared = new BatchEnvironment(goldenConfig, days);
    expect([5, 6, 7, 8, 9].map((hour) => shared.step([1, 1], hour))).toEqual([0, 1, 2, 1, 0]);
    expect(shared.totals.cashCad).toEqual(own.totals.cashCad);
  });

  it('charges the service fee in both directions', () => {
    const config = { ...goldenConfig, tariff: { ...goldenConfig.tariff, serviceFeeCadPerKwh: 0.01 } };
    const environment = new BatchEnvironment(config, daysOf([12, 14, 21], [12, 14, 21]));
    environment.step([0.5, -0.5]);
    expect([...environment.cashCad]).toEqual([expect.closeTo(-0.5, 12), expect.closeTo(0.4, 12)]);
  });

  it('refuses a command that is not a number, and takes infinity for full power', () => {
    const environment = new BatchEnvironment(goldenConfig, daysOf([6, 8, 21]));
    expect(() => environment.step([Number.NaN])).toThrowError(code('FRL_INVALID_INPUT'));
    environment.step([Number.POSITIVE_INFINITY]);
    expect(environment.actionKwh[0]).toBe(10);
  });

  it('refuses stays outside the day or the band, and lots without EVs', () => {
    const refused = code('FRL_INVALID_INPUT');
    expect(() => daysOf([8, 8, 21])).toThrowError(refused);
    expect(() => daysOf([8, 25, 21])).toThrowError(refused);
    expect(() => daysOf([8, 9, 40])).toThrowError(refused);
    expect(() => sampleLotDay([], streamRng(0))).toThrowError(refused);
    expect(() => solveOracle(goldenConfig, daysOf([8, 9, 21]), 0, { objective: 'money', stepKwh: 0 })).toThrowError(
      refused,
    );
  });
});

describe('policies', () => {
  it('rule sells on-peak and buys otherwise; uncontrolled charges until full; idle keeps what it has', () => {
    const end = (policy: typeof rulePolicy): number[] => {
      const environment = new BatchEnvironment(goldenConfig, daysOf([10, 12, 21], [5, 12, 21]));
      playOut(environment, policy);
      return [...environment.energyKwh];
    };
    expect(end(rulePolicy)).toEqual([expect.closeTo(21, 9), expect.closeTo(18.4, 9)]);
    expect(end(uncontrolledPolicy)).toEqual([expect.closeTo(33.6, 9), expect.closeTo(33.6, 9)]);
    expect(end(idlePolicy)).toEqual([21, 21]);
  });

  it('evaluation puts idle at 0 and the oracle at 1', () => {
    const evaluation = createEvaluation(goldenConfig, { days: 20, seed: 1 });
    const idle = evaluation.evaluate(idlePolicy);
    expect([idle.shapedGain, idle.objectiveGain]).toEqual([0, 0]);
    const actions = Array.from(
      { length: 20 },
      (_, i) => solveOracle(goldenConfig, evaluation.days, i, { objective: 'money' }).actionKwh,
    );
    const best = evaluation.evaluate(createReplayPolicy(actions));
    expect(best.objectiveGain).toBeCloseTo(1, 12);
    expect(best.regret).toBeCloseTo(0, 12);
    expect(best.shapedGain).toBeLessThan(1);
    const shaped = Array.from(
      { length: 20 },
      (_, i) => solveOracle(goldenConfig, evaluation.days, i, { objective: 'shaped' }).actionKwh,
    );
    const perfect = evaluation.evaluate(createReplayPolicy(shaped));
    expect(perfect.shapedGain).toBeCloseTo(1, 12);
    expect(evaluation.objectiveGainOfShapedOptimum).toBeCloseTo(perfect.objectiveGain, 12);
    expect(evaluation.objectiveGainOfShapedOptimum).toBeLessThan(1);
  });
});

describe('a lot after clearing', () => {
  it('matches full arrivals with empty ones and shares the gain over the grid', () => {
    const days = daysOf([12, 14, 33.6], [12, 14, 8.4], [12, 14, 8.4]);
    const policy = createReplayPolicy([
      [-10, -10],
      [4, 10],
      [4, 0],
    ]);
    const lot = playLotDay(goldenConfig, days, policy, 'pool');
    expect([lot.matchedKwh, lot.tradedKwh]).toEqual([expect.closeTo(18, 9), expect.closeTo(38, 9)]);
    expect(lot.v2vShare).toBeCloseTo(36 / 38, 9);
    expect([...lot.clearedCashCad]).toEqual([
      expect.closeTo(18 * 0.09 + 2 * 0.072, 9),
      expect.closeTo(-14 * 0.09, 9),
      expect.closeTo(-4 * 0.09, 9),
    ]);
    expect(playLotDay(goldenConfig, days, idlePolicy, 'pool').v2vShare).toBe(0);
    const assumed = playLotDay(goldenConfig, days, policy, 'assumed');
    expect(assumed.clearedCashCad[0]).toBeCloseTo(20 * 0.09, 9);
  });
});

describe('day metrics', () => {
  it('count cycles by throughput, rate satisfaction up to 1, and split energy by period', () => {
    const environment = new BatchEnvironment(goldenConfig, daysOf([10, 12, 21]));
    playOut(environment, createReplayPolicy([[-10, 5]]));
    const metrics = dayMetrics(environment, 0);
    expect(metrics.equivalentFullCycles).toBeCloseTo(15 / 84, 12);
    expect(metrics.satisfaction).toBeCloseTo(16 / 42 / 0.8, 12);
    expect(dayMetrics(environment, 0, 0.3).satisfaction).toBe(1);
    expect([...environment.totals.soldByPeriodKwh]).toEqual([0, 0, 10]);
    expect([...environment.totals.boughtByPeriodKwh]).toEqual([0, 5, 0]);
  });
});

describe('EV2Gym metrics', () => {
  const days = daysOf([12, 14, 33.6], [12, 14, 8.4]);
  const environment = new BatchEnvironment(goldenConfig, days);
  playOut(
    environment,
    createReplayPolicy([
      [-10, -10],
      [10, 4],
    ]),
  );
  const metrics = ev2GymMetrics(environment, { siteLimitKw: 3 });

  it('sums profits, energy and overload, and rates satisfaction', () => {
    expect(metrics.total_profits).toBeCloseTo(20 * 0.09 - 14 * 0.09, 9);
    expect(metrics.total_energy_charged).toBeCloseTo(14, 9);
    expect(metrics.total_energy_discharged).toBeCloseTo(20, 9);
    // Hour 12 nets to 0, hour 13 to -6 kWh against a limit of 3.
    expect(metrics.total_transformer_overload).toBeCloseTo(3, 9);
    expect(ev2GymMetrics(environment).total_transformer_overload).toBe(0);
    expect(metrics.average_user_satisfaction).toBeCloseTo((13.6 / 33.6 + 22.4 / 33.6) / 2, 9);
    const energy = [(100 * 13.6) / 33.6, (100 * 22.4) / 28.4];
    expect(metrics.min_energy_user_satisfaction).toBeCloseTo(energy[0]!, 9);
    expect(metrics.std_energy_user_satisfaction).toBeCloseTo(Math.abs(energy[0]! - energy[1]!) / 2, 9);
    expect(ev2GymMetrics(environment, { clearedCashCad: Float64Array.of(1, 2) }).total_profits).toBe(3);
  });

  it('ages the battery with time and with what passes through it, like EV2Gym', () => {
    // EV 0 by hand: SOC 0.8, 0.5619047619, 0.3238095238.
    const [calendar, cycling] = [
      [0.8, 23.6 / 42, 13.6 / 42],
      [0.2, 18.4 / 42, 22.4 / 42],
    ]
      .map((soc, i) => {
        const mean = soc.reduce((sum, value) => sum + value, 0) / 3;
        const deviation = soc.reduce((sum, value) => sum + Math.abs(value - mean), 0) / 3;
        const alpha = (7.543e6 * (3.3324 + 0.8263 * mean) - 23.75e6) * Math.exp(-6976 / 298.15);
        const beta = 7.348e-3 * (3.3324 + 0.41315 - 3.667) ** 2 + 7.6e-4 + 4.081e-3 * 2 * deviation;
        const throughputAh = ((i === 0 ? 20 : 14) / 78) * 2.05;
        const pastAh = (2 * 730 * (15000 / 365) * 0.186 * 2.05) / 78;
        return [(alpha * 0.75 * (3 / 24)) / 730 ** 0.25, (beta * 0.5 * throughputAh) / Math.sqrt(pastAh)];
      })
      .reduce((sum, part) => [sum[0]! + part[0]!, sum[1]! + part[1]!], [0, 0]);
    expect(metrics.battery_degradation_calendar).toBeCloseTo(calendar!, 12);
    expect(metrics.battery_degradation_cycling).toBeCloseTo(cycling!, 12);
    expect(metrics.battery_degradation).toBeCloseTo(calendar! + cycling!, 12);
    expect(calendar).toBeGreaterThan(0);
  });
});

describe('announced actions', () => {
  const layout = createModelLayout(observationSize(goldenConfig));
  const model = new TypedArrayActorCritic(layout);
  const battery = defaultIntegerBattery('paper');
  const view = { hour: 8, hoursLeft: 4, priceCadPerKwh: 0.15, delta: 0.875, rangeAnxietyCad: 10 };

  it('are what the policy would do in the environment, in whole Wh', () => {
    const weights = initialWeights(layout, streamRng(9)).map((value) => value * 3);
    const days = daysOf([8, 12, 21]);
    const environment = new BatchEnvironment(goldenConfig, days);
    const command = new Float64Array(1);
    createLearnedPolicy(model, weights).act(environment, command);
    environment.step(command);
    const action = announcedActionWh(model, weights, goldenConfig, battery, 21_000n, view);
    expect(Math.abs(Number(action) - 1000 * environment.actionKwh[0]!)).toBeLessThanOrEqual(0.5);
    expect(action).not.toBe(0n);
  });

  it('stay within what the battery holds, however bold the model', () => {
    const bold = new Float64Array(layout.parameterCount);
    bold[layout.actor.layers.at(-1)!.biasOffset] = -50;
    const announce = (energyWh: bigint): bigint =>
      announcedActionWh(model, bold, goldenConfig, battery, energyWh, view);
    expect([announce(21_000n), announce(10_000n), announce(8_400n)]).toEqual([-10_000n, -1_600n, 0n]);
  });
});

describe('presets', () => {
  it('differ in losses, wear and the floor of delta', () => {
    const sound = createEnvironmentConfig('sound');
    expect([sound.battery.chargeEfficiency, sound.battery.degradationCadPerKwh, sound.tariff.deltaFloor]).toEqual([
      0.95, 0.02, 0.05,
    ]);
    expect(createEnvironmentConfig('paper').battery.chargeEfficiency).toBe(1);
  });

  it.each([
    { battery: { capacityKwh: 0 } },
    { battery: { socMin: 0.9 } },
    { battery: { chargeEfficiency: 1.1 } },
    { battery: { degradationCadPerKwh: -1 } },
    { tariff: { v2vFactor: 0.5 } },
    { tariff: { deltaFloor: 2 } },
    { tariff: { serviceFeeCadPerKwh: -0.1 } },
    { rangeAnxietyCad: -1 },
    { rangeAnxietyCad: 0, observation: { observeRangeAnxiety: true } },
    { stay: { initialSoc: { mean: 0.5, sd: 0.1, min: 0.6, max: 0.4 } } },
    { stay: { arrivalHour: { mean: 7, sd: 1, min: 4, max: 24 } } },
  ] as EnvironmentOverrides[])('refuse %j', (overrides) => {
    expect(() => createEnvironmentConfig('paper', overrides)).toThrowError(code('FRL_INVALID_CONFIG'));
  });
});
