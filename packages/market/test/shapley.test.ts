import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededRng } from '../scripts/seeded-rng.ts';
import { coalitionValue } from '../src/coalition-problem.ts';
import {
  createMarket,
  linearLoss,
  type ProsumerMarket,
  sampledShapley,
  savingShapley,
  tableLoss,
} from '../src/index.ts';
import { exactShapley } from '../src/shapley.ts';
import { starShapley } from '../src/star-shapley.ts';
import { SEED } from './random-inputs.ts';
import { marketDraw, marketOf } from './random-markets.ts';

const everyone = (market: ProsumerMarket) => Array.from({ length: market.size }, (_, i) => i);
const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

function* permutations(items: readonly number[]): Generator<number[]> {
  if (items.length === 0) yield [];
  for (const item of items) {
    for (const rest of permutations(items.filter((other) => other !== item))) yield [item, ...rest];
  }
}

/** The definition: average contribution over all orders. */
function byPermutations(size: number, value: (positions: readonly number[]) => number): number[] {
  const sums = Array.from({ length: size }, () => 0);
  let orders = 0;
  for (const order of permutations(sums.map((_, i) => i))) {
    orders += 1;
    order.forEach((i, at) => {
      const before = [...order.slice(0, at)].sort((a, b) => a - b);
      const after = [...order.slice(0, at + 1)].sort((a, b) => a - b);
      sums[i]! += value(after) - value(before);
    });
  }
  return sums.map((sum) => sum / orders);
}

const saving = (market: ProsumerMarket) => (members: readonly number[]) => coalitionValue(market.model, members);

describe('exact Shapley value', () => {
  test('equals the average over all orders', () => {
    fc.assert(
      fc.property(marketDraw(5, 1), (draw) => {
        const market = marketOf(draw);
        const exact = exactShapley(market.size, saving(market));
        byPermutations(market.size, saving(market)).forEach((phi, i) => {
          expect(exact[i]).toBeCloseTo(phi, 10);
        });
      }),
      { seed: SEED, numRuns: 20 },
    );
  });

  test('is efficient, not negative, and additive in the game', () => {
    fc.assert(
      fc.property(marketDraw(9, 1), (draw) => {
        const market = marketOf(draw);
        const phi = savingShapley(market, everyone(market));
        expect(total(phi)).toBeCloseTo(coalitionValue(market.model, everyone(market)), 9);
        for (const share of phi) expect(share).toBeGreaterThanOrEqual(-1e-12);
        const withScores = exactShapley(
          market.size,
          (members) => saving(market)(members) + total(members.map((i) => market.singletonScoreKwh[i]!)),
        );
        withScores.forEach((share, i) => {
          expect(share).toBeCloseTo(phi[i]! + market.singletonScoreKwh[i]!, 9);
        });
      }),
      { seed: SEED, numRuns: 15 },
    );
  });

  test('twins get the same, a neutral member nothing', () => {
    const at = (xKm: number, yKm: number) => ({ xKm, yKm });
    const market = createMarket(
      [
        { productionKwh: 9, consumptionKwh: 0 },
        { productionKwh: 0, consumptionKwh: 5 },
        { productionKwh: 0, consumptionKwh: 5 },
        { productionKwh: 4, consumptionKwh: 4 },
        { productionKwh: 3, consumptionKwh: 1 },
      ],
      linearLoss([at(2, 2), at(3, 4), at(3, 4), at(2, 3), at(6, 1)]),
    );
    const phi = savingShapley(market, everyone(market));
    expect(phi[1]).toBeCloseTo(phi[2]!, 12);
    expect(phi[3]).toBeCloseTo(0, 12);
    expect(phi[0]).toBeGreaterThan(0);
  });
});

describe('closed form for stars', () => {
  /** `savings[i][j]`: rates chosen so that the arc saves `savings[i][j]` per kWh; 0 means that it loses. */
  const marketWith = (balances: readonly number[], acceptable: readonly (readonly [number, number])[]) =>
    createMarket(
      balances.map((balance) => ({ productionKwh: Math.max(0, balance), consumptionKwh: Math.max(0, -balance) })),
      tableLoss(
        balances.map((_, i) => 0.03 + 0.001 * i),
        balances.map((_, i) =>
          balances.map((__, j) =>
            acceptable.some(([a, b]) => (a === i && b === j) || (a === j && b === i)) ? 0.002 * (i + j) : 0.9,
          ),
        ),
      ),
    );

  test('agrees with the exact value for ample hubs on either side, lone pairs and bystanders', () => {
    // Seller 0 serves 1 and 2; buyer 3 is served by 4 and 5; 6 and 7 are a pair; 8 has no partner.
    const market = marketWith(
      [9, -4, -5, -8, 3, 2, 5, -7, -1],
      [
        [0, 1],
        [0, 2],
        [4, 3],
        [5, 3],
        [6, 7],
      ],
    );
    const star = starShapley(market.model, everyone(market))!;
    expect(star[8]).toBe(0);
    expect(Math.min(...star.slice(0, 8))).toBeGreaterThan(0);
    exactShapley(market.size, saving(market)).forEach((phi, i) => {
      expect(star[i]).toBeCloseTo(phi, 12);
    });
  });

  test('does not apply to a scarce hub or a path', () => {
    const arcs = [
      [0, 1],
      [0, 2],
    ] as const;
    expect(starShapley(marketWith([8.9, -4, -5], arcs).model, [0, 1, 2])).toBeUndefined();
    expect(starShapley(marketWith([9, -4, -5, 1], [...arcs, [3, 2]]).model, [0, 1, 2, 3])).toBeUndefined();
    const scarce = marketWith([6, -4, -5], arcs);
    const phi = savingShapley(scarce, [0, 1, 2]);
    exactShapley(3, saving(scarce)).forEach((share, i) => {
      expect(phi[i]).toBeCloseTo(share, 12);
    });
  });

  test('one order and its reverse are exact for a star', () => {
    const market = marketWith(
      [9, -4, -5],
      [
        [0, 1],
        [0, 2],
      ],
    );
    const sampled = sampledShapley(3, saving(market), seededRng(1), 2);
    expect(sampled.orders).toBe(2);
    starShapley(market.model, [0, 1, 2])!.forEach((phi, i) => {
      expect(sampled.value[i]).toBeCloseTo(phi, 12);
    });
  });
});

describe('sampled Shapley value', () => {
  test('is within three standard errors of the exact one, and adds up', () => {
    fc.assert(
      fc.property(marketDraw(9, 6), fc.nat(), (draw, seed) => {
        const market = marketOf(draw);
        const value = saving(market);
        const sampled = sampledShapley(market.size, value, seededRng(seed), 2000, 0);
        const exact = exactShapley(market.size, value);
        expect(sampled.orders).toBe(2000);
        expect(total(sampled.value)).toBeCloseTo(value(everyone(market)), 9);
        exact.forEach((phi, i) => {
          expect(Math.abs(sampled.value[i]! - phi)).toBeLessThanOrEqual(3 * sampled.standardError[i]! + 1e-9);
        });
      }),
      { seed: SEED, numRuns: 6 },
    );
  });

  test('stops early once it is accurate, and serves coalitions that are too large to enumerate', () => {
    const rng = seededRng(7);
    const prosumers = Array.from({ length: 13 }, (_, i) => ({
      productionKwh: i % 3 === 0 ? 9 * rng() : 0,
      consumptionKwh: i % 3 === 0 ? 0 : 9 * rng(),
    }));
    const market = createMarket(prosumers, linearLoss(prosumers.map(() => ({ xKm: 6 * rng(), yKm: 6 * rng() }))));
    const sampled = sampledShapley(market.size, saving(market), seededRng(3));
    const grand = saving(market)(everyone(market));
    expect(sampled.orders).toBeLessThan(2000);
    for (const error of sampled.standardError) expect(error).toBeLessThan(0.005 * grand);
    expect(savingShapley(market, everyone(market), seededRng(3))).toEqual(sampled.value);
    exactShapley(market.size, saving(market)).forEach((phi, i) => {
      expect(Math.abs(sampled.value[i]! - phi)).toBeLessThanOrEqual(0.02 * grand);
    });
  });
});
