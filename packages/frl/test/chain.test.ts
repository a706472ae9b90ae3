import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apportion, floorDivide, PPM } from '../src/chain/integer-arithmetic.ts';
import {
  advanceBatteryWh,
  defaultIntegerBattery,
  projectActionWh,
  validateIntegerBattery,
} from '../src/chain/integer-battery.ts';
import { clearIntegerAuction, clearIntegerPool } from '../src/chain/integer-market.ts';
import { releaseEscrow, settledProfitMicro, splitMiningReward } from '../src/chain/integer-mining-reward.ts';
import {
  advanceIntegerScoreLedger,
  integerProofScore,
  integerSelectionWeights,
  slotScorePpmWh,
} from '../src/chain/integer-score.ts';
import {
  defaultIntegerTariff,
  integerDeltaPpm,
  integerPriceTriple,
  integerSlotPrices,
  integerSlotTariff,
  validateIntegerTariff,
} from '../src/chain/integer-tariff.ts';
import { clearDoubleAuction, type Order } from '../src/market/double-auction.ts';
import { POSOC_PRESETS } from '../src/posoc/posoc-presets.ts';
import { proofScore } from '../src/posoc/proof-score.ts';
import { golden } from './golden/golden.ts';

const micro = (cad: number): bigint => BigInt(Math.round(cad * 1e6));
const wh = (kwh: number): bigint => BigInt(Math.round(kwh * 1e3));
const goldenTariff = {
  ...defaultIntegerTariff('paper'),
  v2vPpm: micro(golden.meta.kV2V),
  gridBuyPpm: micro(golden.meta.kGridBuy),
};
const goldenTriple = { off: 80_000n, mid: 120_000n, on: 150_000n };

const battery = defaultIntegerBattery('sound');
const prices = integerSlotPrices(150_000n, goldenTariff);
const arbitraryActions = fc.array(fc.bigInt(-10_000n, 10_000n), { minLength: 1, maxLength: 12 });
const total = (values: readonly bigint[]): bigint => values.reduce((sum, value) => sum + value, 0n);

describe('arithmetic', () => {
  it('floors towards minus infinity', () => {
    expect([floorDivide(7n, 2n), floorDivide(-7n, 2n), floorDivide(-8n, 2n)]).toEqual([3n, -4n, -4n]);
  });

  it('apportions by largest remainder, ties to the lower rank', () => {
    expect(apportion(10n, [1n, 1n, 1n])).toEqual([4n, 3n, 3n]);
    expect(apportion(100n, [1n, 2n, 4n])).toEqual([14n, 29n, 57n]);
    expect(apportion(0n, [0n, 0n])).toEqual([0n, 0n]);
    expect(() => apportion(1n, [0n])).toThrowError(expect.objectContaining({ code: 'FRL_INVALID_INPUT' }));
    expect(() => apportion(1n, [-1n, 2n])).toThrowError(expect.objectContaining({ code: 'FRL_INVALID_INPUT' }));
  });

  it('apportions the whole and stays within one unit of the exact share', () => {
    fc.assert(
      fc.property(
        fc.bigInt(0n, 10n ** 12n),
        fc.array(fc.bigInt(0n, 10n ** 9n), { minLength: 1 }),
        (amount, weights) => {
          fc.pre(total(weights) > 0n);
          const parts = apportion(amount, weights);
          expect(total(parts)).toBe(amount);
          parts.forEach((part, i) => {
            const exact = (amount * (weights[i] as bigint)) / total(weights);
            expect(part === exact || part === exact + 1n).toBe(true);
          });
        },
      ),
    );
  });
});

describe('tariff', () => {
  it.each(golden.delta)('delta of $period under $lam', ({ period, lam, floor, expect: expected }) => {
    const delta = integerDeltaPpm(micro(lam[period as 'off']), micro(lam.off), micro(floor));
    expect(Math.abs(Number(delta) / 1e6 - expected)).toBeLessThan(1e-6);
  });

  it('prices and scores a whole golden day as the floats do', () => {
    const day = golden.episodes[0] as (typeof golden.episodes)[number];
    for (const row of day.rows) {
      const slot = integerSlotTariff(goldenTariff, goldenTriple, row.h);
      expect(slot.period).toBe(row.period);
      expect([slot.deltaPpm, slot.gridSellMicro, slot.v2vMicro, slot.gridBuyMicro]).toEqual(
        [row.delta, row.pGsell, row.pV2V, row.pGbuy].map(micro),
      );
    }
  });

  it('refuses prices in the wrong order', () => {
    const invalid = expect.objectContaining({ code: 'FRL_INVALID_CONFIG' });
    expect(() => validateIntegerTariff({ ...goldenTariff, v2vPpm: goldenTariff.gridBuyPpm })).toThrowError(invalid);
    expect(() => validateIntegerTariff({ ...goldenTariff, deltaFloorPpm: PPM + 1n })).toThrowError(invalid);
    expect(() => integerSlotPrices(2n, goldenTariff)).toThrowError(
      expect.objectContaining({ code: 'FRL_INVALID_INPUT' }),
    );
    validateIntegerTariff(goldenTariff);
  });

  it('draws the same ordered triple on every peer, with the stated mean and spread', () => {
    const seed = new Uint8Array([1, 2, 3]);
    const tariff = defaultIntegerTariff('paper');
    expect(integerPriceTriple(tariff, seed, 4)).toEqual(integerPriceTriple(tariff, seed, 4));
    expect(integerPriceTriple(tariff, seed, 4)).not.toEqual(integerPriceTriple(tariff, seed, 5));
    const on: number[] = [];
    for (let day = 0; day < 2000; day++) {
      const triple = integerPriceTriple(tariff, seed, day);
      expect(triple.on > triple.mid && triple.mid > triple.off).toBe(true);
      for (const period of ['off', 'mid', 'on'] as const) {
        const sds = Number(triple[period] - tariff.meanMicroPerKwh[period]) / 10_000;
        expect(Math.abs(sds)).toBeLessThanOrEqual(3);
      }
      on.push(Number(triple.on) / 1e6);
    }
    const mean = on.reduce((sum, price) => sum + price, 0) / on.length;
    const sd = Math.sqrt(on.reduce((sum, price) => sum + (price - mean) ** 2, 0) / on.length);
    expect(Math.abs(mean - 0.17)).toBeLessThan(0.001);
    expect(Math.abs(sd - 0.01)).toBeLessThan(0.001);
  });
});

describe('battery', () => {
  it.each(golden.clip)('a request of $request kWh at $energy kWh', ({ energy, request, expect: expected }) => {
    const action = projectActionWh(defaultIntegerBattery('paper'), wh(energy), wh(request));
    expect(action).toBe(wh(expected));
  });

  it('never leaves the band, whatever is asked, and projects once and for all', () => {
    fc.assert(
      fc.property(fc.bigInt(8_400n, 33_600n), fc.bigInt(-(10n ** 15n), 10n ** 15n), (energy, request) => {
        const action = projectActionWh(battery, energy, request);
        const after = advanceBatteryWh(battery, energy, action);
        expect(after >= battery.minEnergyWh && after <= battery.maxEnergyWh).toBe(true);
        expect(projectActionWh(battery, energy, action)).toBe(action);
        expect(action >= -10_000n && action <= 10_000n).toBe(true);
      }),
    );
  });

  it('rounds losses against the battery: energy is never created', () => {
    expect(advanceBatteryWh(battery, 20_000n, -1n)).toBe(19_998n);
    expect(advanceBatteryWh(battery, 20_000n, 1n)).toBe(20_000n);
    expect(advanceBatteryWh(battery, 20_000n, -9_500n)).toBe(10_000n);
  });

  it('refuses a band or efficiency that cannot be', () => {
    const invalid = expect.objectContaining({ code: 'FRL_INVALID_CONFIG' });
    expect(() => validateIntegerBattery({ ...battery, minEnergyWh: battery.maxEnergyWh })).toThrowError(invalid);
    expect(() => validateIntegerBattery({ ...battery, chargeEfficiencyPpm: 0n })).toThrowError(invalid);
    validateIntegerBattery(battery);
  });
});

describe('market', () => {
  it.each(golden.pool)('pool of $net', ({ lambda_, net, matched, rows }) => {
    const fill = clearIntegerPool('pool', net.map(wh), integerSlotPrices(micro(lambda_), goldenTariff));
    expect(fill.matchedWh).toBe(wh(matched));
    expect(fill.rows.map((row) => row.v2vWh)).toEqual(rows.map((row) => wh(row.v2v)));
    expect(fill.rows.map((row) => row.gridWh)).toEqual(rows.map((row) => wh(row.grid)));
    expect(fill.rows.map((row) => row.v2vCashMicro + row.gridCashMicro)).toEqual(rows.map((row) => micro(row.cash)));
  });

  it('golden auction: price 0.12, 13 kWh', () => {
    const actions = [10, 6, 4, -8, -5, -9].map(wh);
    const limits = [0.16, 0.13, 0.1, 0.08, 0.11, 0.14].map(micro);
    const fill = clearIntegerAuction(actions, limits, {
      gridSellMicro: 150_000n,
      v2vMicro: 112_500n,
      gridBuyMicro: 90_000n,
    });
    expect([fill.v2vPriceMicro, fill.matchedWh]).toEqual([120_000n, 13_000n]);
    expect(fill.rows.map((row) => row.v2vWh)).toEqual([10, 3, 0, 8, 5, 0].map(wh));
    expect(clearIntegerAuction([5_000n, -5_000n], [100_000n, 120_000n], prices).v2vPriceMicro).toBeNull();
    expect(() => clearIntegerAuction([1n], [], prices)).toThrowError(
      expect.objectContaining({ code: 'FRL_INVALID_INPUT' }),
    );
  });

  it('conserves energy and money to the unit under every rule', () => {
    fc.assert(
      fc.property(
        arbitraryActions,
        fc.array(fc.bigInt(0n, 300_000n), { minLength: 12, maxLength: 12 }),
        (actions, limits) => {
          const fills = [
            clearIntegerPool('pool', actions, prices),
            clearIntegerAuction(actions, limits.slice(0, actions.length), prices),
          ];
          for (const fill of [...fills, clearIntegerPool('assumed', actions, prices)]) {
            const cash = fill.rows.map((row) => row.v2vCashMicro + row.gridCashMicro);
            expect(total(cash) + fill.counterpartyMicro + fill.gridIncomeMicro).toBe(0n);
            fill.rows.forEach((row, i) => {
              const action = actions[i] as bigint;
              expect(row.v2vWh + row.gridWh).toBe(action < 0n ? -action : action);
            });
          }
          for (const fill of fills) {
            expect(fill.counterpartyMicro).toBe(0n);
            const matched = fill.rows.map((row) => row.v2vWh);
            expect(total(matched.filter((_, i) => (actions[i] as bigint) > 0n))).toBe(fill.matchedWh);
            expect(total(matched.filter((_, i) => (actions[i] as bigint) < 0n))).toBe(fill.matchedWh);
          }
        },
      ),
    );
  });

  it('auction: same volume as in floats, no trade at a loss, price between those of the grid', () => {
    const limits = fc.array(fc.bigInt(0n, 300_000n), { minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(arbitraryActions, limits, (actions, limitsMicro) => {
        const own = limitsMicro.slice(0, actions.length);
        const fill = clearIntegerAuction(actions, own, prices);
        const orders = (side: 1 | -1): Order[] =>
          actions.flatMap((action, i) =>
            Math.sign(Number(action)) === side
              ? [{ id: `${i + 10}`, quantityKwh: Number(action) * side, priceCadPerKwh: Number(own[i]) }]
              : [],
          );
        const float = clearDoubleAuction(orders(1), orders(-1), { gridSell: 150_000, gridBuy: 90_000 });
        expect(Number(fill.matchedWh)).toBe(float.volumeKwh);
        if (fill.v2vPriceMicro === null) {
          expect(float.priceCadPerKwh).toBeNull();
          return;
        }
        expect(Number(fill.v2vPriceMicro)).toBe(Math.floor(float.priceCadPerKwh as number));
        expect(fill.v2vPriceMicro >= prices.gridBuyMicro && fill.v2vPriceMicro <= prices.gridSellMicro).toBe(true);
        fill.rows.forEach((row, i) => {
          if (row.v2vWh === 0n) return;
          const limit = own[i] as bigint;
          const price = fill.v2vPriceMicro as bigint;
          expect((actions[i] as bigint) > 0n ? price <= limit : price >= limit).toBe(true);
        });
      }),
    );
  });

  it('pool cash lies between trading with the grid only and the assumed fill, within rounding', () => {
    fc.assert(
      fc.property(arbitraryActions, (actions) => {
        const assumed = clearIntegerPool('assumed', actions, prices);
        clearIntegerPool('pool', actions, prices).rows.forEach((row, i) => {
          const action = actions[i] as bigint;
          const cash = row.v2vCashMicro + row.gridCashMicro;
          const gridPrice = action > 0n ? prices.gridSellMicro : prices.gridBuyMicro;
          expect(cash >= floorDivide(-action * gridPrice, 1000n) - 2n).toBe(true);
          expect(cash <= (assumed.rows[i]?.v2vCashMicro as bigint) + 2n).toBe(true);
        });
      }),
    );
  });
});

describe('scores', () => {
  it.each(golden.episodes)('EV $ev.id matches the float scores to the last digit', ({ rows, total: day }) => {
    let tradeScorePpmWh = 0n;
    for (const row of rows) tradeScorePpmWh += slotScorePpmWh(micro(row.delta), wh(row.A));
    const input = {
      tradeScorePpmWh,
      energyEndWh: wh(day.socEnd * 42),
      maxEnergyWh: 33_600n,
      capacityWh: 42_000n,
      netSoldWh: wh(day.dis - day.ch),
    };
    expect(integerProofScore('trade', input)).toBe(micro(day.ps_trade_kwh));
    for (const [mode, expected] of [
      ['thesis', day.score_thesis],
      ['normalized', day.score_normalized],
      ['gated', day.score_gated],
    ] as const) {
      expect(Math.abs(Number(integerProofScore(mode, input)) / 1e6 - expected), mode).toBeLessThan(1.000001e-6);
    }
  });

  it('agrees with the float score on any stay, within one unit', () => {
    fc.assert(
      fc.property(
        fc.bigInt(-(10n ** 11n), 10n ** 11n),
        fc.bigInt(8_400n, 33_600n),
        fc.bigInt(-50_000n, 50_000n),
        (t, end, net) => {
          const input = {
            tradeScorePpmWh: t,
            energyEndWh: end,
            maxEnergyWh: 33_600n,
            capacityWh: 42_000n,
            netSoldWh: net,
          };
          for (const mode of ['thesis', 'normalized', 'gated'] as const) {
            const float = proofScore(mode, {
              tradeScoreKwh: Number(t) / 1e9,
              socEnd: Number(end) / 42_000,
              netSoldKwh: Number(net) / 1e3,
              socMax: 0.8,
              capacityKwh: 42,
            });
            expect(Math.abs(Number(integerProofScore(mode, input)) - float * 1e6), mode).toBeLessThan(2.001);
          }
        },
      ),
    );
  });

  it('floors towards debt, at the end of the day only', () => {
    const input = { energyEndWh: 33_600n, maxEnergyWh: 33_600n, capacityWh: 42_000n, netSoldWh: 0n };
    expect(integerProofScore('trade', { ...input, tradeScorePpmWh: -1n })).toBe(-1n);
    expect(integerProofScore('trade', { ...input, tradeScorePpmWh: 999n })).toBe(0n);
    expect(integerProofScore('gated', { ...input, tradeScorePpmWh: -1n })).toBe(-1n);
  });

  it('keeps a ledger with memory and lets debt count as no weight', () => {
    expect(advanceIntegerScoreLedger(-5n, 0n, 900_000n)).toBe(-5n);
    expect(advanceIntegerScoreLedger(1_000_000n, -200_000n, 900_000n)).toBe(700_000n);
    expect(integerSelectionWeights([-3n, 0n, 7n])).toEqual([0n, 0n, 7n]);
  });
});

describe('mining reward', () => {
  it.each(golden.settlement)('profits $profitMicro, unpaid $unpaid', (row) => {
    const result = splitMiningReward({
      profitMicro: row.profitMicro.map(BigInt),
      miner: row.miner,
      betaPpm: BigInt(row.betaPpm),
      unpaid: row.profitMicro.map((_, i) => (row.unpaid as number[]).includes(i)),
    });
    expect(result.feeMicro).toEqual(row.fee.map(BigInt));
    expect(result.payoffMicro).toEqual(row.payoff.map(BigInt));
    expect(result.escrowMicro).toEqual(row.escrow.map(BigInt));
    expect(result.rewardMicro).toBe(BigInt(row.reward));
  });

  it('conserves money, never makes a winner a loser, and pays the same late as at once', () => {
    const day = fc.record({
      profitMicro: fc.array(fc.bigInt(-(10n ** 10n), 10n ** 10n), { minLength: 1, maxLength: 12 }),
      betaPpm: fc.bigInt(1n, PPM),
      miner: fc.nat(),
      mask: fc.nat(),
    });
    fc.assert(
      fc.property(day, ({ profitMicro, betaPpm, miner, mask }) => {
        const input = { profitMicro, betaPpm, miner: miner % profitMicro.length };
        const late = splitMiningReward({ ...input, unpaid: profitMicro.map((_, i) => ((mask >> i) & 1) === 1) });
        const atOnce = splitMiningReward({ ...input, unpaid: profitMicro.map(() => false) });
        expect(total(late.payoffMicro) + total(late.escrowMicro)).toBe(total(profitMicro));
        profitMicro.forEach((profit, i) => {
          if (profit <= 0n) expect(late.feeMicro[i]).toBe(0n);
          if (profit >= 0n) expect((late.payoffMicro[i] as bigint) >= 0n).toBe(true);
          if (profit >= 0n) expect((late.feeMicro[i] as bigint) <= profit).toBe(true);
        });
        const payoffs = [...late.payoffMicro];
        late.escrowMicro.forEach((escrow, i) => {
          const { payoffMicro, feeMicro } = releaseEscrow(escrow, betaPpm);
          payoffs[i] = (payoffs[i] as bigint) + payoffMicro;
          payoffs[input.miner] = (payoffs[input.miner] as bigint) + feeMicro;
        });
        expect(payoffs).toEqual(atOnce.payoffMicro);
      }),
    );
  });

  it('settles stored energy at the off-peak price', () => {
    expect(settledProfitMicro(799_500n, 21_000n, 23_600n, 80_000n)).toBe(1_007_500n);
    expect(settledProfitMicro(0n, 1n, 0n, 80_000n)).toBe(-80n);
    expect(settledProfitMicro(0n, 1n, 0n, 81_500n)).toBe(-82n);
  });

  it('refuses a share outside (0, 1] and a miner who is not there', () => {
    const input = { profitMicro: [1n], miner: 0, betaPpm: 1n, unpaid: [false] };
    const code = (value: string) => expect.objectContaining({ code: value });
    expect(() => splitMiningReward({ ...input, betaPpm: 0n })).toThrowError(code('FRL_INVALID_CONFIG'));
    expect(() => splitMiningReward({ ...input, betaPpm: PPM + 1n })).toThrowError(code('FRL_INVALID_CONFIG'));
    const { betaPpm, maxBetaPpm } = POSOC_PRESETS.sound;
    expect(splitMiningReward({ ...input, betaPpm, maxBetaPpm }).rewardMicro).toBe(0n);
    expect(() => splitMiningReward({ ...input, betaPpm: 100_001n, maxBetaPpm })).toThrowError(
      code('FRL_INVALID_CONFIG'),
    );
    expect(() => splitMiningReward({ ...input, miner: 1 })).toThrowError(code('FRL_INVALID_INPUT'));
  });
});
