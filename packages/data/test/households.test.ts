import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  dailyTotalWh,
  type Marginal,
  ownersMoments,
  REFERENCE_CONSUMPTION,
  REFERENCE_PRODUCTION,
} from '../src/daily-moments.ts';
import { generateHouseholds, type HouseholdOptions, totalWh } from '../src/index.ts';
import { normalQuantile } from '../src/random.ts';

const MARGINALS: Marginal[] = ['normal', 'uniform', 'log-normal'];

/** Mean and standard deviation of max(0, X) by integration over the density, independent of the generator's own mapping. */
function clippedMoments(marginal: Marginal, mean: number, sd: number): { mean: number; sd: number } {
  const half = Math.sqrt(3) * sd;
  const [from, to] = marginal === 'uniform' ? [mean - half, mean + half] : [mean - 9 * sd, mean + 9 * sd];
  const density = (x: number) =>
    marginal === 'uniform' ? 1 / (2 * half) : Math.exp(-0.5 * ((x - mean) / sd) ** 2) / (sd * Math.sqrt(2 * Math.PI));
  if (marginal === 'log-normal') return { mean, sd };
  const steps = 20_000;
  let [first, second] = [0, 0];
  for (let i = 0; i < steps; i++) {
    const x = from + ((i + 0.5) * (to - from)) / steps;
    const weight = (density(x) * (to - from)) / steps;
    first += Math.max(0, x) * weight;
    second += Math.max(0, x) ** 2 * weight;
  }
  return { mean: first, sd: Math.sqrt(second - first ** 2) };
}

function momentsOf(values: number[]): { mean: number; sd: number } {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return { mean, sd: Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length) };
}

describe('daily totals', () => {
  it.each(MARGINALS)('%s: the mapping has the moments of the market specification', (marginal) => {
    for (const moments of [REFERENCE_PRODUCTION, REFERENCE_CONSUMPTION]) {
      const n = 200_000;
      const totals = Array.from({ length: n }, (_, i) =>
        dailyTotalWh(marginal, moments, normalQuantile((i + 0.5) / n)),
      );
      const [measured, expected] = [momentsOf(totals), clippedMoments(marginal, moments.meanWh, moments.sdWh)];
      expect(Math.abs(measured.mean - expected.mean)).toBeLessThan(5);
      expect(Math.abs(measured.sd - expected.sd)).toBeLessThan(30);
    }
  });

  it.each(MARGINALS)('%s: generated homes and days have them too (4 standard errors)', (marginal) => {
    const [production, consumption]: [number[], number[]] = [[], []];
    for (let seed = 0; seed < 600; seed++) {
      const series = generateHouseholds({
        seed: `m${seed}`,
        homes: 4,
        marginal,
        slotMinutes: 1440,
        slots: 1,
        pvOwnership: 1,
      });
      for (const home of series.homes) {
        production.push(totalWh(home.pvWh));
        consumption.push(totalWh(home.loadWh));
      }
    }
    // Weather and hot days are common to the 4 homes of a seed: 15 % and 10 % of the variance are drawn 600 times only.
    for (const [values, { meanWh, sdWh }, common] of [
      [production, REFERENCE_PRODUCTION, 0.15],
      [consumption, REFERENCE_CONSUMPTION, 0.1],
    ] as const) {
      const [measured, expected] = [momentsOf(values), clippedMoments(marginal, meanWh, sdWh)];
      const standardError = expected.sd * Math.sqrt((1 - common) / values.length + common / 600);
      expect(Math.abs(measured.mean - expected.mean)).toBeLessThan(4 * standardError);
      expect(Math.abs(measured.sd / expected.sd - 1)).toBeLessThan(marginal === 'log-normal' ? 0.25 : 0.08);
    }
  });

  it('owners and others together keep mean and sd before clipping', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.47, max: 1, noNaN: true }), (ownership) => {
        const own = ownersMoments(REFERENCE_PRODUCTION, ownership);
        const mean = ownership * own.meanWh;
        const variance = ownership * (own.sdWh ** 2 + own.meanWh ** 2) - mean ** 2;
        expect(mean).toBeCloseTo(7450, 6);
        expect(Math.sqrt(variance)).toBeCloseTo(8000, 6);
      }),
      { seed: 2, numRuns: 50 },
    );
  });

  it('pvOwnership is the fraction of homes that ever produce', () => {
    const { homes } = generateHouseholds({ seed: 'own', homes: 2000, pvOwnership: 0.6, marginal: 'log-normal' });
    const owners = homes.filter((home) => totalWh(home.pvWh) > 0).length;
    expect(Math.abs(owners - 1200)).toBeLessThan(4 * Math.sqrt(2000 * 0.6 * 0.4));
  });
});

describe('hours of the day', () => {
  it.each(MARGINALS)('%s: at every seed 1 to 50 a third of the 24 slots has a seller and a buyer', (marginal) => {
    for (let seed = 1; seed <= 50; seed++) {
      const { homes, slotCount } = generateHouseholds({ seed: String(seed), homes: 10, marginal });
      expect(slotCount).toBe(24);
      const both = Array.from({ length: 24 }, (_, slot) => {
        const balances = homes.map((home) => (home.pvWh[slot] ?? 0) - (home.loadWh[slot] ?? 0));
        return balances.some((wh) => wh > 0) && balances.some((wh) => wh < 0);
      }).filter(Boolean).length;
      expect(both, `seed ${seed}`).toBeGreaterThanOrEqual(8);
    }
  });

  const hourTotals = (options: Partial<HouseholdOptions>, what: 'pvWh' | 'loadWh') => {
    const { homes } = generateHouseholds({ seed: 'shape', homes: 300, ...options });
    return Array.from({ length: 24 }, (_, hour) => homes.reduce((sum, home) => sum + (home[what][hour] ?? 0), 0));
  };

  it('production follows the sun of season and hemisphere', () => {
    const sunny = (options: Partial<HouseholdOptions>) => hourTotals(options, 'pvWh').filter((wh) => wh > 0).length;
    const [june, december] = [{ startDay: '2025-06-21' }, { startDay: '2025-12-21' }];
    expect(sunny(june)).toBe(16);
    expect(sunny(december)).toBe(10);
    expect(sunny({ ...june, latitudeDeg: -33.9 })).toBe(sunny({ ...december, latitudeDeg: 33.9 }));
    const hours = hourTotals(june, 'pvWh');
    expect(hours[0]).toBe(0);
    expect(hours[23]).toBe(0);
    expect(Math.max(...hours)).toBe(Math.max(...hours.slice(10, 15)));
  });

  it('consumption peaks in the morning and more so in the evening', () => {
    const hours = hourTotals({}, 'loadWh');
    const at = (hour: number) => hours[hour] ?? 0;
    expect(at(7)).toBeGreaterThan(1.2 * at(11));
    expect(at(19)).toBeGreaterThan(1.2 * at(7));
    expect(at(19)).toBeGreaterThan(2 * at(3));
    const winter = hourTotals({ startDay: '2025-12-21' }, 'loadWh');
    expect((winter[19] ?? 0) / winter.reduce((a, b) => a + b)).toBeGreaterThan(at(19) / hours.reduce((a, b) => a + b));
  });

  it('seasonShare lifts summer over winter and leaves the year as it was', () => {
    const year = (seasonShare: number, startDay: string, slots: number) => {
      const options = { seed: 'season', homes: 8, marginal: 'log-normal', pvOwnership: 1, slotMinutes: 1440 } as const;
      const { homes } = generateHouseholds({ ...options, seasonShare, startDay, slots });
      return homes.reduce((sum, home) => sum + totalWh(home.pvWh), 0) / (slots * homes.length);
    };
    expect(year(0.4, '2025-06-06', 30)).toBeGreaterThan(3 * year(0.4, '2025-12-06', 30));
    const [flat, seasonal] = [year(0, '2025-01-01', 365), year(0.4, '2025-01-01', 365)];
    expect(Math.abs(seasonal / flat - 1)).toBeLessThan(0.3);
  });

  it('weather is common: days of different homes correlate by the common share', () => {
    const production = { meanWh: 20_000, sdWh: 2000 };
    const options = { seed: 'weather', homes: 6, slots: 400, slotMinutes: 1440, production, pvOwnership: 1 };
    const { homes } = generateHouseholds(options);
    const normed = homes.map(({ pvWh }) => {
      const { mean, sd } = momentsOf([...pvWh]);
      return [...pvWh].map((value) => (value - mean) / sd);
    });
    const pairs = normed.flatMap((a, i) =>
      normed.slice(i + 1).map((b) => a.reduce((sum, x, d) => sum + x * (b[d] ?? 0), 0) / 400),
    );
    const mean = pairs.reduce((a, b) => a + b) / pairs.length;
    expect(mean).toBeGreaterThan(0.35);
    expect(mean).toBeLessThan(0.65);
  });
});

describe('determinism and shape', () => {
  const base = { seed: 'fixed', homes: 4, slots: 72 };

  it('is the same for the same seed and differs for another', () => {
    expect(generateHouseholds(base)).toEqual(generateHouseholds(base));
    expect(generateHouseholds({ ...base, seed: 'other' })).not.toEqual(generateHouseholds(base));
  });

  it('more homes or slots leave the others as they were', () => {
    const small = generateHouseholds(base);
    const large = generateHouseholds({ ...base, homes: 9, slots: 100 });
    small.homes.forEach((home, i) => {
      expect(large.homes[i]?.pvWh.slice(0, 72)).toEqual(home.pvWh);
      expect(large.homes[i]?.loadWh.slice(0, 72)).toEqual(home.loadWh);
      expect(large.homes[i]?.positionM).toEqual(home.positionM);
    });
  });

  it('slots of every length add up to the same quarter hours', () => {
    const quarters = generateHouseholds({ ...base, slots: 192, slotMinutes: 15 });
    for (const slotMinutes of [30, 60, 120, 1440]) {
      const per = slotMinutes / 15;
      const coarse = generateHouseholds({ ...base, slots: 192 / per, slotMinutes });
      coarse.homes.forEach((home, i) => {
        home.pvWh.forEach((value, slot) => {
          const parts = quarters.homes[i]?.pvWh.slice(slot * per, (slot + 1) * per) ?? new Int32Array();
          expect(totalWh(parts)).toBe(value);
        });
      });
    }
  });

  it('is never negative, and positions are whole metres spread over the square', () => {
    const { homes } = generateHouseholds({ seed: 'square', homes: 2000, slots: 1, slotMinutes: 1440 });
    const quadrants = new Map<string, number>();
    for (const { positionM, pvWh, loadWh } of homes) {
      const { xM, yM } = positionM ?? { xM: -1, yM: -1 };
      expect(Number.isInteger(xM) && Number.isInteger(yM) && xM >= 0 && yM >= 0 && xM <= 20_000 && yM <= 20_000).toBe(
        true,
      );
      expect((pvWh[0] ?? -1) >= 0 && (loadWh[0] ?? -1) >= 0).toBe(true);
      const key = `${xM > 10_000} ${yM > 10_000}`;
      quadrants.set(key, (quadrants.get(key) ?? 0) + 1);
    }
    expect([...quadrants.values()].every((n) => Math.abs(n - 500) < 4 * Math.sqrt(2000 * 0.25 * 0.75))).toBe(true);
    expect(quadrants.size).toBe(4);
  });

  it.each([
    [{ seed: '' }, 'seed'],
    [{ homes: 0 }, 'homes'],
    [{ homes: 1.5 }, 'homes'],
    [{ slots: 0 }, 'slots'],
    [{ slotMinutes: 7 }, 'slotMinutes'],
    [{ slotMinutes: 105 }, 'slotMinutes'],
    [{ latitudeDeg: 80 }, 'latitudeDeg'],
    [{ latitudeDeg: Number.NaN }, 'latitudeDeg'],
    [{ marginal: 'gaussian' as Marginal }, 'marginal'],
    [{ pvOwnership: 0.3 }, 'pvOwnership'],
    [{ pvOwnership: 1.1 }, 'pvOwnership'],
    [{ consumption: { meanWh: -1, sdWh: 1 } }, 'mean'],
    [{ seasonShare: 0.9 }, 'seasonShare'],
    [{ homes: 100_000, slots: 100_000 }, 'figures'],
  ])('refuses %j by name', (wrong, name) => {
    expect(() => generateHouseholds({ ...base, ...wrong })).toThrow(
      expect.objectContaining({ code: 'DATA_INVALID_OPTION', message: expect.stringContaining(name) }),
    );
  });
});
