import { describe, expect, test } from 'vitest';
import { seededRng } from '../scripts/seeded-rng.ts';
import {
  clampedLoss,
  createMarket,
  ENERGY_DISTRIBUTIONS,
  firstComeNearestBaseline,
  type LossRates,
  linearLoss,
  type MarketOptions,
  mutualBaseline,
  randomProsumers,
  type SlotStatistics,
  singlePartnerBaseline,
  slotStatistics,
  summarize,
} from '../src/index.ts';
import { AREA_SIDE_KM, CONSUMPTION_MEAN_KWH, ENERGY_SD_KWH, PRODUCTION_MEAN_KWH } from '../src/random-prosumers.ts';

const SEEDS = 300;
/** The reference averages 60 seeds of each of the three distributions. */
const REFERENCE_SAMPLES = 180;

/** Columns of the reference table: traded, saving (with standard deviations), and the others, per cent. */
const REFERENCE = [
  { n: 10, traded: [40.8, 21.8], saving: [26.5, 15.1], grand: 29.0, single: 21.6, firstCome: 22.7, coalitions: 6.2 },
  { n: 20, traded: [46.3, 19.2], saving: [33.8, 13.8], grand: 37.1, single: 27.0, firstCome: 27.1, coalitions: 11.7 },
] as const;

describe.each(REFERENCE)('reference statistics, n = $n', (reference) => {
  const slots: SlotStatistics[] = [];
  for (const distribution of ENERGY_DISTRIBUTIONS) {
    for (let seed = 0; seed < SEEDS; seed++) {
      slots.push(slotStatistics(reference.n, distribution, seededRng(1_000_003 * reference.n + seed)));
    }
  }
  const summary = summarize(slots);

  test('traded energy and saving lie within four combined standard errors', () => {
    for (const [ours, [mean, sd]] of [
      [summary.tradedPercent, reference.traded],
      [summary.savingPercent, reference.saving],
    ] as const) {
      const error = Math.hypot(sd / Math.sqrt(REFERENCE_SAMPLES), ours.standardDeviation / Math.sqrt(slots.length));
      expect(Math.abs(ours.mean - mean)).toBeLessThanOrEqual(4 * error);
    }
  });

  test('the distances between merge-and-split and the other mechanisms are those of the reference', () => {
    // Differences on the same slots vary far less than the columns themselves, so a point is a strict bound.
    const apart = (column: 'grandSavingPercent' | 'singlePartnerPercent' | 'firstComeNearestPercent') =>
      summary.savingPercent.mean - summary[column].mean;
    expect(Math.abs(apart('grandSavingPercent') - (reference.saving[0] - reference.grand))).toBeLessThan(1);
    expect(Math.abs(apart('singlePartnerPercent') - (reference.saving[0] - reference.single))).toBeLessThan(1);
    expect(Math.abs(apart('firstComeNearestPercent') - (reference.saving[0] - reference.firstCome))).toBeLessThan(1);
    expect(Math.abs(summary.coalitions.mean - reference.coalitions)).toBeLessThan(1);
    // Trading by increasing loss without any coalition saves as much as merge-and-split does, slightly more in fact.
    expect(Math.abs(summary.mutualPercent.mean - summary.savingPercent.mean)).toBeLessThan(1.5);
  });
});

describe('variants at n = 20, as differences on the same slots', () => {
  const variant = (options: MarketOptions, wrapLoss?: (rates: LossRates) => LossRates) =>
    summarize(
      ENERGY_DISTRIBUTIONS.flatMap((distribution) =>
        Array.from({ length: 150 }, (_, seed) => slotStatistics(20, distribution, seededRng(seed), options, wrapLoss)),
      ),
    );
  const half = variant({});

  test('full charging: fewer trades pass, and the letter of 3.21 counts their loss twice', () => {
    const full = variant({ lossCharge: 'full' });
    expect(Math.abs(full.savingPercent.mean - half.savingPercent.mean - (29.8 - 33.8))).toBeLessThan(1);
    expect(Math.abs(full.chargedSavingPercent.mean - full.savingPercent.mean - (21.9 - 29.8))).toBeLessThan(1);
    expect(half.chargedSavingPercent.mean).toBeCloseTo(half.savingPercent.mean, 9);
  });

  test('clamped rates', () => {
    const clamped = variant({}, clampedLoss);
    expect(Math.abs(clamped.savingPercent.mean - half.savingPercent.mean - (31.4 - 33.8))).toBeLessThan(1);
    expect(Math.abs(clamped.tradedPercent.mean - half.tradedPercent.mean - (49.4 - 46.3))).toBeLessThan(1.5);
  });
});

describe('baselines', () => {
  const at = (xKm: number, yKm: number) => ({ xKm, yKm });
  // Two sellers left of the EDC and two buyers; buyer 3 is nearer to seller 1 than to seller 0.
  const market = createMarket(
    [
      { productionKwh: 5, consumptionKwh: 0 },
      { productionKwh: 2, consumptionKwh: 0 },
      { productionKwh: 0, consumptionKwh: 1 },
      { productionKwh: 0, consumptionKwh: 4 },
    ],
    linearLoss([at(1, 1), at(2, 4), at(1, 2), at(2, 5)]),
  );
  const traded = (trades: readonly { seller: number; buyer: number; energy: number }[]) =>
    trades.map(({ seller, buyer, energy }) => [seller, buyer, energy]);

  test('one partner per buyer', () => {
    expect(traded(singlePartnerBaseline(market, seededRng(1)).trades)).toEqual([
      [0, 2, 1],
      [1, 3, 2],
    ]);
  });

  test('the nearest sellers in turn', () => {
    expect(traded(firstComeNearestBaseline(market, seededRng(1)).trades)).toEqual([
      [0, 2, 1],
      [0, 3, 2],
      [1, 3, 2],
    ]);
  });

  test('all pairs by increasing loss; a pair that costs one side is refused', () => {
    expect(traded(mutualBaseline(market).trades)).toEqual([
      [0, 2, 1],
      [0, 3, 2],
      [1, 3, 2],
    ]);
    const far = createMarket(
      [
        { productionKwh: 5, consumptionKwh: 0 },
        { productionKwh: 0, consumptionKwh: 5 },
      ],
      linearLoss([at(1, 10), at(10.5, 10)]),
    );
    expect(mutualBaseline(far).trades).toEqual([]);
    expect(firstComeNearestBaseline(far, seededRng(1)).trades).toEqual([]);
    // The same pair the other way round: now the seller is next to the EDC.
    const reversed = createMarket(
      [
        { productionKwh: 5, consumptionKwh: 0 },
        { productionKwh: 0, consumptionKwh: 5 },
      ],
      linearLoss([at(10.5, 10), at(1, 10)]),
    );
    expect(mutualBaseline(reversed).trades).toEqual([]);
  });
});

describe('random prosumers', () => {
  test.each(ENERGY_DISTRIBUTIONS)('%s: places fill the square, energies have the stated moments', (distribution) => {
    const { prosumers, positions } = randomProsumers(40_000, distribution, seededRng(5));
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(Math.max(...positions.map(({ xKm }) => xKm))).toBeLessThanOrEqual(AREA_SIDE_KM);
    expect(mean(positions.map(({ yKm }) => yKm))).toBeCloseTo(AREA_SIDE_KM / 2, 0);
    const consumption = prosumers.map(({ consumptionKwh }) => consumptionKwh);
    const production = prosumers.map(({ productionKwh }) => productionKwh);
    expect(Math.min(...consumption, ...production)).toBeGreaterThanOrEqual(0);
    if (distribution === 'logNormal') {
      // Never negative, so nothing is cut off and both moments hold.
      expect(Math.abs(mean(production) - PRODUCTION_MEAN_KWH)).toBeLessThan(0.3);
      expect(Math.abs(mean(consumption) - CONSUMPTION_MEAN_KWH)).toBeLessThan(0.3);
      const variance = mean(consumption.map((value) => (value - CONSUMPTION_MEAN_KWH) ** 2));
      expect(Math.abs(Math.sqrt(variance) - ENERGY_SD_KWH)).toBeLessThan(0.6);
    } else {
      // What is cut off below zero raises the means: production clearly, consumption a little.
      expect(mean(production)).toBeGreaterThan(PRODUCTION_MEAN_KWH + 0.3);
      expect(mean(consumption)).toBeGreaterThan(CONSUMPTION_MEAN_KWH - 0.15);
      expect(mean(consumption)).toBeLessThan(CONSUMPTION_MEAN_KWH + 1);
    }
  });
});

test('clamped rates lie between 1.8 and 5.6 %', () => {
  const rates = clampedLoss(
    linearLoss([
      { xKm: 10, yKm: 10 },
      { xKm: 10, yKm: 11 },
      { xKm: -20, yKm: 0 },
    ]),
  );
  expect([rates.rateEdc(0), rates.rate(0, 1), rates.rate(0, 2)]).toEqual([0.018, 0.018, 0.056]);
});
