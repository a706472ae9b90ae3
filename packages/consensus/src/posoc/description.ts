import type { SettlementContext } from '../application/types.ts';
import type { MemberRank } from '../chain/types.ts';
import { hourTariff } from './hour-market.ts';
import { posocParametersOf } from './parameters.ts';
import type { SettlementPayload } from './payload.ts';
import { placeOfSlot } from './schedule.ts';
import type { SettlementInputs } from './settlement.ts';
import type { PosocState } from './state.ts';

/** One settlement for people, JSON-safe: bigints are decimal strings. Energy in Wh, money in 10^-6 CAD. */
export interface PosocDescription {
  readonly slot: number;
  readonly day: number;
  readonly composer: MemberRank;
  readonly hour: {
    readonly hour: number;
    readonly period: string;
    readonly gridSellMicro: string;
    readonly gridBuyMicro: string;
    readonly v2vPriceMicro: string | null;
    readonly deltaPpm: string;
    readonly buyWh: string;
    readonly sellWh: string;
    readonly matchedWh: string;
    readonly buildingWh: string;
    readonly buildingMatchedWh: string;
    readonly evs: readonly {
      readonly rank: MemberRank;
      readonly energyWh: string;
      readonly actionWh: string;
      readonly matchedWh: string;
      readonly cashMicro: string;
      readonly scorePpmWh: string;
    }[];
  } | null;
  readonly round: {
    readonly round: number;
    readonly rule: string;
    readonly f: number;
    readonly isAggregated: boolean;
    readonly modelHash: string;
    readonly updates: readonly { readonly rank: MemberRank; readonly tensorHash: string }[];
  } | null;
  readonly dayEnd: {
    readonly miner: MemberRank | null;
    readonly rewardMicro: string;
    readonly evs: readonly {
      readonly rank: MemberRank;
      readonly score: string;
      readonly ledger: string;
      readonly profitMicro: string;
      readonly feeMicro: string;
      readonly payoffMicro: string;
      readonly escrowMicro: string;
    }[];
  } | null;
  readonly releases: readonly {
    readonly rank: MemberRank;
    readonly miner: MemberRank;
    readonly profitMicro: string;
    readonly feeMicro: string;
  }[];
}

/** What happened in a settlement, for the API, the tables and the reports. */
export function describeSettlement(
  { genesis, slot, composer }: SettlementContext<PosocState>,
  { updates, results }: SettlementPayload,
  { actions }: SettlementInputs,
): PosocDescription {
  const parameters = posocParametersOf(genesis);
  const place = placeOfSlot(genesis, slot);
  const { hour, day, model, releases } = results;
  const tariff = place.hour === null ? null : hourTariff(parameters, place.day, place.hour);
  return {
    slot,
    day: place.day,
    composer,
    hour:
      hour === null || tariff === null || place.hour === null
        ? null
        : {
            hour: place.hour,
            period: tariff.period,
            gridSellMicro: String(tariff.gridSellMicro),
            gridBuyMicro: String(tariff.gridBuyMicro),
            v2vPriceMicro: hour.v2vPriceMicro === null ? null : String(hour.v2vPriceMicro),
            deltaPpm: String(tariff.deltaPpm),
            buyWh: String(hour.buyWh),
            sellWh: String(hour.sellWh),
            matchedWh: String(hour.matchedWh),
            buildingWh: String(parameters.buildingLoadWh[place.hour]),
            buildingMatchedWh: String(hour.buildingMatchedWh),
            evs: hour.rows.map(({ rank, actionWh, matchedWh, cashMicro, scorePpmWh }, k) => ({
              rank,
              energyWh: String(actions[k]?.energyWh),
              actionWh: String(actionWh),
              matchedWh: String(matchedWh),
              cashMicro: String(cashMicro),
              scorePpmWh: String(scorePpmWh),
            })),
          },
    round:
      model === null
        ? null
        : {
            round: model.round,
            rule: model.rule.name,
            f: model.rule.f,
            isAggregated: model.isAggregated,
            modelHash: model.hash,
            updates: updates.map(({ rank, tensorHash }) => ({ rank, tensorHash })),
          },
    dayEnd:
      day === null
        ? null
        : {
            miner: day.miner,
            rewardMicro: String(day.rewardMicro),
            evs: day.rows.map((row) => ({
              rank: row.rank,
              score: String(row.score),
              ledger: String(row.ledger),
              profitMicro: String(row.profitMicro),
              feeMicro: String(row.feeMicro),
              payoffMicro: String(row.payoffMicro),
              escrowMicro: String(row.escrowMicro),
            })),
          },
    releases: releases.map(({ rank, miner, profitMicro, feeMicro }) => ({
      rank,
      miner,
      profitMicro: String(profitMicro),
      feeMicro: String(feeMicro),
    })),
  };
}
