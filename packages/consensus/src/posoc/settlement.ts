import { advanceBatteryWh } from '@wattmesh/frl';
import type { SettlementContext } from '../application/types.ts';
import type { Candidate, MemberRank } from '../chain/types.ts';
import type { ModelResult } from './aggregation.ts';
import { advanceHeld, candidatesOf, type DayResult, type Release, settleDay } from './day-end.ts';
import { type AnnouncedAction, clearHour, type HourResult, offPriceMicro } from './hour-market.ts';
import { posocParametersOf } from './parameters.ts';
import { placeOfSlot } from './schedule.ts';
import type { EvTotals, PosocState, Stay } from './state.ts';

/** What a settlement takes from the outside, already authenticated and admitted. */
export interface SettlementInputs {
  /** In ascending rank, each EV once; EVs that are away are not in it. */
  readonly actions: readonly AnnouncedAction[];
  /** EVs that pay what they owe. */
  readonly paid: ReadonlySet<MemberRank>;
}

/** What a settlement comes to, besides the model: it stands in the block for readers; voters recompute it. */
export interface SettlementResults {
  /** Null in the slots that only learn. */
  readonly hour: HourResult | null;
  /** Null except in the day's last slot. */
  readonly day: DayResult | null;
  readonly releases: readonly Release[];
}

export interface Settled {
  readonly results: SettlementResults;
  readonly state: PosocState;
  /** Candidates of the next day's draw; empty before the day's last slot. */
  readonly candidates: readonly Candidate[];
}

/** Settles a slot, given what it did to the model. A pure integer function of its arguments. */
export function settleSlot(
  context: SettlementContext<PosocState>,
  { actions, paid }: SettlementInputs,
  model: ModelResult | null,
): Settled {
  const { genesis, state, slot, jailed } = context;
  const isDrawn = context.winner !== null && !jailed.has(context.composer);
  const parameters = posocParametersOf(genesis);
  const place = placeOfSlot(genesis, slot);
  const hour = place.hour === null ? null : clearHour(parameters, place.day, place.hour, actions);
  const stays = hour === null ? state.stays : advanceStays(state.stays, parameters, actions, hour);
  const day = place.isLastOfDay
    ? settleDay(
        parameters,
        offPriceMicro(parameters, place.day),
        stays,
        state.scores,
        isDrawn ? context.composer : null,
        paid,
      )
    : null;
  const { held, releases } = advanceHeld(state.held, paid, day);
  const scores = day === null ? state.scores : day.rows.map(({ ledger }) => ledger);
  return {
    results: { hour, day, releases },
    state: {
      modelHash: model?.hash ?? state.modelHash,
      rounds: model?.round ?? state.rounds,
      aggregations: state.aggregations + (model?.isAggregated === true ? 1 : 0),
      stays: day === null ? stays : stays.map(() => null),
      scores,
      held,
      totals: advanceTotals(state.totals, stays, day, releases),
    },
    candidates: day === null ? [] : candidatesOf(scores, jailed),
  };
}

function advanceStays(
  stays: readonly (Stay | null)[],
  { battery }: ReturnType<typeof posocParametersOf>,
  actions: readonly AnnouncedAction[],
  { rows }: HourResult,
): readonly (Stay | null)[] {
  const next = [...stays];
  rows.forEach(({ rank, actionWh, matchedWh, cashMicro, scorePpmWh }, k) => {
    const { energyWh } = actions[k] as AnnouncedAction;
    const before = stays[rank] ?? {
      startEnergyWh: energyWh,
      energyWh,
      tradeScorePpmWh: 0n,
      boughtWh: 0n,
      soldWh: 0n,
      matchedWh: 0n,
      cashMicro: 0n,
    };
    next[rank] = {
      ...before,
      energyWh: advanceBatteryWh(battery, energyWh, actionWh),
      tradeScorePpmWh: before.tradeScorePpmWh + scorePpmWh,
      boughtWh: before.boughtWh + (actionWh > 0n ? actionWh : 0n),
      soldWh: before.soldWh + (actionWh < 0n ? -actionWh : 0n),
      matchedWh: before.matchedWh + matchedWh,
      cashMicro: before.cashMicro + cashMicro,
    };
  });
  return next;
}

/** A day counts in the totals when it is settled; what is held counts as fee and reward when it is released. */
function advanceTotals(
  totals: readonly EvTotals[],
  stays: readonly (Stay | null)[],
  day: DayResult | null,
  releases: readonly Release[],
): readonly EvTotals[] {
  if (day === null && releases.length === 0) return totals;
  const next = totals.map((before, rank): EvTotals => {
    const stay = stays[rank] ?? null;
    const row = day?.rows[rank];
    if (row === undefined) return before;
    const paysFee = row.escrowMicro === 0n;
    return {
      days: before.days + (stay === null ? 0 : 1),
      cashMicro: before.cashMicro + (stay?.cashMicro ?? 0n),
      profitMicro: before.profitMicro + row.profitMicro,
      feeMicro: before.feeMicro + (paysFee ? row.feeMicro : 0n),
      rewardMicro: before.rewardMicro + (rank === day?.miner ? day.rewardMicro : 0n),
      boughtWh: before.boughtWh + (stay?.boughtWh ?? 0n),
      soldWh: before.soldWh + (stay?.soldWh ?? 0n),
      matchedWh: before.matchedWh + (stay?.matchedWh ?? 0n),
    };
  });
  for (const { rank, miner, feeMicro } of releases) {
    const payer = next[rank] as EvTotals;
    next[rank] = { ...payer, feeMicro: payer.feeMicro + feeMicro };
    const earner = next[miner] as EvTotals;
    next[miner] = { ...earner, rewardMicro: earner.rewardMicro + feeMicro };
  }
  return next;
}
