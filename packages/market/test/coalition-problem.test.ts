import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { realArithmetic } from '../src/arithmetic.ts';
import { arcSaving, coalitionValue, optimizeLoss, sidesOf, transportProblem } from '../src/coalition-problem.ts';
import { createMarket, grandOptimum, linearLoss, tableLoss } from '../src/index.ts';
import { solveTransport } from '../src/transport.ts';
import { enumeratedFlow } from './oracle/enumerated-flow.ts';
import { SEED, tiedInput } from './random-inputs.ts';
import { type MarketDraw, marketDraw, marketOf } from './random-markets.ts';

const check = (max: number, property: (draw: MarketDraw) => void, numRuns = 60) =>
  fc.assert(fc.property(marketDraw(max), property), { seed: SEED, numRuns });

const everyone = (n: number) => Array.from({ length: n }, (_, i) => i);
const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
const subset = (n: number, mask: number) => everyone(n).filter((i) => (mask >> i) & 1);

describe('the coalition problem', () => {
  test('v is superadditive, monotone, and 0 for one-sided sets', () => {
    check(
      7,
      (draw) => {
        const { model, size } = marketOf(draw);
        const value = everyone(2 ** size).map((mask) => coalitionValue(model, subset(size, mask)));
        for (let mask = 0; mask < 2 ** size; mask++) {
          const { sellers, buyers } = sidesOf(model, subset(size, mask));
          if (sellers.length === 0 || buyers.length === 0) expect(value[mask]).toBe(0);
          for (let i = 0; i < size; i++) expect(value[mask | (1 << i)]! - value[mask]!).toBeGreaterThanOrEqual(-1e-9);
          const rest = (2 ** size - 1) ^ mask;
          expect(value[2 ** size - 1]! - value[mask]! - value[rest]!).toBeGreaterThanOrEqual(-1e-9);
        }
      },
      25,
    );
  });

  test('v and its trades agree, and scale with distances and with energy', () => {
    check(9, (draw) => {
      const market = marketOf(draw);
      const { value, saving } = grandOptimum(market);
      expect(coalitionValue(market.model, everyone(market.size))).toBeCloseTo(value, 9);
      expect(total(saving)).toBeCloseTo(value, 9);
      const tripled = draw.prosumers.map(({ productionKwh, consumptionKwh }) => ({
        productionKwh: 3 * productionKwh,
        consumptionKwh: 3 * consumptionKwh,
      }));
      expect(grandOptimum(marketOf({ ...draw, prosumers: tripled })).value).toBeCloseTo(3 * value, 7);
      const lossier = linearLoss(draw.positions, undefined, 2 * 0.0039598);
      const usual = linearLoss(draw.positions, undefined, 0.0039598);
      const options = { lossCharge: draw.lossCharge };
      expect(grandOptimum(createMarket(draw.prosumers, lossier, options)).value).toBeCloseTo(
        2 * grandOptimum(createMarket(draw.prosumers, usual, options)).value,
        9,
      );
    });
  });

  test('half: every arc saves (triangle inequality); full: every arc of an acceptable pair does', () => {
    check(10, (draw) => {
      const market = marketOf(draw);
      const { sellers, buyers } = sidesOf(market.model, everyone(market.size));
      for (const i of sellers) {
        for (const j of buyers) {
          const saving = arcSaving(market.model, i, j);
          if (draw.lossCharge === 'half') expect(saving).toBeGreaterThanOrEqual(-1e-15);
          else if (market.model.pairRate(i, j) !== undefined) expect(saving).toBeGreaterThan(0);
        }
      }
    });
  });

  test('optimal duals are in the core', () => {
    check(
      8,
      (draw) => {
        const { model, size } = marketOf(draw);
        const { sellers, buyers } = sidesOf(model, everyone(size));
        const problem = transportProblem(model, sellers, buyers, model.arcWeight);
        const { supplyPrice, demandPrice } = solveTransport(realArithmetic, problem);
        const pay = everyone(size).map(() => 0);
        sellers.forEach((i, a) => {
          pay[i] = supplyPrice[a]! * problem.supply[a]!;
        });
        buyers.forEach((j, b) => {
          pay[j] = demandPrice[b]! * problem.demand[b]!;
        });
        expect(total(pay)).toBeCloseTo(optimizeLoss(model, everyone(size)).value, 9);
        for (let mask = 0; mask < 2 ** size; mask++) {
          const members = subset(size, mask);
          expect(total(members.map((i) => pay[i]!))).toBeGreaterThanOrEqual(optimizeLoss(model, members).value - 1e-9);
        }
      },
      20,
    );
  });
});

test('in floating point too, ties between flows go to the lexicographically largest', () => {
  fc.assert(
    fc.property(tiedInput(6, 3n), (input) => {
      // Rates of 0.001 and energies of 0.1 kWh have no exact double, so equal savings come out slightly unequal.
      const market = createMarket(
        input.balanceWh.map((balance) => ({
          productionKwh: Math.max(0, Number(balance)) / 10,
          consumptionKwh: Math.max(0, -Number(balance)) / 10,
        })),
        tableLoss(
          input.rateEdcPpb.map((rate) => Number(rate) / 1000),
          input.ratePpb.map((row) => row.map((rate) => Number(rate) / 1000)),
        ),
        { lossCharge: input.lossCharge },
      );
      const { sellers, buyers } = sidesOf(market.model, everyone(market.size));
      const charged = input.lossCharge === 'half' ? 1n : 2n;
      const expected = enumeratedFlow(
        sellers.map((i) => input.balanceWh[i]!),
        buyers.map((j) => -input.balanceWh[j]!),
        sellers.map((i) =>
          buyers.map((j) => input.rateEdcPpb[i]! + input.rateEdcPpb[j]! - charged * input.ratePpb[i]![j]!),
        ),
        () => 0n,
      );
      const flow = sellers.map(() => buyers.map(() => 0n));
      for (const { seller, buyer, energy } of grandOptimum(market).trades) {
        flow[sellers.indexOf(seller)]![buyers.indexOf(buyer)] = BigInt(Math.round(10 * energy));
      }
      expect(flow).toEqual(expected.flow);
    }),
    { seed: SEED, numRuns: 400 },
  );
});
