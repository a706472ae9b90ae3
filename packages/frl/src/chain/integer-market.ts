import { requireInput } from '../frl-error.ts';
import { apportion, maxOf, minOf, WH_PER_KWH } from './integer-arithmetic.ts';
import type { IntegerSlotPrices } from './integer-tariff.ts';

/** One EV's slot after clearing, in the order of the actions (members' rank). Wh are positive; cash is income. */
export interface IntegerFilledSlot {
  readonly v2vWh: bigint;
  readonly gridWh: bigint;
  /** Income from (or payment to) other EVs. */
  readonly v2vCashMicro: bigint;
  /** Income from (or payment to) the grid. */
  readonly gridCashMicro: bigint;
}

export interface IntegerSlotFill {
  readonly buyWh: bigint;
  readonly sellWh: bigint;
  /** Energy traded between EVs. */
  readonly matchedWh: bigint;
  /** Price of the V2V energy, micro-CAD per kWh; of an auction without a match, null. */
  readonly v2vPriceMicro: bigint | null;
  readonly rows: readonly IntegerFilledSlot[];
  /**
   * What the unlimited counterparty of `assumed` gains (loses if negative), so that all cash sums to 0 together with
   * the grid's. Always 0 in `pool` and `auction`.
   */
  readonly counterpartyMicro: bigint;
  /** The grid's income: minus the sum of every `gridCashMicro`. */
  readonly gridIncomeMicro: bigint;
}

/**
 * Clears a slot at pV2V (section 6). `actionsWh`: metered actions by rank, positive buys. `pool` fills the short side
 * and shares the rest pro rata; `assumed` fills everything. Energy shares and money are apportioned by largest
 * remainder, ties by rank, so matched buys = matched sells and V2V cash sums to 0, to the unit.
 */
export function clearIntegerPool(
  rule: 'assumed' | 'pool',
  actionsWh: readonly bigint[],
  prices: IntegerSlotPrices,
): IntegerSlotFill {
  const { buys, sells, buyWh, sellWh } = sidesOf(actionsWh);
  const matchedWh = minOf(buyWh, sellWh);
  const boughtWh = rule === 'assumed' ? buys : apportion(matchedWh, matchedWh > 0n ? buys : buys.map(() => 0n));
  const soldWh = rule === 'assumed' ? sells : apportion(matchedWh, matchedWh > 0n ? sells : sells.map(() => 0n));
  return settle(actionsWh, boughtWh, soldWh, matchedWh, prices.v2vMicro, prices);
}

/** A limit order of the EV with index `member` in rank order. */
export interface IntegerOrder {
  readonly member: number;
  readonly priceMicro: bigint;
}

/**
 * Clears a slot by uniform-price double auction: `actionsWh` are the quantities, `limitsMicro` each EV's limit price
 * (ignored for an action of 0). Bids are capped at pGsell, asks raised to pGbuy; price priority, ties by rank; the price
 * is the floored midpoint of the last matched bid and ask. What is not matched trades with the grid.
 */
export function clearIntegerAuction(
  actionsWh: readonly bigint[],
  limitsMicro: readonly bigint[],
  prices: IntegerSlotPrices,
): IntegerSlotFill {
  requireInput(actionsWh.length === limitsMicro.length, 'auction needs one limit price per action', {
    actions: actionsWh.length,
    limits: limitsMicro.length,
  });
  const { buys, sells } = sidesOf(actionsWh);
  const capped = (limit: bigint): bigint => minOf(limit, prices.gridSellMicro);
  const raised = (limit: bigint): bigint => maxOf(limit, prices.gridBuyMicro);
  const orders = (quantities: readonly bigint[], limitOf: (limit: bigint) => bigint, sign: 1n | -1n): IntegerOrder[] =>
    quantities
      .flatMap((quantity, member) =>
        quantity > 0n ? [{ member, priceMicro: limitOf(limitsMicro[member] as bigint) }] : [],
      )
      .sort((a, b) => {
        const difference = sign * (a.priceMicro - b.priceMicro);
        return difference < 0n ? -1 : difference > 0n ? 1 : a.member - b.member;
      });
  const bids = orders(buys, capped, -1n);
  const asks = orders(sells, raised, 1n);
  const boughtWh = actionsWh.map(() => 0n);
  const soldWh = actionsWh.map(() => 0n);
  let matchedWh = 0n;
  let priceMicro: bigint | null = null;
  let [b, a] = [0, 0];
  for (;;) {
    const bid = bids[b];
    const ask = asks[a];
    if (!bid || !ask || bid.priceMicro < ask.priceMicro) break;
    const bidLeft = (buys[bid.member] as bigint) - (boughtWh[bid.member] as bigint);
    const askLeft = (sells[ask.member] as bigint) - (soldWh[ask.member] as bigint);
    const quantity = minOf(bidLeft, askLeft);
    boughtWh[bid.member] = (boughtWh[bid.member] as bigint) + quantity;
    soldWh[ask.member] = (soldWh[ask.member] as bigint) + quantity;
    matchedWh += quantity;
    priceMicro = (bid.priceMicro + ask.priceMicro) / 2n;
    if (quantity === bidLeft) b++;
    if (quantity === askLeft) a++;
  }
  return settle(actionsWh, boughtWh, soldWh, matchedWh, priceMicro, prices);
}

function sidesOf(actionsWh: readonly bigint[]) {
  const buys = actionsWh.map((action) => maxOf(0n, action));
  const sells = actionsWh.map((action) => maxOf(0n, -action));
  const total = (side: readonly bigint[]): bigint => side.reduce((sum, quantity) => sum + quantity, 0n);
  return { buys, sells, buyWh: total(buys), sellWh: total(sells) };
}

/** Shares floor(price x energy) among `quantitiesWh` by largest remainder. */
function moneyShares(quantitiesWh: readonly bigint[], priceMicro: bigint): bigint[] {
  const energyWh = quantitiesWh.reduce((sum, quantity) => sum + quantity, 0n);
  return apportion((priceMicro * energyWh) / WH_PER_KWH, quantitiesWh);
}

function settle(
  actionsWh: readonly bigint[],
  boughtWh: readonly bigint[],
  soldWh: readonly bigint[],
  matchedWh: bigint,
  v2vPriceMicro: bigint | null,
  prices: IntegerSlotPrices,
): IntegerSlotFill {
  const { buys, sells, buyWh, sellWh } = sidesOf(actionsWh);
  const gridBoughtWh = buys.map((quantity, i) => quantity - (boughtWh[i] as bigint));
  const gridSoldWh = sells.map((quantity, i) => quantity - (soldWh[i] as bigint));
  const paid = moneyShares(boughtWh, v2vPriceMicro ?? 0n);
  const earned = moneyShares(soldWh, v2vPriceMicro ?? 0n);
  const gridPaid = moneyShares(gridBoughtWh, prices.gridSellMicro);
  const gridEarned = moneyShares(gridSoldWh, prices.gridBuyMicro);
  const rows = actionsWh.map((_, i) => ({
    v2vWh: (boughtWh[i] as bigint) + (soldWh[i] as bigint),
    gridWh: (gridBoughtWh[i] as bigint) + (gridSoldWh[i] as bigint),
    v2vCashMicro: (earned[i] as bigint) - (paid[i] as bigint),
    gridCashMicro: (gridEarned[i] as bigint) - (gridPaid[i] as bigint),
  }));
  return {
    buyWh,
    sellWh,
    matchedWh,
    v2vPriceMicro,
    rows,
    counterpartyMicro: -rows.reduce((sum, row) => sum + row.v2vCashMicro, 0n),
    gridIncomeMicro: -rows.reduce((sum, row) => sum + row.gridCashMicro, 0n),
  };
}
