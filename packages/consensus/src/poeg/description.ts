import type { SettlementContext } from '../application/types.ts';
import type { MemberRank } from '../chain/types.ts';
import type { Settled, SettlementInputs } from './settlement.ts';
import type { PoegState } from './state.ts';

/** The tables of one settlement, JSON-safe: bigints are decimal strings. Energy in Wh, money in 10^-6 currency. */
export interface SettlementDescription {
  /** The slot that closed: what it cost, with and without trading, and who was rewarded. */
  readonly billed: {
    readonly slot: number;
    readonly composer: MemberRank;
    readonly rewarded: readonly MemberRank[];
    readonly rewardMicro: string;
    readonly edcMicro: string;
    readonly energyTradedWh: string;
    readonly members: readonly {
      readonly rank: MemberRank;
      readonly withoutTradingMicro: string;
      readonly billMicro: string;
      readonly feeMicro: string;
      readonly shareMicro: string;
    }[];
  } | null;
  /** Charges for what the meters of the slot before it said. */
  readonly deviations: readonly {
    readonly slot: number;
    readonly rank: MemberRank;
    readonly announcedNetWh: string;
    readonly meteredNetWh: string;
    readonly memberMicro: string;
  }[];
  /** The next slot's market. */
  readonly market: {
    readonly slot: number;
    readonly energyTradedWh: string;
    /** Losses are in half nanowatt-hours: 1 Wh = 2 * 10^9. */
    readonly physicalSavingHalfNanoWh: string;
    readonly rounds: number;
    readonly merges: number;
    readonly coalitions: readonly {
      readonly members: readonly MemberRank[];
      readonly proofScoreWh: string;
      readonly savingHalfNanoWh: string;
    }[];
    readonly trades: readonly { readonly seller: MemberRank; readonly buyer: MemberRank; readonly energyWh: string }[];
    readonly members: readonly {
      readonly rank: MemberRank;
      readonly productionWh: string;
      readonly consumptionWh: string;
      readonly exportWh: string;
      readonly importWh: string;
      readonly lossAloneHalfNanoWh: string;
      readonly lossChargedHalfNanoWh: string;
      readonly singletonScoreWh: string;
      readonly proofScoreWh: string;
    }[];
    /** Candidates of the next draw. */
    readonly candidates: readonly {
      readonly members: readonly MemberRank[];
      readonly miner: MemberRank;
      readonly weightWh: string;
    }[];
  };
}

/** What happened in a settlement, for the API, the tables and the reports. */
export function describeSettlement(
  context: SettlementContext<PoegState>,
  inputs: SettlementInputs,
  { results, candidates, billed, formed }: Settled,
): SettlementDescription {
  const { slot, composer, state } = context;
  const { outcome } = formed;
  const { rewards } = results;
  return {
    billed:
      billed === null
        ? null
        : {
            slot,
            composer,
            rewarded: rewards.rewarded,
            rewardMicro: String(rewards.rewardMicro),
            edcMicro: String(rewards.edcMicro),
            energyTradedWh: String(billed.outcome.energyTradedWh),
            members: rewards.bills.map((bill) => ({
              rank: bill.rank,
              withoutTradingMicro: String(bill.withoutTradingMicro),
              billMicro: String(bill.billMicro),
              feeMicro: String(bill.feeMicro),
              shareMicro: String(bill.shareMicro),
            })),
          },
    deviations: results.deviations.map(({ rank, memberMicro }, k) => {
      const announced = state.previous!.announced.find((one) => one.rank === rank)!;
      const metered = inputs.metered[k]!;
      return {
        slot: slot - 1,
        rank,
        announcedNetWh: String(announced.productionWh - announced.consumptionWh),
        meteredNetWh: String(metered.producedWh - metered.consumedWh),
        memberMicro: String(memberMicro),
      };
    }),
    market: {
      slot: slot + 1,
      energyTradedWh: String(outcome.energyTradedWh),
      physicalSavingHalfNanoWh: String(outcome.physicalSavingHalfNanoWh),
      rounds: outcome.rounds,
      merges: outcome.merges,
      coalitions: results.partition.map(({ members, proofScoreWh, valueHalfNanoWh }) => ({
        members,
        proofScoreWh: String(proofScoreWh),
        savingHalfNanoWh: String(valueHalfNanoWh),
      })),
      trades: results.trades.map(({ seller, buyer, energyWh }) => ({ seller, buyer, energyWh: String(energyWh) })),
      members: inputs.announced.map(({ rank, productionWh, consumptionWh }, place) => ({
        rank,
        productionWh: String(productionWh),
        consumptionWh: String(consumptionWh),
        exportWh: String(outcome.exportWh[place]),
        importWh: String(outcome.importWh[place]),
        lossAloneHalfNanoWh: String(outcome.lossAloneHalfNanoWh[place]),
        lossChargedHalfNanoWh: String(outcome.lossChargedHalfNanoWh[place]),
        singletonScoreWh: String(outcome.singletonScoreWh[place]),
        proofScoreWh: String(outcome.proofScoreWh[place]),
      })),
      candidates: candidates.map(({ members, miner, weight }) => ({ members, miner, weightWh: String(weight) })),
    },
  };
}
