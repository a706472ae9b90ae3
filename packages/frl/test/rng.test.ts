import { describe, expect, it } from 'vitest';
import { createXoshiro128, normalQuantile, shuffleIndexes, streamRng } from '../src/rng.ts';

describe('xoshiro128**', () => {
  it('gives the published sequence of state 1, 2, 3, 4', () => {
    const rng = createXoshiro128([1, 2, 3, 4]);
    expect(Array.from({ length: 10 }, () => rng.uint32())).toEqual([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
    ]);
  });

  it('makes a float of 27 bits of one word and 26 of the next', () => {
    const rng = createXoshiro128([1, 2, 3, 4]);
    const float = (first: number, second: number): number => ((first >>> 5) * 2 ** 26 + (second >>> 6)) / 2 ** 53;
    expect([rng.uniform(), rng.uniform()]).toEqual([float(11520, 0), float(5927040, 70819200)]);
  });

  it('refuses the state that it could never leave', () => {
    expect(() => createXoshiro128([0, 0, 0, 0])).toThrowError(expect.objectContaining({ code: 'FRL_INVALID_INPUT' }));
  });
});

describe('streams', () => {
  it('depend on every part of their name', () => {
    const first = (rng: ReturnType<typeof streamRng>): number => rng.uniform();
    const draws = [streamRng(1, 'a', 2), streamRng(2, 'a', 2), streamRng(1, 'b', 2), streamRng(1, 'a', 3)].map(first);
    expect(new Set(draws).size).toBe(4);
    expect(first(streamRng(1, 'a', 2))).toBe(draws[0]);
  });

  it('are uniform and normal', () => {
    const rng = streamRng(3, 'moments');
    const count = 20_000;
    const uniform = Array.from({ length: count }, () => rng.uniform());
    const normal = Array.from({ length: count }, () => rng.normal());
    const moment = (values: number[], power: number): number =>
      values.reduce((sum, value) => sum + value ** power, 0) / count;
    expect(Math.abs(moment(uniform, 1) - 1 / 2)).toBeLessThan(0.01);
    expect(Math.abs(moment(uniform, 2) - 1 / 3)).toBeLessThan(0.01);
    expect(Math.abs(moment(normal, 1))).toBeLessThan(0.03);
    expect(Math.abs(moment(normal, 2) - 1)).toBeLessThan(0.04);
    expect(Math.abs(moment(normal, 4) - 3)).toBeLessThan(0.3);
    expect(Math.min(...uniform)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...uniform)).toBeLessThan(1);
  });

  it('shuffle into permutations, each place equally likely', () => {
    const rng = streamRng(4, 'shuffle');
    const firstPlace = [0, 0, 0, 0, 0];
    const order = new Int32Array(5);
    for (let i = 0; i < 5000; i++) {
      shuffleIndexes(order, 5, rng);
      expect([...order].sort()).toEqual([0, 1, 2, 3, 4]);
      firstPlace[order[0]!]!++;
    }
    for (const count of firstPlace) expect(Math.abs(count - 1000)).toBeLessThan(4 * Math.sqrt(800));
  });
});

describe('normal quantile', () => {
  it.each([
    [0.5, 0],
    [0.8413447460685429, 1],
    [0.975, 1.959963984540054],
    [0.0013498980316300933, -3],
    [1e-9, -5.9978070150076865],
    [1e-20, -9.2623400898],
  ])('of %d is %d', (p, expected) => {
    expect(Math.abs(normalQuantile(p) - expected)).toBeLessThan(1e-9);
  });
});
