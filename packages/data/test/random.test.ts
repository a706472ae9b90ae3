import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawNormal, normalCdf, normalQuantile, randomStream, xoshiro128 } from '../src/random.ts';

describe('xoshiro128**', () => {
  it('gives the outputs of the reference implementation', () => {
    const next = xoshiro128([1, 2, 3, 4]);
    const expected = [
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
    ];
    expect(expected.map(() => next())).toEqual(expected);
  });
});

describe('randomStream', () => {
  it('is SHA-256 of the length-prefixed parts, then 53 bits a draw', () => {
    const parts = ['wattmesh/data/1', 'seed', 'home', '7'].map((part) => `${part.length}:${part}`).join('');
    const digest = createHash('sha256').update(parts).digest();
    const word = xoshiro128([0, 4, 8, 12].map((at) => digest.readUInt32LE(at)) as [number, number, number, number]);
    const stream = randomStream('seed', 'home', 7);
    for (let i = 0; i < 20; i++) {
      const [high, low] = [BigInt(word() >>> 5), BigInt(word() >>> 6)];
      expect(stream.next()).toBe(Number((high << 26n) | low) / 2 ** 53);
    }
  });

  it('separates streams whose parts differ only in where they are cut', () => {
    expect(randomStream('s', 'ab', 'c').next()).not.toBe(randomStream('s', 'a', 'bc').next());
    expect(randomStream('s', '1').next()).not.toBe(randomStream('s1').next());
  });

  it('is uniform (chi-square over 20 bins, 0.1 % level)', () => {
    const stream = randomStream('uniform');
    const bins = new Array<number>(20).fill(0);
    for (let i = 0; i < 20_000; i++) {
      const bin = Math.floor(stream.next() * 20);
      bins[bin] = (bins[bin] ?? 0) + 1;
    }
    expect(bins.reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0)).toBeLessThan(43.82);
  });
});

describe('normal distribution', () => {
  it('has the tabulated values', () => {
    for (const [z, p] of [
      [0, 0.5],
      [1, 0.841344746],
      [1.959963985, 0.975],
      [-2.575829304, 0.005],
      [3.5, 0.999767371],
    ] as const) {
      expect(normalCdf(z)).toBeCloseTo(p, 6);
      expect(normalQuantile(p)).toBeCloseTo(z, 5);
    }
  });

  it('inverts its own distribution function', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-9, max: 1 - 1e-9, noNaN: true }), (p) => {
        expect(Math.abs(normalCdf(normalQuantile(p)) - p)).toBeLessThan(2e-7);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it('draws have mean 0 and variance 1', () => {
    const stream = randomStream('normal');
    const draws = Array.from({ length: 40_000 }, () => drawNormal(stream));
    const mean = draws.reduce((a, b) => a + b, 0) / draws.length;
    expect(Math.abs(mean)).toBeLessThan(0.02);
    expect(Math.abs(draws.reduce((a, b) => a + b * b, 0) / draws.length - 1)).toBeLessThan(0.03);
  });
});
