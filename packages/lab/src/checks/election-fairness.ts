import { randomStream } from '@wattmesh/data';
import { type Check, holds, unknown, violated } from './facts.ts';

/** Elections that are drawn again to see what chance does. The smallest p-value is 1 over one more. */
const REPLICAS = 9_999;

/** What is known of a draw: who was first, and what each candidate weighed. */
export interface Draw {
  readonly isForced: boolean;
  readonly drawn: string | null;
  readonly weights: readonly { readonly miner: string; readonly weight: string }[];
}

/** Invariant 13: who is drawn first, against the weights of the draw. */
export const electionFairness: Check = {
  name: 'election-fairness',
  promise: 'Miners are drawn as often as their weights say.',
  judge: ({ scenario, draws, endMs }) => {
    const bound = scenario.checks.electionFairness;
    if (bound === undefined) return null;
    const choices = elections(draws).filter(hasChoice);
    if (choices.length < bound.minimumDraws)
      return unknown(`${choices.length} draws had a choice; at least ${bound.minimumDraws} are needed`);
    const { statistic, pValue } = fairnessTest(choices);
    const found = `chi-square ${statistic.toFixed(2)} over ${choices.length} draws that had a choice, p = ${pValue.toPrecision(2)}`;
    return pValue < bound.significance
      ? violated(`${found} < ${bound.significance}`, { atMs: endMs, height: draws.at(-1)?.height ?? null })
      : holds(found);
  },
};

/** A draw with the probability of each candidate. */
interface Election {
  readonly drawn: string;
  readonly chances: readonly (readonly [string, number])[];
}

/** Draws that chance decided. Candidates without weight come after all others, uniformly (protocol section 3). */
function elections(draws: readonly Draw[]): Election[] {
  return draws.flatMap(({ isForced, drawn, weights }): Election[] => {
    if (isForced || drawn === null) return [];
    const total = weights.reduce((sum, { weight }) => sum + BigInt(weight), 0n);
    const chance = (weight: string): number =>
      total === 0n ? 1 / weights.length : Number((BigInt(weight) * 1_000_000_000_000n) / total) / 1e12;
    return [{ drawn, chances: weights.map(({ miner, weight }) => [miner, chance(weight)] as const) }];
  });
}

/** Whether another could have been drawn, or one was that could not. */
function hasChoice({ drawn, chances }: Election): boolean {
  return chances.some(([miner, chance]) => miner !== drawn && chance > 0);
}

export interface DrawTable {
  readonly draws: number;
  readonly members: readonly { readonly name: string; readonly observed: number; readonly expected: number }[];
}

/** How often each member was drawn first, and how often it was to be expected. */
export function drawTable(draws: readonly Draw[]): DrawTable {
  const all = elections(draws);
  const names = [...new Set(all.flatMap(({ drawn, chances }) => [drawn, ...chances.map(([name]) => name)]))].sort();
  return {
    draws: all.length,
    members: names.map((name) => ({
      name,
      observed: all.filter(({ drawn }) => drawn === name).length,
      expected: all.reduce((sum, { chances }) => sum + (chances.find(([miner]) => miner === name)?.[1] ?? 0), 0),
    })),
  };
}

/**
 * Pearson's statistic over the members, and how often chance exceeds it when the same elections are drawn again: weights
 * change from draw to draw and there are few draws, so that no table of the chi-square distribution fits.
 */
export function fairnessTest(choices: readonly Election[]): { readonly statistic: number; readonly pValue: number } {
  const names = [...new Set(choices.flatMap(({ drawn, chances }) => [drawn, ...chances.map(([name]) => name)]))];
  const elections = choices.map(({ drawn, chances }) => ({
    drawn: names.indexOf(drawn),
    chances: chances.map(([name, chance]) => [names.indexOf(name), chance] as const),
  }));
  const expected = new Float64Array(names.length);
  for (const { chances } of elections) for (const [k, chance] of chances) expected[k]! += chance;
  const statisticOf = (observed: Float64Array): number =>
    observed.reduce((sum, count, k) => {
      const wanted = expected[k] as number;
      return wanted === 0 ? sum : sum + (count - wanted) ** 2 / wanted;
    }, 0);
  // Chance does not explain one that could not be drawn.
  if (choices.some(({ drawn, chances }) => (chances.find(([name]) => name === drawn)?.[1] ?? 0) === 0))
    return { statistic: Number.POSITIVE_INFINITY, pValue: 0 };
  const observed = new Float64Array(names.length);
  for (const { drawn } of elections) observed[drawn]! += 1;
  const statistic = statisticOf(observed);
  const random = randomStream('1', 'election-fairness');
  let exceeding = 0;
  for (let replica = 0; replica < REPLICAS; replica += 1) {
    observed.fill(0);
    for (const { chances } of elections) observed[drawnBy(random.next(), chances)]! += 1;
    if (statisticOf(observed) >= statistic - 1e-9) exceeding += 1;
  }
  return { statistic, pValue: (1 + exceeding) / (REPLICAS + 1) };
}

/** The candidate into whose part of the unit interval the number falls. */
function drawnBy(uniform: number, chances: readonly (readonly [number, number])[]): number {
  let sum = 0;
  let last = 0;
  for (const [k, chance] of chances) {
    if (chance === 0) continue;
    sum += chance;
    last = k;
    if (uniform < sum) return k;
  }
  return last;
}
