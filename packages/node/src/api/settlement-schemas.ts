import { z } from 'zod';
import { amount, count, hash, rank, signedAmount } from './scalar-schemas.ts';

export const settlement = z.strictObject({
  billed: z
    .strictObject({
      slot: count,
      composer: rank,
      rewarded: z.array(rank),
      rewardMicro: amount,
      edcMicro: signedAmount,
      energyTradedWh: amount,
      members: z.array(
        z.strictObject({
          rank,
          withoutTradingMicro: signedAmount,
          billMicro: signedAmount,
          feeMicro: amount,
          shareMicro: amount,
        }),
      ),
    })
    .nullable()
    .describe('bills of the slot that closed; null in the first'),
  deviations: z.array(
    z.strictObject({
      slot: count,
      rank,
      announcedNetWh: signedAmount,
      meteredNetWh: signedAmount,
      memberMicro: signedAmount,
    }),
  ),
  market: z
    .strictObject({
      slot: count,
      energyTradedWh: amount,
      physicalSavingHalfNanoWh: amount.describe('line loss saved; 1 Wh is 2 * 10^9'),
      rounds: count,
      merges: count,
      coalitions: z.array(z.strictObject({ members: z.array(rank), proofScoreWh: amount, savingHalfNanoWh: amount })),
      trades: z.array(z.strictObject({ seller: rank, buyer: rank, energyWh: amount })),
      members: z.array(
        z.strictObject({
          rank,
          productionWh: amount,
          consumptionWh: amount,
          exportWh: amount,
          importWh: amount,
          lossAloneHalfNanoWh: amount,
          lossChargedHalfNanoWh: signedAmount,
          singletonScoreWh: amount,
          proofScoreWh: amount,
        }),
      ),
      candidates: z.array(z.strictObject({ members: z.array(rank), miner: rank, weightWh: amount })),
    })
    .describe('the next slot'),
});

/** A settlement of a PoSOC chain. Scores are in 10^-6 kWh, or in 10^-9 kWh where the name says ppm Wh. */
export const evSettlement = z.strictObject({
  slot: count,
  day: count,
  composer: rank,
  hour: z
    .strictObject({
      hour: count,
      period: z.enum(['off', 'mid', 'on']),
      gridSellMicro: amount,
      gridBuyMicro: amount,
      v2vPriceMicro: amount.nullable().describe('null in an auction without a match'),
      deltaPpm: amount,
      buyWh: amount,
      sellWh: amount,
      matchedWh: amount,
      buildingWh: amount,
      buildingMatchedWh: amount,
      evs: z.array(
        z.strictObject({
          rank,
          energyWh: amount.describe('stored before the action'),
          actionWh: signedAmount.describe('positive charges'),
          matchedWh: amount,
          cashMicro: signedAmount,
          scorePpmWh: signedAmount,
        }),
      ),
    })
    .nullable()
    .describe('null in slots that only learn'),
  round: z
    .strictObject({
      round: count,
      rule: z.enum(['mean', 'median', 'trim', 'krum', 'multikrum', 'clip']),
      f: count,
      isAggregated: z.boolean().describe('false: the model stays as it was'),
      modelHash: hash,
      updates: z.array(z.strictObject({ rank, tensorHash: hash })),
    })
    .nullable()
    .describe('a learning round; null in the hours before the last'),
  dayEnd: z
    .strictObject({
      miner: rank.nullable(),
      rewardMicro: amount,
      evs: z.array(
        z.strictObject({
          rank,
          score: signedAmount,
          ledger: signedAmount,
          profitMicro: signedAmount,
          feeMicro: amount,
          payoffMicro: signedAmount,
          escrowMicro: amount,
        }),
      ),
    })
    .nullable(),
  releases: z
    .array(z.strictObject({ rank, miner: rank, profitMicro: amount, feeMicro: amount }))
    .describe('held profits that were paid out'),
});
