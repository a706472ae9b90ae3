export { MarketError, type MarketErrorCode, type MarketErrorDetail } from './errors.ts';
export { billMarket, deviationBill, type IntegerBills, type IntegerPrices, validatePrices } from './integer-bill.ts';
export { type IntegerMarketInput, type LossCharge, validateMarketInput } from './integer-input.ts';
export {
  HALF_NANO_WH_PER_WH,
  type IntegerCoalition,
  type IntegerMarketOutcome,
  type IntegerTrade,
  settleMarket,
  shapleyHalfNanoWh,
} from './integer-market.ts';
