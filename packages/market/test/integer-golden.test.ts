import { describe, expect, test } from 'vitest';
import {
  billMarket,
  HALF_NANO_WH_PER_WH,
  type IntegerMarketInput,
  settleMarket,
  shapleyHalfNanoWh,
} from '../src/index.ts';
import { GOLDEN_CASES, type GoldenInstance } from './golden/instances.ts';

/**
 * Goldens are in kWh with up to four decimals; a "Wh" of these inputs is 10^-9 kWh, so that floored scores compare
 * too.
 */
const UNITS_PER_KWH = 1e9;

function integerInput(instance: GoldenInstance, lossCharge: 'half' | 'full'): IntegerMarketInput {
  return {
    balanceWh: instance.E.map((kwh) => BigInt(Math.round(kwh * UNITS_PER_KWH))),
    rateEdcPpb: instance.rateEDC.map((rate) => BigInt(Math.round(rate * 1e9))),
    ratePpb: instance.rateMatrix.map((row) => row.map((rate) => BigInt(Math.round(rate * 1e9)))),
    lossCharge,
    maxCoalitionSize: 12,
    tieWeight: () => 0n,
  };
}

const kwh = (halfNano: bigint) => Number(halfNano) / Number(HALF_NANO_WH_PER_WH) / UNITS_PER_KWH;

describe.each(GOLDEN_CASES)('golden $name in integers', ({ instance, lossCharge, expected }) => {
  const input = integerInput(instance, lossCharge);
  const outcome = settleMarket(input);
  const close = (actual: readonly number[], wanted: readonly number[]) => {
    expect(actual).toHaveLength(wanted.length);
    for (let i = 0; i < wanted.length; i++) expect(Math.abs(actual[i]! - wanted[i]!)).toBeLessThanOrEqual(1e-6);
  };

  test('partition, trades and rounds', () => {
    expect(outcome.coalitions.map(({ members }) => members)).toEqual(expected.finalPartition);
    const trades = [...expected.trades].sort((a, b) => a.seller - b.seller || a.buyer - b.buyer);
    expect(outcome.trades.map(({ seller, buyer }) => [seller, buyer])).toEqual(
      trades.map(({ seller, buyer }) => [seller, buyer]),
    );
    close(
      outcome.trades.map(({ energyWh }) => Number(energyWh) / UNITS_PER_KWH),
      trades.map((trade) => trade.kwh),
    );
    expect([outcome.rounds, outcome.merges]).toEqual([expected.rounds, expected.merges]);
  });

  test('losses, savings and scores', () => {
    close(outcome.savingHalfNanoWh.map(kwh), expected.saving);
    close(outcome.lossAloneHalfNanoWh.map(kwh), expected.lossAlone);
    close(outcome.lossChargedHalfNanoWh.map(kwh), expected.lossInCoalition);
    close(
      outcome.singletonScoreWh.map((score) => Number(score) / UNITS_PER_KWH),
      instance.singletonScore,
    );
    close(
      outcome.proofScoreWh.map((score) => Number(score) / UNITS_PER_KWH),
      expected.proofScore,
    );
    close(
      outcome.coalitions.map(({ valueHalfNanoWh }) => kwh(valueHalfNanoWh)),
      expected.coalitionValue,
    );
    close(
      outcome.coalitions.map((c) => Number(c.proofScoreWh) / UNITS_PER_KWH),
      expected.coalitionProofScore,
    );
    expect(kwh(outcome.physicalSavingHalfNanoWh)).toBeCloseTo(expected.physicalSaving, 6);
  });

  test('Shapley value of the winner and of everybody', () => {
    const winner = expected.finalPartition[expected.highestScoreCoalition]!;
    const asKwh = (members: readonly number[]) =>
      shapleyHalfNanoWh(input, members).map(({ numerator, denominator }) => kwh(numerator) / Number(denominator));
    close(asKwh(winner), expected.shapleySavingWinner);
    close(asKwh(instance.E.map((_, i) => i)), expected.grand.shapley);
  });

  test('fees and shares of the mining reward', () => {
    // One currency unit per kWh, in 10^-6 per kWh, and 1000 of these inputs' units to what billMarket takes for a kWh.
    const price = 1_000_000n;
    const bills = billMarket(
      input,
      outcome,
      {
        importMicroPerKwh: price,
        exportMicroPerKwh: price,
        localMicroPerKwh: price,
        lossMicroPerKwh: price,
        deviationMicroPerKwh: price,
        rewardPpm: 100_000n,
      },
      expected.finalPartition[expected.highestScoreCoalition]!,
    );
    const currency = (micro: bigint) => Number(micro) / 1e6 / (UNITS_PER_KWH / 1000);
    expect(currency(bills.rewardMicro)).toBeCloseTo(expected.miningReward, 6);
    close(bills.shareMicro.map(currency), expected.rewardShare);
    close(
      bills.feeMicro.map(currency),
      expected.saving.map((saving) => 0.1 * saving),
    );
  });
});
