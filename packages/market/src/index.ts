/**
 * The prosumers' market of thesis chapter 3: who forms a coalition with whom, what it saves, who is drawn, and who
 * pays.
 *
 * In two forms over one set of algorithms. The *integer* form (`settleMarket`, `billMarket`, `deviationBill`) is what
 * peers agree on: Wh, ppb and 10^-6 currency in, the same bytes out everywhere; no tolerance decides anything. The
 * *floating-point* form (`createMarket`, `settleSlot`, `rewardSlot`, ...) is for studies: kWh, pluggable loss rates,
 * forced trading, sampling, baselines and statistics.
 *
 * What it guarantees: the final coalitions are a partition; nobody saves less than alone; the trades inside a coalition
 * save the most possible and are unique by rule; bills of members and EDC add up to 0, on the chain to the unit. What
 * it does not: that the partition is the global optimum or in the core. A merge that would cost one member its gain
 * is not made even if it raises the sum.
 *
 * Where it leaves the thesis: the EDC legs are part of eq. 3.11 (without them no trade is optimal); a trade's loss is
 * charged half to each side unless `full` is asked for; the reward is paid by those who saved instead of appearing from
 * nowhere (`literal322` restores that); N in eq. 3.3 is the winning coalition; the pairing loop of chapter 3 always
 * ends.
 *
 * Pure: no clock, disk, network or randomness of its own; it keeps nothing between calls. It fails by throwing
 * `MarketError` for inputs that no market can be computed from.
 */
export { type AuctionKind, type AuctionResult, buyerLimit, runAuction, sellerLimit } from './auction.ts';
export { firstComeNearestBaseline, mutualBaseline, singlePartnerBaseline } from './baselines.ts';
export { type Bills, billSlot, DEFAULT_PRICES, deviationCharge, type Prices } from './bill.ts';
export { CASE14 } from './case14.ts';
export type { CoalitionModel, CoalitionOutcome, CoalitionTrade } from './coalition-problem.ts';
export { type GeneratedOptimum, generatedGrandOptimum } from './column-generation.ts';
export { MarketError, type MarketErrorCode, type MarketErrorDetail } from './errors.ts';
export type { Formation, FormationStep } from './formation.ts';
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
export {
  clampedLoss,
  DEFAULT_EDC,
  DEFAULT_LOSS_PER_KM,
  type LossRates,
  linearLoss,
  type Position,
  tableLoss,
} from './loss-rate.ts';
export {
  allocateLosses,
  type Exchange,
  type LossTableOptions,
  type NetworkLocation,
  networkLoss,
  networkLossRates,
} from './loss-table.ts';
export { argmax, drawCoalition, drawProbabilities, signingMember, withoutCoalition } from './miner-selection.ts';
export { nearestPartnerArcs } from './nearest-partners.ts';
export type { Branch, Bus, Network } from './network.ts';
export {
  createMarket,
  grandOptimum,
  type MarketOptions,
  outcomeOfTrades,
  type Prosumer,
  type ProsumerMarket,
  type SlotOutcome,
  settleSlot,
  type TradeOutcome,
} from './prosumer-market.ts';
export { ENERGY_DISTRIBUTIONS, type EnergyDistribution, randomProsumers } from './random-prosumers.ts';
export { type RewardOptions, type Rewards, rewardSlot } from './reward.ts';
export type { Rng } from './rng.ts';
export { type SampledShapley, sampledShapley } from './sampled-shapley.ts';
export { savingShapley } from './saving-shapley.ts';
export { type SlotStatistics, type Summary, slotStatistics, summarize } from './statistics.ts';
