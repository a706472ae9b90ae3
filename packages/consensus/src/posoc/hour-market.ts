import {
  clearIntegerAuction,
  clearIntegerPool,
  type IntegerSlotTariff,
  integerPriceTriple,
  integerSlotTariff,
  slotScorePpmWh,
} from '@wattmesh/frl';
import type { MemberRank } from '../chain/types.ts';
import { fromHex } from '../codec/index.ts';
import type { PresentEv } from './messages.ts';
import type { PosocParameters } from './parameters.ts';

/** What an EV does in the hour. */
export interface AnnouncedAction extends PresentEv {
  readonly rank: MemberRank;
}

/** One participant's hour after clearing. Wh are positive, money is income, 10^-6 CAD. */
export interface HourRow {
  readonly rank: MemberRank;
  readonly actionWh: bigint;
  /** Of the action, what had another EV or the building on the other side; the grid takes the rest. */
  readonly matchedWh: bigint;
  readonly cashMicro: bigint;
  readonly scorePpmWh: bigint;
}

/** A cleared hour. Prices in 10^-6 CAD per kWh. */
export interface HourResult {
  readonly buyWh: bigint;
  readonly sellWh: bigint;
  /** Energy that changed hands without the grid, the building's part included. */
  readonly matchedWh: bigint;
  /** What of it the building took. */
  readonly buildingMatchedWh: bigint;
  readonly buildingCashMicro: bigint;
  /** What the grid earned, and the unlimited other side of `assumed`. */
  readonly edcMicro: bigint;
  readonly v2vPriceMicro: bigint | null;
  /** In ascending rank. */
  readonly rows: readonly HourRow[];
}

/** Prices and delta of an hour: a pure function of genesis. */
export function hourTariff({ tariff, tariffSeed }: PosocParameters, day: number, hour: number): IntegerSlotTariff {
  return integerSlotTariff(tariff, integerPriceTriple(tariff, fromHex(tariffSeed), day), hour);
}

/** The off-peak price of a day, at which stored energy is valued when the day is settled. */
export function offPriceMicro({ tariff, tariffSeed }: PosocParameters, day: number): bigint {
  return integerPriceTriple(tariff, fromHex(tariffSeed), day).off;
}

/**
 * Clears an hour among the EVs that announced an action (ascending rank) and the building, which stands last among them
 * and in an auction bids what the grid asks. Money is conserved: rows, building and EDC add up to 0.
 */
export function clearHour(
  parameters: PosocParameters,
  day: number,
  hour: number,
  actions: readonly AnnouncedAction[],
): HourResult {
  const tariff = hourTariff(parameters, day, hour);
  const loadWh = parameters.buildingLoadWh[hour] as bigint;
  const actionsWh = [...actions.map(({ actionWh }) => actionWh), loadWh];
  const filled =
    parameters.fill === 'auction'
      ? clearIntegerAuction(actionsWh, [...actions.map(({ limitMicro }) => limitMicro), tariff.gridSellMicro], tariff)
      : clearIntegerPool(parameters.fill, actionsWh, tariff);
  const cash = filled.rows.map(({ v2vCashMicro, gridCashMicro }) => v2vCashMicro + gridCashMicro);
  return {
    buyWh: filled.buyWh,
    sellWh: filled.sellWh,
    matchedWh: filled.matchedWh,
    buildingMatchedWh: filled.rows.at(-1)?.v2vWh ?? 0n,
    buildingCashMicro: cash.at(-1) ?? 0n,
    edcMicro: filled.gridIncomeMicro + filled.counterpartyMicro,
    v2vPriceMicro: filled.v2vPriceMicro,
    rows: actions.map(({ rank, actionWh }, k) => ({
      rank,
      actionWh,
      matchedWh: filled.rows[k]?.v2vWh ?? 0n,
      cashMicro: cash[k] ?? 0n,
      scorePpmWh: slotScorePpmWh(tariff.deltaPpm, actionWh),
    })),
  };
}
