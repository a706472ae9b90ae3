import {
  advanceIntegerScoreLedger,
  integerProofScore,
  integerSelectionWeights,
  settledProfitMicro,
  splitMiningReward,
} from '@wattmesh/frl';
import type { Candidate, MemberRank } from '../chain/types.ts';
import type { PosocParameters } from './parameters.ts';
import { compareHeld, type HeldProfit, type Stay } from './state.ts';

/** One EV's settled day. Scores in 10^-6 kWh (or 10^-6 of a capacity), money in 10^-6 CAD. */
export interface DayRow {
  readonly rank: MemberRank;
  readonly score: bigint;
  /** The score ledger with it: the weight of the next draw, if it is positive. */
  readonly ledger: bigint;
  readonly profitMicro: bigint;
  /** Due to the miner, paid or not. */
  readonly feeMicro: bigint;
  readonly payoffMicro: bigint;
  /** Held until the fee is paid. */
  readonly escrowMicro: bigint;
}

export interface DayResult {
  /** Who earns the fees: composer of the day's last settlement; null when it was not drawn. */
  readonly miner: MemberRank | null;
  readonly rewardMicro: bigint;
  /** By rank. */
  readonly rows: readonly DayRow[];
}

/** Profits that were held and are paid out. */
export interface Release extends HeldProfit {}

/**
 * Scores, profits and mining reward of a day (sections 7 and 8). Who is not in `paid` has its positive profit held. When
 * the composer stands in the election list's tail nobody is rewarded, no fee is due and nothing is held.
 */
export function settleDay(
  parameters: PosocParameters,
  offPriceMicroPerKwh: bigint,
  stays: readonly (Stay | null)[],
  scoresBefore: readonly bigint[],
  miner: MemberRank | null,
  paid: ReadonlySet<MemberRank>,
): DayResult {
  const { scoreMode, battery, ledgerRhoPpm, betaPpm, maxBetaPpm } = parameters;
  const score = stays.map((stay) =>
    stay === null
      ? 0n
      : integerProofScore(scoreMode, {
          tradeScorePpmWh: stay.tradeScorePpmWh,
          energyEndWh: stay.energyWh,
          maxEnergyWh: battery.maxEnergyWh,
          capacityWh: battery.capacityWh,
          netSoldWh: stay.soldWh - stay.boughtWh,
        }),
  );
  const profitMicro = stays.map((stay) =>
    stay === null ? 0n : settledProfitMicro(stay.cashMicro, stay.startEnergyWh, stay.energyWh, offPriceMicroPerKwh),
  );
  const split =
    miner === null
      ? null
      : splitMiningReward({
          profitMicro,
          miner,
          betaPpm,
          maxBetaPpm,
          unpaid: stays.map((_, rank) => rank !== miner && !paid.has(rank)),
        });
  return {
    miner,
    rewardMicro: split?.rewardMicro ?? 0n,
    rows: stays.map((_, rank) => ({
      rank,
      score: score[rank] as bigint,
      ledger: advanceIntegerScoreLedger(scoresBefore[rank] as bigint, score[rank] as bigint, ledgerRhoPpm),
      profitMicro: profitMicro[rank] as bigint,
      feeMicro: split?.feeMicro[rank] ?? 0n,
      payoffMicro: split?.payoffMicro[rank] ?? (profitMicro[rank] as bigint),
      escrowMicro: split?.escrowMicro[rank] ?? 0n,
    })),
  };
}

/** Candidates of the next day's draw: every EV, weighted by its score ledger as far as that is positive; not the jailed. */
export function candidatesOf(ledger: readonly bigint[], jailed: ReadonlySet<MemberRank>): readonly Candidate[] {
  return integerSelectionWeights(ledger).map((weight, rank) => ({
    members: [rank],
    miner: rank,
    successors: [],
    weight: jailed.has(rank) ? 0n : weight,
  }));
}

/** The held profits after `paid` have paid what they owed and the day's unpaid fees have been added. */
export function advanceHeld(
  held: readonly HeldProfit[],
  paid: ReadonlySet<MemberRank>,
  day: DayResult | null,
): { readonly held: readonly HeldProfit[]; readonly releases: readonly Release[] } {
  const releases = held.filter(({ rank }) => paid.has(rank));
  const kept = new Map(
    held.filter(({ rank }) => !paid.has(rank)).map((entry) => [`${entry.rank}/${entry.miner}`, entry]),
  );
  for (const { rank, escrowMicro, feeMicro } of day?.rows ?? []) {
    const miner = day?.miner;
    if (escrowMicro === 0n || miner === null || miner === undefined) continue;
    const key = `${rank}/${miner}`;
    const before = kept.get(key) ?? { rank, miner, profitMicro: 0n, feeMicro: 0n };
    kept.set(key, {
      ...before,
      profitMicro: before.profitMicro + escrowMicro,
      feeMicro: before.feeMicro + feeMicro,
    });
  }
  return { held: [...kept.values()].sort(compareHeld), releases };
}
