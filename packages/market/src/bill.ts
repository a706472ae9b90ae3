import { MarketError } from './errors.ts';
import type { ProsumerMarket, TradeOutcome } from './prosumer-market.ts';
import type { Rewards } from './reward.ts';

/** Prices of a slot, currency per kWh (section 13). */
export interface Prices {
  readonly importPerKwh: number;
  readonly exportPerKwh: number;
  readonly localPerKwh: number;
  /** What a kWh of loss costs. */
  readonly lossPerKwh: number;
  /** On top of settling the difference, per kWh that the meter differs from the announcement. */
  readonly deviationPerKwh: number;
}

/** Defaults of section 13, in the currency of the data (Ausgrid: AUD). */
export const DEFAULT_PRICES: Prices = {
  importPerKwh: 0.3,
  exportPerKwh: 0.08,
  localPerKwh: 0.19,
  lossPerKwh: 0.19,
  deviationPerKwh: 0.3 - 0.08,
};

/** What everybody owes, currency, negative when paid. Prosumers and the EDC add up to 0. */
export interface Bills {
  readonly bill: readonly number[];
  readonly withoutTrading: readonly number[];
  readonly edc: number;
}

/**
 * Bills for any set of trades, coalitional or not, beside the bills of the same balances without trading. Trades are
 * paid at the local price unless an auction found another one for each: `tradePrices` goes with `outcome.trades`.
 *
 * @throws MarketError MARKET_INVALID_PRICES unless import >= local >= export >= 0 and the others are >= 0.
 */
export function billSlot(
  market: ProsumerMarket,
  outcome: TradeOutcome,
  prices: Prices,
  rewards?: Rewards,
  tradePrices?: readonly number[],
): Bills {
  checkPrices(prices);
  const fromGrid = (imported: number, exported: number) =>
    prices.importPerKwh * imported - prices.exportPerKwh * exported;
  const withoutTrading = market.lossAloneKwh.map(
    (loss, i) => fromGrid(market.model.deficit[i]!, market.model.surplus[i]!) + prices.lossPerKwh * loss,
  );
  const bill = outcome.importKwh.map(
    (imported, i) =>
      fromGrid(imported, outcome.exportKwh[i]!) +
      prices.lossPerKwh * outcome.lossChargedKwh[i]! +
      (rewards === undefined ? 0 : rewards.fee[i]! - rewards.share[i]!),
  );
  outcome.trades.forEach(({ seller, buyer, energy }, k) => {
    const paid = (tradePrices?.[k] ?? prices.localPerKwh) * energy;
    bill[seller]! -= paid;
    bill[buyer]! += paid;
  });
  return { bill, withoutTrading, edc: -bill.reduce((sum, amount) => sum + amount, 0) };
}

/**
 * What a member owes the EDC on top of its bill when the meter differs from the announcement (section 13), currency.
 */
export function deviationCharge(announcedNetKwh: number, meteredNetKwh: number, prices: Prices): number {
  const surplus = meteredNetKwh - announcedNetKwh;
  const settled = surplus < 0 ? -prices.importPerKwh * surplus : -prices.exportPerKwh * surplus;
  return settled + prices.deviationPerKwh * Math.abs(surplus);
}

/** @throws MarketError MARKET_INVALID_PRICES. */
export function checkPrices(prices: Prices): void {
  const rules: readonly (readonly [keyof Prices, boolean, string])[] = [
    ['exportPerKwh', prices.exportPerKwh >= 0, 'must not be negative'],
    ['localPerKwh', prices.localPerKwh >= prices.exportPerKwh, 'must not be below the export price'],
    ['importPerKwh', prices.importPerKwh >= prices.localPerKwh, 'must not be below the local price'],
    ['lossPerKwh', prices.lossPerKwh >= 0, 'must not be negative'],
    ['deviationPerKwh', prices.deviationPerKwh >= 0, 'must not be negative'],
  ];
  for (const [field, holds, rule] of rules) {
    if (holds && Number.isFinite(prices[field])) continue;
    throw new MarketError('MARKET_INVALID_PRICES', `${field} is ${prices[field]}: it ${rule}, and must be finite`, {
      field,
      value: String(prices[field]),
    });
  }
}
