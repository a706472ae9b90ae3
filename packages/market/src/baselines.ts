import type { CoalitionTrade } from './coalition-problem.ts';
import { sidesOf } from './coalition-problem.ts';
import { outcomeOfTrades, type ProsumerMarket, type TradeOutcome } from './prosumer-market.ts';
import { type Rng, shuffled } from './rng.ts';

/*
 * Mechanisms without coalitions that merge-and-split is compared with (section 12): same prosumers, same loss model,
 * and a trade is made only if neither side loses by it.
 */

/** Buyers in random order; each buys once, from its nearest acceptable seller with energy left. */
export function singlePartnerBaseline(market: ProsumerMarket, rng: Rng): TradeOutcome {
  return nearestSellerFirst(market, rng, 1);
}

/** Buyers in random order; each goes on to the next acceptable seller until it is served. */
export function firstComeNearestBaseline(market: ProsumerMarket, rng: Rng): TradeOutcome {
  return nearestSellerFirst(market, rng, Number.POSITIVE_INFINITY);
}

/** All acceptable pairs by increasing loss rate, each trading what both have left. */
export function mutualBaseline(market: ProsumerMarket): TradeOutcome {
  const { sellers, buyers } = everybody(market);
  const pairs = sellers.flatMap((seller) =>
    buyers.filter((buyer) => isAcceptable(market, seller, buyer)).map((buyer) => ({ seller, buyer })),
  );
  const rate = ({ seller, buyer }: (typeof pairs)[number]) => market.rates.rate(seller, buyer);
  pairs.sort((a, b) => rate(a) - rate(b) || a.seller - b.seller || a.buyer - b.buyer);
  const book = openBook(market);
  for (const { seller, buyer } of pairs) book.trade(seller, buyer);
  return outcomeOfTrades(market, book.trades);
}

function nearestSellerFirst(market: ProsumerMarket, rng: Rng, maxPartners: number): TradeOutcome {
  const { sellers, buyers } = everybody(market);
  const book = openBook(market);
  for (const buyer of shuffled(buyers, rng)) {
    const nearest = sellers
      .filter((seller) => isAcceptable(market, seller, buyer) && book.hasLeft(seller))
      .sort((a, b) => market.rates.rate(a, buyer) - market.rates.rate(b, buyer) || a - b);
    for (const seller of nearest.slice(0, maxPartners)) book.trade(seller, buyer);
  }
  return outcomeOfTrades(market, book.trades);
}

function isAcceptable(market: ProsumerMarket, seller: number, buyer: number): boolean {
  return market.model.memberGain(seller, buyer) >= 0 && market.model.memberGain(buyer, seller) >= 0;
}

function everybody(market: ProsumerMarket) {
  return sidesOf(
    market.model,
    Array.from({ length: market.size }, (_, i) => i),
  );
}

/** Trades so far, and what each side has left to trade. */
function openBook(market: ProsumerMarket) {
  const left = market.model.surplus.map((surplus, i) => surplus + market.model.deficit[i]!);
  const trades: CoalitionTrade<number>[] = [];
  return {
    trades,
    hasLeft: (i: number) => left[i]! > 0,
    trade(seller: number, buyer: number): void {
      const energy = Math.min(left[seller]!, left[buyer]!);
      if (energy <= 0) return;
      left[seller]! -= energy;
      left[buyer]! -= energy;
      trades.push({ seller, buyer, energy });
    },
  };
}
