import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { billMarket, deviationBill, type IntegerMarketInput, type IntegerPrices, settleMarket } from '../src/index.ts';
import { SEED, scatteredInput } from './random-inputs.ts';

const sum = (values: readonly bigint[]) => values.reduce((total, value) => total + value, 0n);
const PRICES: IntegerPrices = {
  importMicroPerKwh: 300_000n,
  exportMicroPerKwh: 80_000n,
  localMicroPerKwh: 190_000n,
  lossMicroPerKwh: 190_000n,
  deviationMicroPerKwh: 220_000n,
  rewardPpm: 100_000n,
};

/** One seller of 8 kWh and one buyer of 6 kWh; rates 4 %, 3.6 % and 2 %. */
const PAIR: IntegerMarketInput = {
  balanceWh: [8000n, -6000n],
  rateEdcPpb: [40_000_000n, 36_000_000n],
  ratePpb: [
    [0n, 20_000_000n],
    [20_000_000n, 0n],
  ],
  lossCharge: 'half',
  maxCoalitionSize: 12,
  tieWeight: () => 0n,
};

describe('billMarket', () => {
  test('adds up by hand for a pair', () => {
    const outcome = settleMarket(PAIR);
    const bills = billMarket(PAIR, outcome, PRICES, [0, 1]);
    // Seller: sells 6 kWh locally, 2 kWh to the EDC; loses 6 x 0.01 + 2 x 0.04 = 0.14 kWh; saves 6 x (0.04 - 0.01) =
    // 0.18. Buyer: loses 6 x 0.01 = 0.06 kWh; saves 6 x (0.036 - 0.01) = 0.156. Reward 0.1 x 0.19 x 0.336 = 0.006384,
    // halved.
    expect(bills.feeMicro).toEqual([3420n, 2964n]);
    expect(bills.rewardMicro).toBe(6384n);
    expect(bills.shareMicro).toEqual([3192n, 3192n]);
    expect(bills.billMicro).toEqual([
      -6n * 190_000n - 2n * 80_000n + 26_600n + 3420n - 3192n,
      6n * 190_000n + 11_400n + 2964n - 3192n,
    ]);
    expect(bills.withoutTradingMicro).toEqual([-8n * 80_000n + 60_800n, 6n * 300_000n + 41_040n]);
    expect(bills.edcMicro).toBe(160_000n - 26_600n - 11_400n);
  });

  test('charges no fee when nobody was drawn', () => {
    const bills = billMarket(PAIR, settleMarket(PAIR), PRICES, []);
    expect(bills.rewardMicro).toBe(0n);
    expect([...bills.feeMicro, ...bills.shareMicro]).toEqual([0n, 0n, 0n, 0n]);
    expect(bills.billMicro[0]).toBe(-6n * 190_000n - 2n * 80_000n + 26_600n);
  });

  test('a drawn member that saved nothing gets the whole reward; several would share it equally', () => {
    const input: IntegerMarketInput = {
      ...PAIR,
      balanceWh: [8000n, -6000n, 5000n],
      rateEdcPpb: [...PAIR.rateEdcPpb, 1n],
      ratePpb: [
        [0n, 20_000_000n, 900_000_000n],
        [20_000_000n, 0n, 900_000_000n],
        [900_000_000n, 900_000_000n, 0n],
      ],
    };
    const outcome = settleMarket(input);
    expect(outcome.coalitions.map(({ members }) => members)).toEqual([[0, 1], [2]]);
    expect(billMarket(input, outcome, PRICES, [2]).shareMicro).toEqual([0n, 0n, 6384n]);
  });

  test('conserves money to the unit, fees and shares add up to the reward', () => {
    fc.assert(
      fc.property(scatteredInput(12, 30_000n), fc.nat(), (input, pick) => {
        const outcome = settleMarket(input);
        const winner = outcome.coalitions[pick % Math.max(1, outcome.coalitions.length)]?.members ?? [];
        const bills = billMarket(input, outcome, PRICES, winner);
        expect(sum(bills.billMicro) + bills.edcMicro).toBe(0n);
        expect(sum(bills.feeMicro)).toBe(bills.rewardMicro);
        expect(sum(bills.shareMicro)).toBe(winner.length > 0 ? bills.rewardMicro : 0n);
        bills.shareMicro.forEach((share, i) => {
          expect(share >= 0n && (share === 0n || winner.includes(i))).toBe(true);
          // Trading at a local price between export and import, with less loss, never costs more than the EDC alone.
          expect(bills.billMicro[i]! - bills.feeMicro[i]! + share <= bills.withoutTradingMicro[i]! + 1n).toBe(true);
        });
        // The fee is delta of the saving's value, rounded either way.
        bills.feeMicro.forEach((fee, i) => {
          const exact = PRICES.rewardPpm * PRICES.lossMicroPerKwh * outcome.savingHalfNanoWh[i]!;
          const unit = 1_000_000n * 1000n * 2_000_000_000n;
          expect(fee === exact / unit || fee === exact / unit + 1n).toBe(true);
        });
      }),
      { seed: SEED, numRuns: 80 },
    );
  });

  test('rounded bills differ from the exact ones by less than a unit', () => {
    fc.assert(
      fc.property(scatteredInput(10, 5000n), (input) => {
        const outcome = settleMarket(input);
        const bills = billMarket(input, outcome, PRICES, []);
        const unit = 1000n * 2_000_000_000n;
        input.balanceWh.forEach((_, i) => {
          const local = outcome.trades.reduce(
            (total, t) => total + (t.buyer === i ? t.energyWh : 0n) - (t.seller === i ? t.energyWh : 0n),
            0n,
          );
          const exact =
            (300_000n * outcome.importWh[i]! - 80_000n * outcome.exportWh[i]! + 190_000n * local) * 2_000_000_000n +
            190_000n * outcome.lossChargedHalfNanoWh[i]!;
          const error = bills.billMicro[i]! * unit - exact;
          expect(error > -unit && error < unit).toBe(true);
        });
      }),
      { seed: SEED, numRuns: 60 },
    );
  });
});

describe('deviationBill', () => {
  test('settles the difference with the EDC and charges for it', () => {
    // Announced 5 kWh, delivered 3: buys 2 kWh at 0.30 and pays 0.22 for each.
    expect(deviationBill(5000n, 3000n, PRICES)).toEqual({ memberMicro: 1_040_000n, edcMicro: -1_040_000n });
    // Announced -4 kWh, used 1: is paid 0.08 for 3 kWh and pays 0.22 for each.
    expect(deviationBill(-4000n, -1000n, PRICES)).toEqual({ memberMicro: 420_000n, edcMicro: -420_000n });
    expect(deviationBill(-4000n, -4000n, PRICES)).toEqual({ memberMicro: 0n, edcMicro: 0n });
  });

  test('rounds to the nearest unit and sums to 0 for any integers', () => {
    const anything = fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n });
    fc.assert(
      fc.property(anything, anything, (announced, metered) => {
        const { memberMicro, edcMicro } = deviationBill(announced, metered, { ...PRICES, exportMicroPerKwh: 80_001n });
        const deviation = metered > announced ? metered - announced : announced - metered;
        const exact = deviation * ((metered > announced ? -80_001n : 300_000n) + 220_000n);
        const error = 2n * (memberMicro * 1000n - exact);
        expect(error > -1000n && error <= 1000n).toBe(true);
        expect(memberMicro + edcMicro).toBe(0n);
      }),
      { seed: SEED, numRuns: 200 },
    );
  });
});
