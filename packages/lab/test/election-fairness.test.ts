import { describe, expect, it } from 'vitest';
import { drawTable, fairnessTest } from '../src/checks/election-fairness.ts';
import type { RunFacts, Verdict } from '../src/checks/facts.ts';
import { facts, NAMES, verdict } from './run-facts.ts';

describe('election fairness', () => {
  /** Chance that a binomial count deviates from its mean at least as much as `observed` does. */
  const binomialP = (observed: number, of: number, chance: number): number => {
    const term = (k: number): number => {
      let ways = 1;
      for (let i = 0; i < k; i += 1) ways *= (of - i) / (i + 1);
      return ways * chance ** k * (1 - chance) ** (of - k);
    };
    const mean = of * chance;
    return Array.from({ length: of + 1 }, (_, k) => k)
      .filter((k) => Math.abs(k - mean) >= Math.abs(observed - mean) - 1e-9)
      .reduce((sum, k) => sum + term(k), 0);
  };

  it.each([
    [10, 10, 0.5],
    [9, 12, 0.75],
    [15, 60, 0.25],
    [24, 60, 0.25],
    [1, 40, 0.2],
  ])(
    'two candidates, %i of %i draws at a chance of %f: the p-value is that of the binomial distribution',
    (count, of, chance) => {
      const elections = Array.from({ length: of }, (_, k) => ({
        drawn: k < count ? 'a' : 'b',
        chances: [
          ['a', chance],
          ['b', 1 - chance],
        ] as const,
      }));
      const exact = binomialP(count, of, chance);
      const { pValue } = fairnessTest(elections);
      // Four standard errors of the share of 9999 replicas, and the one that is counted for the draw itself.
      expect(Math.abs(pValue - exact)).toBeLessThan(4 * Math.sqrt((exact * (1 - exact)) / 9_999) + 2e-4);
    },
  );

  const draws = (miners: readonly string[], isForced = false): RunFacts['draws'] =>
    miners.map((drawn, k) => ({
      type: 'draw' as const,
      atMs: k,
      height: k,
      term: k,
      isForced,
      drawn,
      weights: [
        { miner: 'p01', weight: '3000' },
        { miner: 'p02', weight: '1000' },
      ],
    }));
  const fair = draws([...Array(45).fill('p01'), ...Array(15).fill('p02')]);

  it('compares draws with weights and leaves out those that were none', () => {
    expect(drawTable([...fair, ...draws(['p02'], true)])).toEqual({
      draws: 60,
      members: [
        { name: 'p01', observed: 45, expected: 45 },
        { name: 'p02', observed: 15, expected: 15 },
      ],
    });
  });

  it('holds for fair draws, and catches a miner that is drawn too often, or without weight', () => {
    const of = (some: RunFacts['draws']): Verdict | undefined =>
      verdict('election-fairness', facts({ draws: some }, ', electionFairness: {}'));
    expect(of(fair)).toBe('holds');
    expect(of(draws([...Array(30).fill('p01'), ...Array(30).fill('p02')]))).toBe('violated');
    expect(of([...fair, ...draws(['p03'])])).toBe('violated');
  });

  it('takes candidates of which nobody has weight for equal, and counts only draws that had a choice', () => {
    const weighing = (weight: string, drawn: string): RunFacts['draws'][number] => ({
      ...(draws([drawn])[0] as RunFacts['draws'][number]),
      weights: [...NAMES.slice(1).map((miner) => ({ miner, weight: '0' })), { miner: 'p01', weight }],
    });
    const night = (drawn: readonly string[]) => drawn.map((name) => weighing('0', name));
    const day = Array.from({ length: 40 }, () => weighing('9', 'p01'));
    const of = (some: RunFacts['draws']): Verdict | undefined =>
      verdict('election-fairness', facts({ draws: some }, ', electionFairness: {}'));
    const turns = Array.from({ length: 24 }, (_, k) => NAMES[k % 4] as string);
    expect(of(day)).toBe('unknown');
    expect(of([...day, ...night(turns.slice(0, 19))])).toBe('unknown');
    expect(of([...day, ...night(turns)])).toBe('holds');
    expect(of([...day, ...night(turns.map(() => 'p01'))])).toBe('violated');
    expect(of([...day, ...night(turns), weighing('9', 'p02')])).toBe('violated');
  });
});
