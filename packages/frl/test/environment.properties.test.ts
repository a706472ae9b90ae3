import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BatchEnvironment } from '../src/environment/batch-environment.ts';
import { advanceBattery, projectAction } from '../src/environment/battery.ts';
import { allocateDays, type DayBatch, sampleDays, sampleLotDay, setDay } from '../src/environment/day-batch.ts';
import { type DayMetrics, dayMetrics } from '../src/environment/day-metrics.ts';
import { createEnvironmentConfig, type EnvironmentConfig } from '../src/environment/environment-config.ts';
import { solveOracle } from '../src/environment/oracle.ts';
import { deltaOf, PRICE_DISTRIBUTIONS, slotPrices } from '../src/environment/tariff.ts';
import { fillSlot } from '../src/market/fill.ts';
import { type Policy, playOut } from '../src/policy/policy.ts';
import { createRandomPolicy } from '../src/policy/random-policy.ts';
import { createReplayPolicy } from '../src/policy/replay-policy.ts';
import { streamRng } from '../src/rng.ts';

const paper = createEnvironmentConfig('paper');
const sound = createEnvironmentConfig('sound');
const presets = [
  ['paper', paper],
  ['sound', sound],
] as const;
const seed = fc.nat({ max: 1e6 });

/** One random day whose energy lies on the 0.2 kWh grid, which the SOC band divides. */
function gridDay(config: EnvironmentConfig, name: number): DayBatch {
  const days = sampleDays(config, 1, streamRng(name, 'property-day'));
  days.initialEnergyKwh[0] = Math.round(days.initialEnergyKwh[0]! * 5) / 5;
  return days;
}

function play(config: EnvironmentConfig, days: DayBatch, policy: Policy): DayMetrics {
  const environment = new BatchEnvironment(config, days);
  playOut(environment, policy);
  return dayMetrics(environment, 0);
}

describe.each(presets)('battery, %s', (_name, { battery }) => {
  const energy = fc.double({ min: 8.4, max: 33.6, noNaN: true });
  const request = fc.double({ noNaN: true });

  it('stays in its band and within its power, whatever is asked; projecting twice changes nothing', () => {
    fc.assert(
      fc.property(energy, request, (stored, asked) => {
        const action = projectAction(battery, stored, asked);
        const after = advanceBattery(battery, stored, action);
        expect(after).toBeGreaterThanOrEqual(8.4);
        expect(after).toBeLessThanOrEqual(33.6);
        expect(Math.abs(action)).toBeLessThanOrEqual(10);
        expect(projectAction(battery, stored, action)).toBe(action);
      }),
    );
  });

  it('gives more when asked for more', () => {
    fc.assert(
      fc.property(energy, request, request, (stored, a, b) => {
        const [lower, higher] = [Math.min(a, b), Math.max(a, b)];
        expect(projectAction(battery, stored, lower)).toBeLessThanOrEqual(projectAction(battery, stored, higher));
      }),
    );
  });
});

describe('delta and prices', () => {
  const price = fc.double({ min: 0.02, max: 1, noNaN: true });
  it('delta lies in [floor, 1], is the floor off-peak and grows with the price', () => {
    fc.assert(
      fc.property(price, price, price, fc.double({ min: 0, max: 0.5, noNaN: true }), (off, a, b, floor) => {
        const [mid, on] = [Math.min(a, b), Math.max(a, b)];
        expect(deltaOf(off, off, floor)).toBe(floor);
        expect(deltaOf(on, off, floor)).toBeGreaterThanOrEqual(deltaOf(mid, off, floor));
        for (const level of [mid, on]) {
          expect(deltaOf(level, off, floor)).toBeGreaterThanOrEqual(floor);
          expect(deltaOf(level, off, floor)).toBeLessThanOrEqual(1);
        }
        for (const { tariff } of [paper, sound]) {
          const { gridBuy, v2v, gridSell } = slotPrices(on, tariff);
          expect(gridBuy < v2v && v2v < gridSell).toBe(true);
        }
      }),
    );
  });
});

describe.each(presets)('a day, %s', (_name, config) => {
  it('conserves energy, adds up cash, and its U is cash minus what anxiety and wear cost', () => {
    fc.assert(
      fc.property(seed, (name) => {
        const days = sampleDays(config, 1, streamRng(name, 'property-day'));
        const environment = new BatchEnvironment(config, days);
        const policy = createRandomPolicy(streamRng(name, 'property-policy'));
        const command = new Float64Array(1);
        let [cash, stored, money] = [0, 0, 0];
        for (;;) {
          policy.act(environment, command);
          if (environment.step(command) === 0) break;
          const action = environment.actionKwh[0]!;
          cash += environment.cashCad[0]!;
          money += environment.moneyReward[0]!;
          stored += config.battery.chargeEfficiency * Math.max(action, 0);
          stored -= Math.max(-action, 0) / config.battery.dischargeEfficiency;
        }
        const metrics = dayMetrics(environment, 0);
        expect(environment.energyKwh[0]! - days.initialEnergyKwh[0]!).toBeCloseTo(stored, 9);
        expect(metrics.cash).toBeCloseTo(cash, 12);
        expect(metrics.moneyReturn).toBeCloseTo(money, 12);
        expect(metrics.objective).toBeCloseTo(metrics.moneyReturn, 9);
        expect(metrics.objective).toBeLessThanOrEqual(metrics.cash + 1e-12);
        expect(metrics.socEnd).toBeGreaterThanOrEqual(0.2);
        expect(metrics.socEnd).toBeLessThanOrEqual(0.8);
        const bought = [...environment.totals.boughtByPeriodKwh].reduce((sum, kwh) => sum + kwh, 0);
        expect(bought).toBeCloseTo(metrics.boughtKwh, 9);
      }),
    );
  });

  it('returns the same shaped as money where every delta is 1', () => {
    fc.assert(
      fc.property(seed, (name) => {
        const days = sampleDays(config, 1, streamRng(name, 'property-day'));
        days.delta.fill(1);
        const metrics = play(config, days, createRandomPolicy(streamRng(name, 'property-policy')));
        expect(metrics.shapedReturn).toBeCloseTo(metrics.moneyReturn, 12);
      }),
    );
  });

  it('is never better than its oracle, for any policy on the same grid, and the oracle beats idling', () => {
    fc.assert(
      fc.property(
        seed,
        fc.array(fc.integer({ min: -60, max: 60 }), { minLength: 18, maxLength: 18 }),
        (name, moves) => {
          const days = gridDay(config, name);
          // A feasible walk on the grid of stored energy, as metered actions.
          let level = days.initialEnergyKwh[0]!;
          const actions = moves.map((move) => {
            const target = Math.min(33.6, Math.max(8.4, level + 0.2 * move));
            const limited =
              Math.abs(
                projectAction(config.battery, level, metered(config, target - level)) - metered(config, target - level),
              ) < 1e-9;
            const change = limited ? target - level : 0;
            level += change;
            return metered(config, change);
          });
          const metrics = play(config, days, createReplayPolicy([actions]));
          const idle = play(config, days, createReplayPolicy([[]]));
          const money = solveOracle(config, days, 0, { objective: 'money', stepKwh: 0.2 }).value;
          const shaped = solveOracle(config, days, 0, { objective: 'shaped', stepKwh: 0.2 }).value;
          expect(money).toBeGreaterThanOrEqual(metrics.moneyReturn - 1e-9);
          expect(shaped).toBeGreaterThanOrEqual(metrics.shapedReturn - 1e-9);
          expect(money).toBeGreaterThanOrEqual(idle.moneyReturn - 1e-9);
          expect(shaped).toBeGreaterThanOrEqual(idle.shapedReturn - 1e-9);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('has an oracle that knows a finer grid is at least as good, and replays to its own value', () => {
    fc.assert(
      fc.property(seed, (name) => {
        const days = sampleDays(config, 1, streamRng(name, 'property-day'));
        const [coarse, middle, fine] = [1, 0.5, 0.25].map((stepKwh) =>
          solveOracle(config, days, 0, { objective: 'money', stepKwh }),
        );
        expect(middle!.value).toBeGreaterThanOrEqual(coarse!.value - 1e-9);
        expect(fine!.value).toBeGreaterThanOrEqual(middle!.value - 1e-9);
        expect(play(config, days, createReplayPolicy([fine!.actionKwh])).moneyReturn).toBeCloseTo(fine!.value, 9);
      }),
      { numRuns: 25 },
    );
  });

  it('scales with money: doubled prices and eta double U, cash and the oracle, and leave delta alone', () => {
    fc.assert(
      fc.property(seed, (name) => {
        const frictionless = { ...config, battery: { ...config.battery, degradationCadPerKwh: 0 } };
        const days = gridDay(frictionless, name);
        const doubled: DayBatch = {
          ...days,
          priceCadPerKwh: days.priceCadPerKwh.map((price) => 2 * price),
          offPriceCadPerKwh: days.offPriceCadPerKwh.map((price) => 2 * price),
          rangeAnxietyCad: days.rangeAnxietyCad.map((eta) => 2 * eta),
        };
        const policy = () => createRandomPolicy(streamRng(name, 'property-policy'));
        const [one, two] = [days, doubled].map((batch) => play(frictionless, batch, policy()));
        expect(two!.objective).toBeCloseTo(2 * one!.objective, 9);
        expect(two!.cash).toBeCloseTo(2 * one!.cash, 9);
        const value = (batch: DayBatch) =>
          solveOracle(frictionless, batch, 0, { objective: 'money', stepKwh: 0.2 }).value;
        expect(value(doubled)).toBeCloseTo(2 * value(days), 9);
        doubled.priceCadPerKwh.forEach((price) => {
          expect(deltaOf(price, doubled.offPriceCadPerKwh[0]!, 0)).toBeCloseTo(
            deltaOf(price / 2, days.offPriceCadPerKwh[0]!, 0),
            12,
          );
        });
      }),
      { numRuns: 25 },
    );
  });

  it('has an oracle that more power helps, and wear and anxiety do not', () => {
    fc.assert(
      fc.property(seed, (name) => {
        const days = gridDay(config, name);
        const value = (change: Partial<EnvironmentConfig['battery']>, etaFactor = 1): number =>
          solveOracle(
            { ...config, battery: { ...config.battery, ...change } },
            { ...days, rangeAnxietyCad: days.rangeAnxietyCad.map((eta) => eta * etaFactor) },
            0,
            { objective: 'money', stepKwh: 0.2 },
          ).value;
        const base = value({});
        expect(value({ powerLimitKw: 12 })).toBeGreaterThanOrEqual(base - 1e-9);
        expect(value({ degradationCadPerKwh: 0.05 })).toBeLessThanOrEqual(base + 1e-9);
        expect(value({}, 1.5)).toBeLessThanOrEqual(base + 1e-9);
      }),
      { numRuns: 25 },
    );
  });
});

function metered(config: EnvironmentConfig, stored: number): number {
  return stored > 0 ? stored / config.battery.chargeEfficiency : stored * config.battery.dischargeEfficiency;
}

describe('oracle ties', () => {
  it('idles where nothing is gained: off-peak, without delta and without anxiety', () => {
    const carefree = createEnvironmentConfig('paper', { rangeAnxietyCad: 0 });
    const days = allocateDays(1);
    const stay = { arrivalSlot: 19, departureSlot: 24, initialEnergyKwh: 21 };
    setDay(days, 0, carefree, stay, { off: 0.08, mid: 0.12, on: 0.15 }, streamRng(0));
    const { value, actionKwh } = solveOracle(carefree, days, 0, { objective: 'shaped' });
    expect(value).toBe(0);
    expect([...actionKwh]).toEqual([0, 0, 0, 0, 0]);
  });
});

describe('trade score', () => {
  const at = (actions: number[], arrivalSlot = 7, energyKwh = 21, config = paper): DayMetrics => {
    const days = allocateDays(1);
    const stay = { arrivalSlot, departureSlot: arrivalSlot + actions.length, initialEnergyKwh: energyKwh };
    setDay(days, 0, config, stay, { off: 0.08, mid: 0.12, on: 0.15 }, streamRng(0));
    return play(config, days, createReplayPolicy([actions]));
  };
  const action = fc.double({ min: -1, max: 1, noNaN: true });

  it('is negated by the opposite actions and unchanged by a slot without action', () => {
    fc.assert(
      fc.property(fc.array(action, { minLength: 1, maxLength: 9 }), (actions) => {
        const score = at(actions).tradeScoreKwh;
        expect(at(actions.map((kwh) => -kwh)).tradeScoreKwh).toBeCloseTo(-score, 9);
        expect(at([...actions, 0]).tradeScoreKwh).toBeCloseTo(score, 12);
      }),
    );
  });

  it('counts off-peak energy by the floor alone, and cancels where delta is equal', () => {
    expect(at([5, -3, 2], 19).tradeScoreKwh).toBe(0);
    expect(at([5, -3, 2], 19, 21, sound).tradeScoreKwh).toBeCloseTo(-4 * 0.05, 12);
    expect(at([4, -4], 7).tradeScoreKwh).toBeCloseTo(0, 12);
    expect(at([-4, 4], 10).tradeScoreKwh).toBeCloseTo(0.875 * 4 - 0.5 * 4, 12);
  });
});

describe('market fill', () => {
  const kwh = fc.array(fc.double({ min: -10, max: 10, noNaN: true }), { minLength: 1, maxLength: 12 });
  const prices = slotPrices(0.15, paper.tariff);

  it('pool: V2V cash sums to 0, sides match, cash lies between the grid and the assumed fill', () => {
    fc.assert(
      fc.property(kwh, (actions) => {
        const pool = fillSlot('pool', actions, prices);
        const assumed = fillSlot('assumed', actions, prices);
        let [v2vCash, bought, sold] = [0, 0, 0];
        pool.rows.forEach((row, i) => {
          const buys = actions[i]! > 0;
          v2vCash += (buys ? -1 : 1) * row.v2vKwh * prices.v2v;
          if (buys) bought += row.v2vKwh;
          else sold += row.v2vKwh;
          const gridOnly = -actions[i]! * (buys ? prices.gridSell : prices.gridBuy);
          expect(row.cashCad).toBeGreaterThanOrEqual(gridOnly - 1e-9);
          expect(row.cashCad).toBeLessThanOrEqual(assumed.rows[i]!.cashCad + 1e-9);
        });
        expect(v2vCash).toBeCloseTo(0, 9);
        expect(bought).toBeCloseTo(pool.matchedKwh, 9);
        expect(sold).toBeCloseTo(pool.matchedKwh, 9);
      }),
    );
  });
});

describe('sampled days', () => {
  it('keep stays inside the day and the band, and share prices within a lot', () => {
    const configs = [paper, createEnvironmentConfig('paper', { rangeAnxietyCad: 2 }), paper];
    fc.assert(
      fc.property(seed, (name) => {
        const lot = sampleLotDay(configs, streamRng(name));
        for (let i = 0; i < lot.count; i++) {
          expect(lot.arrivalSlot[i]).toBeGreaterThanOrEqual(4);
          expect(lot.departureSlot[i]).toBeGreaterThan(lot.arrivalSlot[i]!);
          expect(lot.departureSlot[i]).toBeLessThanOrEqual(22);
          expect(lot.initialEnergyKwh[i]).toBeGreaterThanOrEqual(0.4 * 42);
          expect([...lot.priceCadPerKwh.subarray(24 * i, 24 * i + 24)]).toEqual([
            ...lot.priceCadPerKwh.subarray(0, 24),
          ]);
          expect(lot.rangeAnxietyCad[i]).toBe(configs[i]!.rangeAnxietyCad);
        }
        const [off, mid, on] = [0, 12, 8].map((hour) => lot.priceCadPerKwh[hour]!);
        expect(on! > mid! && mid! > off! && off! >= 0.02).toBe(true);
      }),
    );
  });

  it('last at least one slot, even when the drawn departure lies before the arrival', () => {
    const at = (hour: number) => ({ mean: hour, sd: 0, min: hour, max: hour });
    const odd = createEnvironmentConfig('paper', { stay: { arrivalHour: at(10), departureHour: at(8) } });
    const days = sampleDays(odd, 1, streamRng(1));
    expect([days.arrivalSlot[0], days.departureSlot[0]]).toEqual([10, 11]);
  });

  it('redraw each slot with hourlyNoise, never below a cent', () => {
    const noisy = createEnvironmentConfig('paper', {
      tariff: { hourlyNoise: true, distribution: 'UD', prices: PRICE_DISTRIBUTIONS.table },
    });
    const days = sampleDays(noisy, 50, streamRng(1));
    expect(new Set(days.priceCadPerKwh.subarray(7, 11)).size).toBe(4);
    expect(Math.min(...days.priceCadPerKwh)).toBe(0.01);
  });

  it('spread sqrt(3) times wider under uniform prices than under normal ones, within the same limits', () => {
    const spread = (distribution: 'UD' | 'ND'): number => {
      const config = createEnvironmentConfig('paper', { tariff: { distribution, rejection: false } });
      const days = sampleDays(config, 3000, streamRng(4));
      const on = Array.from({ length: days.count }, (_, i) => days.priceCadPerKwh[24 * i + 8]! - 0.17);
      expect(Math.max(...on.map(Math.abs))).toBeLessThanOrEqual(0.03);
      return Math.sqrt(on.reduce((sum, x) => sum + x * x, 0) / on.length);
    };
    expect(Math.abs(spread('ND') - 0.01)).toBeLessThan(0.0005);
    expect(Math.abs(spread('UD') - 0.01 * Math.sqrt(3))).toBeLessThan(0.0008);
  });

  it('fall back on the mean prices only where eight tries in a row violate their order', () => {
    const table = createEnvironmentConfig('paper', { tariff: { prices: PRICE_DISTRIBUTIONS.table } });
    const days = sampleDays(table, 500, streamRng(3));
    expect(days.offPriceCadPerKwh.includes(0.068)).toBe(false);
    const { meanCadPerKwh } = PRICE_DISTRIBUTIONS.table;
    const hopeless = {
      meanCadPerKwh: { ...meanCadPerKwh, mid: 0.5 },
      sdCadPerKwh: PRICE_DISTRIBUTIONS.text.sdCadPerKwh,
    };
    const fallback = createEnvironmentConfig('paper', { tariff: { prices: hopeless } });
    expect([...sampleDays(fallback, 3, streamRng(3)).offPriceCadPerKwh]).toEqual([0.068, 0.068, 0.068]);
  });

  it('may violate the order of prices when rejection is off', () => {
    const raw = createEnvironmentConfig('paper', {
      tariff: {
        rejection: false,
        prices: {
          meanCadPerKwh: { off: 0.068, mid: 0.1, on: 0.129 },
          sdCadPerKwh: { off: 0.026, mid: 0.015, on: 0.02 },
        },
      },
    });
    const days = sampleDays(raw, 4000, streamRng(2));
    let inverted = 0;
    for (let i = 0; i < days.count; i++) {
      if (days.offPriceCadPerKwh[i]! > days.priceCadPerKwh[24 * i + 12]!) inverted++;
    }
    expect(Math.abs(inverted / days.count - 0.148)).toBeLessThan(0.025);
    const on = Float64Array.from({ length: days.count }, (_, i) => days.priceCadPerKwh[24 * i + 8]!);
    expect(Math.max(...on)).toBeLessThanOrEqual(0.129 + 3 * 0.02);
    expect(Math.max(...on)).toBeGreaterThan(0.129 + 2.5 * 0.02);
  });
});
