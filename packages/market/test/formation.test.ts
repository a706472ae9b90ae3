import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { optimizeLoss } from '../src/coalition-problem.ts';
import { dominates } from '../src/formation.ts';
import { createMarket, grandOptimum, linearLoss, settleMarket, settleSlot, tableLoss } from '../src/index.ts';
import { findParetoSplit } from '../src/pareto-split.ts';
import { SEED, scatteredInput } from './random-inputs.ts';
import { type MarketDraw, marketDraw, marketOf } from './random-markets.ts';

const check = (max: number, property: (draw: MarketDraw) => void, numRuns = 60) =>
  fc.assert(fc.property(marketDraw(max), property), { seed: SEED, numRuns });

const everyone = (n: number) => Array.from({ length: n }, (_, i) => i);
const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

describe('formation', () => {
  test('quantities balance; trades stay inside coalitions; coalitions are a partition', () => {
    check(18, (draw) => {
      const market = marketOf(draw);
      const outcome = settleSlot(market);
      const coalitionOf = (i: number) => outcome.coalitions.findIndex(({ members }) => members.includes(i));
      expect(outcome.coalitions.flatMap(({ members }) => [...members]).sort((a, b) => a - b)).toEqual(
        everyone(market.size),
      );
      for (const { seller, buyer, energy } of outcome.trades) {
        expect(market.balanceKwh[seller]! > 0 && market.balanceKwh[buyer]! < 0 && energy > 0).toBe(true);
        expect(coalitionOf(seller)).toBe(coalitionOf(buyer));
      }
      for (const i of everyone(market.size)) {
        const sold = total(outcome.trades.filter((t) => t.seller === i).map((t) => t.energy));
        const bought = total(outcome.trades.filter((t) => t.buyer === i).map((t) => t.energy));
        const through = outcome.exportKwh[i]! - outcome.importKwh[i]!;
        expect(sold - bought + through).toBeCloseTo(market.balanceKwh[i]!, 9);
      }
    });
  });

  test('nobody loses by it, and scores add up', () => {
    check(18, (draw) => {
      const market = marketOf(draw);
      const outcome = settleSlot(market);
      for (const i of everyone(market.size)) {
        expect(outcome.savingKwh[i]).toBeGreaterThanOrEqual(-1e-9);
        expect(outcome.proofScoreKwh[i]).toBeGreaterThanOrEqual(market.singletonScoreKwh[i]! - 1e-9);
      }
      outcome.coalitions.forEach(({ members, value }, k) => {
        const alone = total(members.map((i) => market.singletonScoreKwh[i]!));
        expect(outcome.coalitionScoreKwh[k]).toBeCloseTo(alone + value, 9);
      });
    });
  });

  test('every merge raises the sum, nothing splits, and the result is stable and below the grand optimum', () => {
    check(
      18,
      (draw) => {
        const market = marketOf(draw);
        const outcome = settleSlot(market);
        const { steps, splits, merges, rounds } = outcome.formation;
        for (const { kind, gain } of steps) expect(gain).toBeGreaterThan(kind === 'pair' ? -1e-12 : 1e-9);
        expect([splits, rounds]).toEqual([0, merges > 0 ? 2 : 1]);
        expect(total(steps.map(({ gain }) => gain))).toBeCloseTo(total(outcome.savingKwh), 9);
        expect(total(outcome.coalitions.map(({ value }) => value))).toBeLessThanOrEqual(
          grandOptimum(market).value + 1e-9,
        );
        for (const a of outcome.coalitions) {
          for (const b of outcome.coalitions) {
            if (a.members[0]! >= b.members[0]!) continue;
            const union = optimizeLoss(
              market.model,
              [...a.members, ...b.members].sort((x, y) => x - y),
            );
            const before = new Map([...a.members, ...b.members].map((i) => [i, outcome.savingKwh[i]!]));
            const worse = union.members.some((i, k) => union.saving[k]! < before.get(i)! - 1e-9);
            expect(worse || union.value - a.value - b.value <= 1e-9).toBe(true);
          }
        }
      },
      40,
    );
  });

  test('listing prosumers in another order permutes the outcome; moving everything changes nothing', () => {
    fc.assert(
      fc.property(marketDraw(14), fc.array(fc.nat(), { minLength: 14, maxLength: 14 }), (draw, keys) => {
        const order = everyone(draw.prosumers.length).sort((a, b) => keys[a]! - keys[b]! || a - b);
        const outcome = settleSlot(marketOf(draw));
        const relisted = settleSlot(
          marketOf({
            ...draw,
            prosumers: order.map((i) => draw.prosumers[i]!),
            positions: order.map((i) => draw.positions[i]!),
          }),
        );
        order.forEach((i, k) => {
          expect(relisted.savingKwh[k]).toBeCloseTo(outcome.savingKwh[i]!, 9);
        });
        const named = relisted.coalitions.map(({ members }) => members.map((k) => order[k]!).sort((a, b) => a - b));
        expect(named.sort((a, b) => a[0]! - b[0]!)).toEqual(outcome.coalitions.map(({ members }) => [...members]));
        const moved = draw.positions.map(({ xKm, yKm }) => ({ xKm: xKm + 7, yKm: yKm - 3 }));
        const shifted = settleSlot(
          createMarket(draw.prosumers, linearLoss(moved, { xKm: 17, yKm: 7 }), { lossCharge: draw.lossCharge }),
        );
        shifted.savingKwh.forEach((saving, i) => {
          expect(saving).toBeCloseTo(outcome.savingKwh[i]!, 9);
        });
      }),
      { seed: SEED, numRuns: 40 },
    );
  });

  test('edge cases', () => {
    const at = (xKm: number, yKm: number) => ({ xKm, yKm });
    const settle = (prosumers: [number, number][], positions = prosumers.map((_, i) => at(i, 2 * i))) =>
      settleSlot(
        createMarket(
          prosumers.map(([productionKwh, consumptionKwh]) => ({ productionKwh, consumptionKwh })),
          linearLoss(positions),
        ),
      );
    const alone = (n: number) => everyone(n).map((i) => [i]);
    for (const slot of [
      [],
      [[3, 1]],
      [
        [3, 1],
        [4, 0],
        [9, 2],
      ],
      [
        [1, 3],
        [0, 4],
      ],
      [
        [2, 2],
        [5, 5],
      ],
    ] as [number, number][][]) {
      const outcome = settle(slot);
      expect(outcome.coalitions.map(({ members }) => members)).toEqual(alone(slot.length));
      expect([outcome.trades, outcome.formation.rounds, outcome.physicalSavingKwh]).toEqual([[], 1, 0]);
    }
    // At the EDC nothing is lost alone, so nobody there trades.
    expect(
      settle(
        [
          [5, 0],
          [0, 5],
        ],
        [at(10, 10), at(3, 3)],
      ).trades,
    ).toEqual([]);
    // On one spot nothing is lost together.
    const together = settle(
      [
        [5, 0],
        [0, 5],
      ],
      [at(3, 3), at(3, 3)],
    );
    expect(together.physicalSavingKwh).toBeCloseTo(together.physicalLossAloneKwh, 12);
    const huge = settle(
      [
        [1e6, 0],
        [0, 1e6],
        [0.001, 0],
      ],
      [at(1, 1), at(2, 2), at(1, 19)],
    );
    expect(huge.trades.map(({ seller, buyer }) => [seller, buyer])).toEqual([[0, 1]]);
    expect(huge.savingKwh.every((saving) => saving >= 0)).toBe(true);
  });

  test('two sellers on one bus and two buyers on another: the rule decides, members save the same in any order', () => {
    const bus = [0, 0, 1, 1];
    const energy = [1, 1, -1, -1];
    const settle = (order: readonly number[]) =>
      settleSlot(
        createMarket(
          order.map((i) => ({ productionKwh: Math.max(0, energy[i]!), consumptionKwh: Math.max(0, -energy[i]!) })),
          tableLoss(
            order.map((i) => (bus[i] === 0 ? 0.03 : 0.04)),
            order.map((i) => order.map((j) => (bus[i] === bus[j] ? 0.001 : 0.01))),
          ),
        ),
      );
    expect(settle([0, 1, 2, 3]).trades.map(({ seller, buyer }) => [seller, buyer])).toEqual([
      [0, 2],
      [1, 3],
    ]);
    for (const order of [
      [1, 0, 2, 3],
      [3, 2, 1, 0],
      [2, 0, 3, 1],
    ]) {
      const { savingKwh } = settle(order);
      order.forEach((i, k) => {
        expect(savingKwh[k]).toBeCloseTo(bus[i] === 0 ? 0.025 : 0.035, 12);
      });
    }
  });
});

describe('forced trading', () => {
  test('trades as much as possible; with half charging and distances it saves as much as free trading', () => {
    check(9, (draw) => {
      for (const lossCharge of ['half', 'full'] as const) {
        const forced = marketOf({ ...draw, lossCharge }, { forced: true });
        const { trades, value } = grandOptimum(forced);
        const supply = total(forced.model.surplus);
        const demand = total(forced.model.deficit);
        expect(total(trades.map(({ energy }) => energy))).toBeCloseTo(Math.min(supply, demand), 7);
        const free = grandOptimum(marketOf({ ...draw, lossCharge })).value;
        if (lossCharge === 'half') expect(value).toBeCloseTo(free, 7);
        else expect(value).toBeLessThanOrEqual(free + 1e-9);
      }
    });
  });

  test('can lose energy with full charging, and its formation ends with nobody worse off', () => {
    let lost = 0;
    check(
      8,
      (draw) => {
        const market = marketOf({ ...draw, lossCharge: 'full' }, { forced: true });
        if (grandOptimum(market).value < -1e-6) lost += 1;
        const outcome = settleSlot(market);
        expect(outcome.savingKwh.every((saving) => saving >= -1e-9)).toBe(true);
        const last = outcome.formation.partitions.at(-1);
        expect(outcome.formation.partitions.at(-2)).toEqual(last);
      },
      40,
    );
    expect(lost).toBeGreaterThan(0);
  });

  test('splits a coalition that the forced trades make worse than its parts', () => {
    const market = createMarket([], linearLoss([]), { forced: true });
    const outcome = (members: readonly number[], saving: readonly number[]) => ({
      members,
      trades: [],
      saving,
      value: total(saving),
    });
    const worth: Record<string, number[]> = { '0,1': [3, 3], '2,3': [2, 2], '0,1,2,3': [3, 2, 2, 2] };
    const solve = (members: readonly number[]) => outcome(members, worth[members.join()] ?? members.map(() => 0));
    const parts = findParetoSplit(solve([0, 1, 2, 3]), solve, (after, before) =>
      dominates(market.model, after, before),
    );
    expect(parts?.map(({ members }) => members)).toEqual([
      [0, 1],
      [2, 3],
    ]);
    // The last bipartition tried: everybody but the last member on one side.
    const onlyFirstThree = (members: readonly number[]) =>
      outcome(members, members.join() === '0,1,2' ? [1, 1, 1] : members.map(() => 0));
    const apart = findParetoSplit(onlyFirstThree([0, 1, 2, 3]), onlyFirstThree, (after, before) =>
      dominates(market.model, after, before),
    );
    expect(apart?.map(({ members }) => members)).toEqual([[0, 1, 2], [3]]);
    expect(
      findParetoSplit(solve([0, 1]), solve, (after, before) => dominates(market.model, after, before)),
    ).toBeUndefined();
  });
});

test('the study form and the integer form agree where nothing ties', () => {
  fc.assert(
    fc.property(scatteredInput(16, 30_000n), (input) => {
      const exact = settleMarket(input);
      const study = settleSlot(
        createMarket(
          input.balanceWh.map((balance) => ({
            productionKwh: Math.max(0, Number(balance) / 1000),
            consumptionKwh: Math.max(0, -Number(balance) / 1000),
          })),
          tableLoss(
            input.rateEdcPpb.map((rate) => Number(rate) / 1e9),
            input.ratePpb.map((row) => row.map((rate) => Number(rate) / 1e9)),
          ),
          { lossCharge: input.lossCharge, maxCoalitionSize: input.maxCoalitionSize },
        ),
      );
      expect(study.coalitions.map(({ members }) => members)).toEqual(exact.coalitions.map(({ members }) => members));
      expect(study.trades.map(({ seller, buyer }) => [seller, buyer])).toEqual(
        exact.trades.map(({ seller, buyer }) => [seller, buyer]),
      );
      study.trades.forEach(({ energy }, k) => {
        expect(energy).toBeCloseTo(Number(exact.trades[k]!.energyWh) / 1000, 8);
      });
      study.savingKwh.forEach((saving, i) => {
        expect(saving).toBeCloseTo(Number(exact.savingHalfNanoWh[i]!) / 2e12, 9);
      });
      study.proofScoreKwh.forEach((score, i) => {
        expect(Math.abs(1000 * score - Number(exact.proofScoreWh[i]!) - 0.5)).toBeLessThanOrEqual(0.5 + 1e-6);
      });
      expect(study.physicalSavingKwh).toBeCloseTo(Number(exact.physicalSavingHalfNanoWh) / 2e12, 8);
      expect([study.formation.rounds, study.formation.merges]).toEqual([exact.rounds, exact.merges]);
    }),
    { seed: SEED, numRuns: 120 },
  );
});
