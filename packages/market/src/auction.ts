import { checkPrices, type Prices } from './bill.ts';
import { type CoalitionTrade, sidesOf } from './coalition-problem.ts';
import { outcomeOfTrades, type ProsumerMarket, type TradeOutcome } from './prosumer-market.ts';

/*
 * Auctions to compare coalitions with (section 13). What a side would pay or take at most or at least is its outside
 * option, the EDC, corrected for the loss that it is charged either way; so the limit depends on the partner.
 */

/** Trades and what each costs per kWh; `pricePerKwh[k]` belongs to `outcome.trades[k]`. */
export interface AuctionResult {
  readonly outcome: TradeOutcome;
  readonly pricePerKwh: readonly number[];
}

export type AuctionKind = 'firstPrice' | 'secondPrice' | 'uniformDouble';

/** The price at which `buyer` is as well off buying from `seller` as from the EDC, currency per kWh. */
export function buyerLimit(market: ProsumerMarket, prices: Prices, buyer: number, seller: number): number {
  return prices.importPerKwh + prices.lossPerKwh * market.model.memberGain(buyer, seller);
}

/** The price at which `seller` is as well off selling to `buyer` as to the EDC, currency per kWh. */
export function sellerLimit(market: ProsumerMarket, prices: Prices, seller: number, buyer: number): number {
  return prices.exportPerKwh - prices.lossPerKwh * market.model.memberGain(seller, buyer);
}

/**
 * Runs one auction; everybody bids its limit unless `bidOf` shades the buyers' ones.
 *
 * - `firstPrice`, `secondPrice`: sellers one after the other (by index) offer all they have to buyers with demand
 *   left; the highest bids (ties by index) are served first. A winner pays its own bid, or the best bid of those who
 *   got nothing but never less than the seller's limit for it.
 * - `uniformDouble`: pairs by decreasing distance of their limits, while the buyer's is not below the seller's;
 *   everybody pays the midpoint of the last matched pair.
 *
 * @throws MarketError MARKET_INVALID_PRICES.
 */
export function runAuction(
  market: ProsumerMarket,
  prices: Prices,
  kind: AuctionKind,
  bidOf: (limit: number, buyer: number) => number = (limit) => limit,
): AuctionResult {
  checkPrices(prices);
  const sides = sidesOf(
    market.model,
    Array.from({ length: market.size }, (_, i) => i),
  );
  const offer = (seller: number, buyer: number): Offer => ({
    seller,
    buyer,
    bid: bidOf(buyerLimit(market, prices, buyer, seller), buyer),
    ask: sellerLimit(market, prices, seller, buyer),
  });
  const left = market.model.surplus.map((surplus, i) => surplus + market.model.deficit[i]!);
  const deal = ({ seller, buyer }: Offer): number => {
    const energy = Math.min(left[seller]!, left[buyer]!);
    left[seller]! -= energy;
    left[buyer]! -= energy;
    return energy;
  };

  const priced: { readonly trade: CoalitionTrade<number>; readonly price: number }[] = [];
  if (kind === 'uniformDouble') {
    const matched = sides.sellers
      .flatMap((seller) => sides.buyers.map((buyer) => offer(seller, buyer)))
      .filter(({ bid, ask }) => bid >= ask)
      .sort((a, b) => b.bid - b.ask - (a.bid - a.ask) || a.seller - b.seller || a.buyer - b.buyer)
      .map((each) => ({ ...each, energy: deal(each) }))
      .filter(({ energy }) => energy > 0);
    const last = matched.at(-1);
    for (const { seller, buyer, energy } of matched) {
      priced.push({ trade: { seller, buyer, energy }, price: (last!.bid + last!.ask) / 2 });
    }
  } else {
    for (const seller of sides.sellers) {
      const offers = sides.buyers
        .filter((buyer) => left[buyer]! > 0)
        .map((buyer) => offer(seller, buyer))
        .filter(({ bid, ask }) => bid >= ask)
        .sort((a, b) => b.bid - a.bid || a.buyer - b.buyer);
      const dealt = offers.map((each) => ({ ...each, energy: deal(each) }));
      const bestLosing = dealt.find(({ energy }) => energy === 0)?.bid ?? Number.NEGATIVE_INFINITY;
      for (const { buyer, energy, bid, ask } of dealt) {
        if (energy === 0) continue;
        priced.push({
          trade: { seller, buyer, energy },
          price: kind === 'firstPrice' ? bid : Math.max(ask, bestLosing),
        });
      }
    }
  }
  priced.sort((a, b) => a.trade.seller - b.trade.seller || a.trade.buyer - b.trade.buyer);
  return {
    outcome: outcomeOfTrades(
      market,
      priced.map(({ trade }) => trade),
    ),
    pricePerKwh: priced.map(({ price }) => price),
  };
}

interface Offer {
  readonly seller: number;
  readonly buyer: number;
  readonly bid: number;
  readonly ask: number;
}
