import { describe, expect, it } from 'vitest';
import { type ClampedNormal, generateEvArrivals } from '../src/index.ts';

/** Probability that a clamped, rounded normal is `hour`, by summing its density. */
function probability({ mean, sd, min, max }: ClampedNormal, hour: number): number {
  const steps = 4000;
  let total = 0;
  for (let i = 0; i < steps; i++) {
    const z = -8 + (16 * (i + 0.5)) / steps;
    const value = Math.min(max, Math.max(min, mean + sd * z));
    if (Math.round(value) === hour) total += (Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI)) * (16 / steps);
  }
  return total;
}

describe('generateEvArrivals', () => {
  const stays = generateEvArrivals({ seed: 'ev', vehicles: 500, days: 10 });

  it('has the distributions of the specification (4 standard errors per hour)', () => {
    for (const [key, distribution] of [
      ['arrivalHour', { mean: 7, sd: 1, min: 4, max: 10 }],
      ['departureHour', { mean: 18, sd: 1, min: 8, max: 22 }],
    ] as const) {
      for (let hour = 0; hour <= 24; hour++) {
        const p = probability(distribution, hour);
        const share = stays.filter((stay) => stay[key] === hour).length / stays.length;
        expect(Math.abs(share - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / stays.length) + 0.002);
      }
    }
    const soc = stays.map((stay) => stay.initialSocPpm);
    expect(Math.min(...soc)).toBe(400_000);
    expect(Math.max(...soc)).toBeLessThanOrEqual(800_000);
    // P(N(0.5, 0.1) < 0.4) = 15.87 % stand at the bound.
    expect(Math.abs(soc.filter((ppm) => ppm === 400_000).length / soc.length - 0.1587)).toBeLessThan(0.021);
    expect(soc.toSorted((a, b) => a - b)[2500]).toBeGreaterThan(495_000);
  });

  it('stays last at least an hour, whatever the distributions', () => {
    const tight = { mean: 9, sd: 3, min: 0, max: 23 };
    const crossing = generateEvArrivals({
      seed: 'x',
      vehicles: 500,
      arrivalHour: tight,
      departureHour: { ...tight, min: 1 },
    });
    expect(crossing.every((stay) => stay.departureHour > stay.arrivalHour && stay.departureHour <= 24)).toBe(true);
    expect(crossing.some((stay) => stay.departureHour === stay.arrivalHour + 1)).toBe(true);
  });

  it('a stay depends on seed, vehicle and day only', () => {
    const few = generateEvArrivals({ seed: 'ev', vehicles: 3, days: 2 });
    for (const stay of few) {
      expect(stays.find((other) => other.vehicle === stay.vehicle && other.day === stay.day)).toEqual(stay);
    }
    expect(generateEvArrivals({ seed: 'other', vehicles: 3, days: 2 })).not.toEqual(few);
  });

  it.each([
    [{ seed: '' }, 'seed'],
    [{ vehicles: 0 }, 'vehicles'],
    [{ days: 1.5 }, 'days'],
    [{ arrivalHour: { mean: 7, sd: -1, min: 4, max: 10 } }, 'arrivalHour'],
    [{ departureHour: { mean: 18, sd: 1, min: 8, max: 25 } }, 'departureHour'],
    [{ initialSoc: { mean: 0.5, sd: 0.1, min: 0.9, max: 0.8 } }, 'initialSoc'],
  ])('refuses %j by name', (wrong, name) => {
    expect(() => generateEvArrivals({ seed: 's', vehicles: 1, ...wrong })).toThrow(
      expect.objectContaining({ code: 'DATA_INVALID_OPTION', message: expect.stringContaining(name) }),
    );
  });
});
