import { describe, expect, test } from 'vitest';
import { seededRng } from '../scripts/seeded-rng.ts';
import { argmax, drawCoalition, drawProbabilities, withoutCoalition } from '../src/index.ts';

function frequencies(weights: readonly number[], draws: number, seed: number): number[] {
  const rng = seededRng(seed);
  const counts = weights.map(() => 0);
  for (let draw = 0; draw < draws; draw++) counts[drawCoalition(weights, rng())!]! += 1;
  return counts;
}

describe('drawCoalition', () => {
  test('walks the cumulative weights', () => {
    const weights = [1, 0, 3, 4];
    expect([0, 0.124, 0.125, 0.499, 0.5, 0.999].map((u) => drawCoalition(weights, u))).toEqual([0, 0, 2, 2, 3, 3]);
  });

  test('finds nobody when no coalition has any weight', () => {
    expect(drawCoalition([0, 0], 0.3)).toBeUndefined();
    expect(drawCoalition([], 0.3)).toBeUndefined();
    expect(drawProbabilities([0, 0])).toEqual([0, 0]);
  });

  test('a draw at the very end lands on the last coalition with weight', () => {
    const weights = Array.from({ length: 30 }, () => 0.1).concat(0);
    expect(drawCoalition(weights, 1 - 2 ** -53)).toBe(29);
    expect(drawCoalition(weights, 1)).toBe(29);
  });

  test('draws in proportion to weight (chi-square over 10^5 draws) and never without weight', () => {
    const weights = [8.4803, 0, 4.5714, 1, 0.25, 6];
    const draws = 100_000;
    const counts = frequencies(weights, draws, 42);
    expect(counts[1]).toBe(0);
    const expected = drawProbabilities(weights).map((probability) => probability * draws);
    const chiSquare = counts.reduce(
      (sum, count, k) => sum + (weights[k]! > 0 ? (count - expected[k]!) ** 2 / expected[k]! : 0),
      0,
    );
    // 99.9 % quantile for 4 degrees of freedom.
    expect(chiSquare).toBeLessThan(18.47);
  });

  test('a coalition that refused is never drawn again; the others keep their proportions', () => {
    const weights = withoutCoalition([5, 2, 3], 0);
    const counts = frequencies(weights, 20_000, 7);
    expect(counts[0]).toBe(0);
    expect(Math.abs(counts[1]! / 20_000 - 0.4)).toBeLessThan(0.015);
    expect(drawCoalition(withoutCoalition([5, 0], 0), 0.5)).toBeUndefined();
  });

  test('splitting the weight between aliases gains nothing', () => {
    const whole = drawProbabilities([6, 4]);
    const split = drawProbabilities([1, 2, 3, 4]);
    expect(split[0]! + split[1]! + split[2]!).toBeCloseTo(whole[0]!, 12);
    for (let step = 0; step < 1000; step++) {
      const uniform = step / 1000;
      expect(drawCoalition([1, 2, 3, 4], uniform)! < 3).toBe(drawCoalition([6, 4], uniform) === 0);
    }
  });
});

test('argmax takes the first of equals', () => {
  expect(argmax([1, 7, 7, 2])).toBe(1);
  expect(argmax([0, 0])).toBe(0);
  expect(argmax([])).toBe(-1);
});
