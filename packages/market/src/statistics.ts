import { firstComeNearestBaseline, mutualBaseline, singlePartnerBaseline } from './baselines.ts';
import { type LossRates, linearLoss } from './loss-rate.ts';
import { createMarket, grandOptimum, type MarketOptions, outcomeOfTrades, settleSlot } from './prosumer-market.ts';
import { type EnergyDistribution, randomProsumers } from './random-prosumers.ts';
import type { Rng } from './rng.ts';

/** The columns of section 12 for one random slot. Percentages count each trade's loss once, whatever is charged. */
export interface SlotStatistics {
  /** `2 T / sum |E|`. */
  readonly tradedPercent: number;
  readonly savingPercent: number;
  readonly grandSavingPercent: number;
  readonly singlePartnerPercent: number;
  readonly firstComeNearestPercent: number;
  readonly mutualPercent: number;
  readonly coalitions: number;
  readonly problemsSolved: number;
  /** Saving as eq. 3.21 counts it: what the members are charged less, so with `full` each trade's loss twice. */
  readonly chargedSavingPercent: number;
}

export interface Summary {
  readonly mean: number;
  readonly standardDeviation: number;
}

/** One random slot of `count` prosumers. `wrapLoss` may replace the linear loss rates, for example by clamped ones. */
export function slotStatistics(
  count: number,
  distribution: EnergyDistribution,
  rng: Rng,
  options: MarketOptions = {},
  wrapLoss: (rates: LossRates) => LossRates = (rates) => rates,
): SlotStatistics {
  const { prosumers, positions } = randomProsumers(count, distribution, rng);
  const market = createMarket(prosumers, wrapLoss(linearLoss(positions)), options);
  const outcome = settleSlot(market);
  const allBalances = market.balanceKwh.reduce((sum, balance) => sum + Math.abs(balance), 0);
  const percentOfLoss = (kwh: number) =>
    outcome.physicalLossAloneKwh > 0 ? (100 * kwh) / outcome.physicalLossAloneKwh : 0;
  return {
    tradedPercent: allBalances > 0 ? (200 * outcome.energyTradedKwh) / allBalances : 0,
    savingPercent: percentOfLoss(outcome.physicalSavingKwh),
    grandSavingPercent: percentOfLoss(outcomeOfTrades(market, grandOptimum(market).trades).physicalSavingKwh),
    singlePartnerPercent: percentOfLoss(singlePartnerBaseline(market, rng).physicalSavingKwh),
    firstComeNearestPercent: percentOfLoss(firstComeNearestBaseline(market, rng).physicalSavingKwh),
    mutualPercent: percentOfLoss(mutualBaseline(market).physicalSavingKwh),
    coalitions: outcome.coalitions.length,
    problemsSolved: outcome.formation.problemsSolved,
    chargedSavingPercent: percentOfLoss(outcome.savingKwh.reduce((sum, saving) => sum + saving, 0)),
  };
}

/** Mean and sample standard deviation of every column over slots. */
export function summarize(slots: readonly SlotStatistics[]): Record<keyof SlotStatistics, Summary> {
  const summary = {} as Record<keyof SlotStatistics, Summary>;
  for (const column of Object.keys(slots[0]!) as (keyof SlotStatistics)[]) {
    const values = slots.map((slot) => slot[column]);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    summary[column] = { mean, standardDeviation: Math.sqrt(squares / Math.max(1, values.length - 1)) };
  }
  return summary;
}
