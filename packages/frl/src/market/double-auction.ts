import type { SlotPrices } from '../environment/tariff.ts';
import { requireInput } from '../frl-error.ts';

export interface Order {
  readonly id: string;
  readonly quantityKwh: number;
  /** Limit: highest price to pay, or lowest to accept. */
  readonly priceCadPerKwh: number;
}

export interface Trade {
  readonly buyer: string;
  readonly seller: string;
  readonly quantityKwh: number;
}

export interface AuctionResult {
  /** Uniform clearing price, or null when nothing matched. */
  readonly priceCadPerKwh: number | null;
  readonly volumeKwh: number;
  readonly trades: readonly Trade[];
}

/**
 * Uniform-price double auction (section 6). Bids are capped at pGsell and asks raised to pGbuy, the prices at which
 * the grid would trade; price priority, ties by id; price is the midpoint of the last matched bid and ask. Orders that
 * are left over trade with the grid. Throws `FRL_INVALID_INPUT` on a negative or non-finite quantity or price.
 */
export function clearDoubleAuction(
  bids: readonly Order[],
  asks: readonly Order[],
  prices: Pick<SlotPrices, 'gridSell' | 'gridBuy'>,
): AuctionResult {
  for (const order of [...bids, ...asks]) {
    requireInput(
      order.quantityKwh >= 0 && Number.isFinite(order.quantityKwh) && Number.isFinite(order.priceCadPerKwh),
      `order of ${order.id} needs a finite price and a quantity of at least 0`,
      { ...order },
    );
  }
  const byId = (a: Order, b: Order): number => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
  const sortedBids = bids
    .map((bid) => ({ ...bid, priceCadPerKwh: Math.min(bid.priceCadPerKwh, prices.gridSell) }))
    .sort((a, b) => b.priceCadPerKwh - a.priceCadPerKwh || byId(a, b));
  const sortedAsks = asks
    .map((ask) => ({ ...ask, priceCadPerKwh: Math.max(ask.priceCadPerKwh, prices.gridBuy) }))
    .sort((a, b) => a.priceCadPerKwh - b.priceCadPerKwh || byId(a, b));

  const trades: Trade[] = [];
  let price: number | null = null;
  let volumeKwh = 0;
  let [b, a] = [0, 0];
  let bidLeft = sortedBids[0]?.quantityKwh ?? 0;
  let askLeft = sortedAsks[0]?.quantityKwh ?? 0;
  for (;;) {
    const bid = sortedBids[b];
    const ask = sortedAsks[a];
    if (!bid || !ask || bid.priceCadPerKwh < ask.priceCadPerKwh) break;
    const quantityKwh = Math.min(bidLeft, askLeft);
    if (quantityKwh > 0) {
      trades.push({ buyer: bid.id, seller: ask.id, quantityKwh });
      volumeKwh += quantityKwh;
      price = (bid.priceCadPerKwh + ask.priceCadPerKwh) / 2;
    }
    bidLeft -= quantityKwh;
    askLeft -= quantityKwh;
    if (bidLeft <= 0) bidLeft = sortedBids[++b]?.quantityKwh ?? 0;
    if (askLeft <= 0) askLeft = sortedAsks[++a]?.quantityKwh ?? 0;
  }
  return { priceCadPerKwh: price, volumeKwh, trades };
}
