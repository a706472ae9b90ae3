import { describe, expect, test } from 'vitest';
import { seededRng } from '../scripts/seeded-rng.ts';
import {
  createMarket,
  generatedGrandOptimum,
  grandOptimum,
  linearLoss,
  nearestPartnerArcs,
  randomProsumers,
  settleSlot,
} from '../src/index.ts';

function slot(count: number, seed: number) {
  const { prosumers, positions } = randomProsumers(count, 'normal', seededRng(seed));
  const market = createMarket(prosumers, linearLoss(positions));
  return { prosumers, positions, market };
}

describe('nearestPartnerArcs', () => {
  test.each([1, 7, 40, 150])('finds what looking at everybody finds (%i prosumers)', (count) => {
    const { positions, market } = slot(count, 11);
    const isArc = nearestPartnerArcs(positions, market.balanceKwh, 3);
    const km = (i: number, j: number) =>
      Math.hypot(positions[i]!.xKm - positions[j]!.xKm, positions[i]!.yKm - positions[j]!.yKm);
    const everyone = positions.map((_, i) => i);
    const nearest = (i: number) =>
      everyone
        .filter((j) => market.balanceKwh[i]! * market.balanceKwh[j]! < 0)
        .sort((a, b) => km(i, a) - km(i, b) || a - b)
        .slice(0, 3);
    const near = everyone.map(nearest);
    for (const i of everyone) {
      for (const j of everyone) {
        if (!(market.balanceKwh[i]! > 0 && market.balanceKwh[j]! < 0)) continue;
        expect(isArc(i, j)).toBe(near[i]!.includes(j) || near[j]!.includes(i));
      }
    }
  });

  test('copes with everybody on one spot', () => {
    const positions = [0, 1, 2].map(() => ({ xKm: 4, yKm: 4 }));
    const isArc = nearestPartnerArcs(positions, [3, -1, -2], 1);
    expect([isArc(0, 1), isArc(0, 2)]).toEqual([true, true]);
  });
});

describe('large slots', () => {
  test('column generation reaches the grand optimum from a few arcs, or from none', () => {
    for (const seed of [1, 2, 3]) {
      const { positions, market } = slot(60, seed);
      const optimum = grandOptimum(market).value;
      const generated = generatedGrandOptimum(market, nearestPartnerArcs(positions, market.balanceKwh, 2));
      expect(generated.value).toBeCloseTo(optimum, 9);
      expect(generated.passes).toBeGreaterThan(1);
      expect(generated.arcs).toBeLessThan(
        market.balanceKwh.filter((e) => e > 0).length * market.balanceKwh.filter((e) => e < 0).length,
      );
      expect(generatedGrandOptimum(market, () => false).value).toBeCloseTo(optimum, 9);
    }
  });

  test('formation on nearest arcs solves far fewer problems and saves nearly as much', () => {
    const { prosumers, positions, market } = slot(100, 4);
    const all = settleSlot(market);
    const near = settleSlot(
      createMarket(prosumers, linearLoss(positions), { isArc: nearestPartnerArcs(positions, market.balanceKwh) }),
    );
    expect(near.formation.problemsSolved).toBeLessThan(all.formation.problemsSolved / 2);
    expect(near.physicalSavingKwh).toBeGreaterThan(0.97 * all.physicalSavingKwh);
    expect(near.savingKwh.every((saving) => saving >= -1e-9)).toBe(true);
  });
});
