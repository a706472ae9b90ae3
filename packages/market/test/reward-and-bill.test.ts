import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  billMarket,
  billSlot,
  createMarket,
  DEFAULT_PRICES,
  deviationCharge,
  mutualBaseline,
  rewardSlot,
  settleMarket,
  settleSlot,
  tableLoss,
} from '../src/index.ts';
import { SEED, scatteredInput } from './random-inputs.ts';
import { marketDraw, marketOf } from './random-markets.ts';

const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

describe('rewardSlot', () => {
  test('payoffs add up to the value saved, shares go to the winner only, fees are delta of the saving', () => {
    fc.assert(
      fc.property(marketDraw(12, 1), fc.nat(), fc.constantFrom(0.05, 0.1, 1), (draw, pick, deltaFraction) => {
        const market = marketOf(draw, { maxCoalitionSize: 12 });
        const outcome = settleSlot(market);
        const winner = pick % outcome.coalitions.length;
        const members = outcome.coalitions[winner]!.members;
        const saved = total(outcome.savingKwh);
        for (const shapleyBase of ['saving', 'proofScore'] as const) {
          const options = { deltaFraction, pricePerKwh: 0.19, shapleyBase };
          const rewards = rewardSlot(market, outcome, winner, options);
          expect(rewards.miningReward).toBeCloseTo(deltaFraction * 0.19 * saved, 9);
          expect(total(rewards.share)).toBeCloseTo(rewards.miningReward, 9);
          expect(total(rewards.fee)).toBeCloseTo(rewards.miningReward, 9);
          expect(total(rewards.payoff)).toBeCloseTo(0.19 * saved, 9);
          rewards.payoff.forEach((payoff, i) => {
            if (!members.includes(i)) expect(rewards.share[i]).toBe(0);
            expect(rewards.share[i]).toBeGreaterThanOrEqual(-1e-12);
            expect(payoff).toBeGreaterThanOrEqual(0.19 * (1 - deltaFraction) * outcome.savingKwh[i]! - 1e-9);
          });
          const literal = rewardSlot(market, outcome, winner, { ...options, literal322: true });
          expect(total(literal.payoff)).toBeCloseTo(0.19 * saved + rewards.miningReward, 9);
        }
      }),
      { seed: SEED, numRuns: 40 },
    );
  });

  test('a winner that saved nothing shares equally; without a winner nobody pays', () => {
    const at = (rate: number) => rate;
    const market = createMarket(
      [
        { productionKwh: 8, consumptionKwh: 0 },
        { productionKwh: 0, consumptionKwh: 6 },
        { productionKwh: 5, consumptionKwh: 0 },
      ],
      tableLoss(
        [at(0.04), at(0.036), 0],
        [
          [0, 0.02, 0.9],
          [0.02, 0, 0.9],
          [0.9, 0.9, 0],
        ],
      ),
    );
    const outcome = settleSlot(market);
    const rewards = rewardSlot(market, outcome, 1);
    expect(outcome.coalitions[1]!.members).toEqual([2]);
    expect(rewards.share).toEqual([0, 0, rewards.miningReward]);
    const nobody = rewardSlot(market, outcome, undefined);
    expect([nobody.miningReward, total(nobody.fee), total(nobody.share)]).toEqual([0, 0, 0]);
    expect(nobody.payoff).toEqual(outcome.savingKwh);
  });
});

describe('billSlot', () => {
  test('prosumers and EDC add up to 0, and trading never costs more than the EDC alone', () => {
    fc.assert(
      fc.property(marketDraw(14, 1), (draw) => {
        const market = marketOf(draw, { maxCoalitionSize: 12 });
        const outcome = settleSlot(market);
        for (const result of [outcome, mutualBaseline(market)]) {
          const { bill, withoutTrading, edc } = billSlot(market, result, DEFAULT_PRICES);
          expect(total(bill) + edc).toBeCloseTo(0, 9);
          bill.forEach((amount, i) => {
            expect(amount).toBeLessThanOrEqual(withoutTrading[i]! + 1e-9);
          });
        }
        const rewards = rewardSlot(market, outcome, 0, { pricePerKwh: DEFAULT_PRICES.lossPerKwh });
        const rewarded = billSlot(market, outcome, DEFAULT_PRICES, rewards);
        const plain = billSlot(market, outcome, DEFAULT_PRICES);
        expect(rewarded.edc).toBeCloseTo(plain.edc, 9);
        rewarded.bill.forEach((amount, i) => {
          expect(amount).toBeCloseTo(plain.bill[i]! + rewards.fee[i]! - rewards.share[i]!, 12);
        });
      }),
      { seed: SEED, numRuns: 40 },
    );
  });

  test('agrees with the bills of the chain to about a unit', () => {
    fc.assert(
      fc.property(scatteredInput(12, 30_000n), (input) => {
        const exact = settleMarket(input);
        const market = createMarket(
          input.balanceWh.map((balance) => ({
            productionKwh: Math.max(0, Number(balance) / 1000),
            consumptionKwh: Math.max(0, -Number(balance) / 1000),
          })),
          tableLoss(
            input.rateEdcPpb.map((rate) => Number(rate) / 1e9),
            input.ratePpb.map((row) => row.map((rate) => Number(rate) / 1e9)),
          ),
          { lossCharge: input.lossCharge, maxCoalitionSize: 12 },
        );
        const outcome = settleSlot(market);
        const winner = outcome.coalitions.length === 0 ? undefined : 0;
        const rewards = rewardSlot(market, outcome, winner, { pricePerKwh: 0.19 });
        const study = billSlot(market, outcome, DEFAULT_PRICES, rewards);
        const chain = billMarket(
          input,
          exact,
          {
            importMicroPerKwh: 300_000n,
            exportMicroPerKwh: 80_000n,
            localMicroPerKwh: 190_000n,
            lossMicroPerKwh: 190_000n,
            deviationMicroPerKwh: 220_000n,
            rewardPpm: 100_000n,
          },
          exact.coalitions[0]?.members ?? [],
        );
        study.bill.forEach((amount, i) => {
          // Energy, fee and share are rounded one by one.
          expect(Math.abs(1e6 * amount - Number(chain.billMicro[i]!))).toBeLessThan(4);
          expect(Math.abs(1e6 * study.withoutTrading[i]! - Number(chain.withoutTradingMicro[i]!))).toBeLessThan(1.1);
        });
        expect(Math.abs(1e6 * study.edc - Number(chain.edcMicro))).toBeLessThan(1.1);
      }),
      { seed: SEED, numRuns: 40 },
    );
  });

  test('deviations', () => {
    expect(deviationCharge(5, 3, DEFAULT_PRICES)).toBeCloseTo(2 * (0.3 + 0.22), 12);
    expect(deviationCharge(-4, -1, DEFAULT_PRICES)).toBeCloseTo(3 * (0.22 - 0.08), 12);
    expect(deviationCharge(2, 2, DEFAULT_PRICES)).toBeCloseTo(0, 12);
  });
});
