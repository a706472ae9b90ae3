import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { forecast, generateHouseholds, normalisedMae, totalWh } from '../src/index.ts';

const flat = Int32Array.from({ length: 20_000 }, (_, i) => 300 + (i % 7) * 100);

describe('forecast', () => {
  it('is the actual without an error, as a copy', () => {
    const same = forecast(flat, { seed: 's', name: 'n' });
    expect(same).toEqual(flat);
    expect(same).not.toBe(flat);
  });

  it.each([0.05, 0.2, 0.5, 1])('reaches an nMAE of %d without bias', (nMae) => {
    const guess = forecast(flat, { seed: 's', name: 'n', nMae });
    expect(Math.abs(normalisedMae(flat, guess) / nMae - 1)).toBeLessThan(0.05);
    expect(Math.abs(totalWh(guess) / totalWh(flat) - 1)).toBeLessThan(0.04);
  });

  it('is never negative and keeps the night dark', () => {
    const [home] = generateHouseholds({ seed: 'night', homes: 1, pvOwnership: 1, marginal: 'log-normal' }).homes;
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1.5, noNaN: true }), fc.string(), (nMae, seed) => {
        const actual = home?.pvWh ?? new Int32Array();
        const guess = forecast(actual, { seed, name: 'pv', nMae });
        expect(guess.every((value, slot) => value >= 0 && (actual[slot] !== 0 || value === 0))).toBe(true);
      }),
      { seed: 3, numRuns: 100 },
    );
  });

  it('differs by name and seed, and repeats for the same', () => {
    const of = (seed: string, name: string) => forecast(flat.slice(0, 50), { seed, name, nMae: 0.2 });
    expect(of('s', 'a')).toEqual(of('s', 'a'));
    expect(of('s', 'a')).not.toEqual(of('s', 'b'));
    expect(of('s', 'a')).not.toEqual(of('t', 'a'));
  });

  it.each([-0.1, 1.6, Number.NaN])('refuses an nMAE of %d', (nMae) => {
    expect(() => forecast(flat, { seed: 's', name: 'n', nMae })).toThrow(
      expect.objectContaining({ code: 'DATA_INVALID_OPTION' }),
    );
    expect(() => forecast(Int32Array.of(-1), { seed: 's', name: 'n' })).toThrow(/slot 0 is negative/);
  });
});

describe('normalisedMae', () => {
  it('is the sum of absolute errors over the sum of actual values', () => {
    expect(normalisedMae(Int32Array.of(100, 200, 100), Int32Array.of(90, 230, 100))).toBeCloseTo(0.1, 12);
    expect(normalisedMae(Int32Array.of(0), Int32Array.of(0))).toBe(0);
    expect(normalisedMae(Int32Array.of(0), Int32Array.of(1))).toBe(Number.POSITIVE_INFINITY);
  });
});
