import { billMarket, deviationBill, settleMarket } from '@wattmesh/market';
import type { Hash, Hex, MemberRank } from '../chain/types.ts';
import type { PoegParameters } from './parameters.ts';
import type { MeteredBalance } from './settlement.ts';
import { type AnnouncedBalance, tieWeight } from './slot-market.ts';
import type { MemberTotals, PoegTotals } from './state.ts';

/** What happened in one slot of delivery, as the blocks tell it. */
export interface OfflineSlot {
  /** Seed of the term in which the slot's market was formed: the one before the slot's own. */
  readonly seed: Hash;
  /** Announcements that were settled, in any order. */
  readonly announced: readonly AnnouncedBalance[];
  /** Null while the slot is open: formed, but not billed. */
  readonly closed: {
    /** The miner that was drawn and composed the settlement; null when the composer stood in the list's tail. */
    readonly miner: MemberRank | null;
  } | null;
  /** Readings of the slot that were settled, in any order. */
  readonly metered: readonly MeteredBalance[];
}

export interface OfflineRun {
  readonly parameters: PoegParameters;
  /** By rank. */
  readonly publicKeys: readonly Hex[];
  /** Slot 1 and those after it. */
  readonly slots: readonly OfflineSlot[];
}

/**
 * A whole run's totals from its announcements, readings and draws, with nothing but the market's functions: no ledger, no
 * blocks, no state carried from slot to slot. An honest run of the network ends with exactly these totals in its state.
 */
export function offlineTotals({ parameters, publicKeys, slots }: OfflineRun): PoegTotals {
  const members = publicKeys.map(() => ({
    slots: 0,
    withoutTradingMicro: 0n,
    billMicro: 0n,
    feeMicro: 0n,
    shareMicro: 0n,
    deviationMicro: 0n,
    proofScoreWh: 0n,
  })) satisfies MemberTotals[];
  const totals = { settledSlots: 0, energyTradedWh: 0n, physicalSavingHalfNanoWh: 0n, rewardMicro: 0n };
  for (const { seed, announced, closed, metered } of slots) {
    const present = [...announced].sort((a, b) => a.rank - b.rank);
    const keys = present.map(({ rank }) => publicKeys[rank]!);
    const input = {
      balanceWh: present.map(({ productionWh, consumptionWh }) => productionWh - consumptionWh),
      rateEdcPpb: present.map(({ rank }) => parameters.rateEdcPpb[rank]!),
      ratePpb: present.map((from) => present.map((to) => parameters.ratePpb[from.rank]![to.rank]!)),
      lossCharge: parameters.lossCharge,
      maxCoalitionSize: parameters.maxCoalitionSize,
      tieWeight: (i: number, j: number) => tieWeight(seed, keys[i]!, keys[j]!),
    };
    const outcome = settleMarket(input);
    present.forEach(({ rank }, place) => {
      members[rank]!.proofScoreWh += outcome.proofScoreWh[place]!;
    });
    for (const { rank, producedWh, consumedWh } of metered) {
      const announcedNetWh = input.balanceWh[present.findIndex((one) => one.rank === rank)]!;
      members[rank]!.deviationMicro += deviationBill(
        announcedNetWh,
        producedWh - consumedWh,
        parameters.prices,
      ).memberMicro;
    }
    if (closed === null) continue;
    const minerPlace = present.findIndex(({ rank }) => rank === closed.miner);
    const rewarded = outcome.coalitions.find((coalition) => coalition.members.includes(minerPlace))?.members ?? [];
    const bills = billMarket(input, outcome, parameters.prices, rewarded);
    totals.settledSlots += 1;
    totals.energyTradedWh += outcome.energyTradedWh;
    totals.physicalSavingHalfNanoWh += outcome.physicalSavingHalfNanoWh;
    totals.rewardMicro += bills.rewardMicro;
    present.forEach(({ rank }, place) => {
      const member = members[rank]!;
      member.slots += 1;
      member.withoutTradingMicro += bills.withoutTradingMicro[place]!;
      member.billMicro += bills.billMicro[place]!;
      member.feeMicro += bills.feeMicro[place]!;
      member.shareMicro += bills.shareMicro[place]!;
    });
  }
  return { ...totals, members };
}
