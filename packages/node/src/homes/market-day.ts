import { createHash } from 'node:crypto';
import { decodePoegParameters, type OfflineSlot, offlineTotals, type PoegParameters } from '@wattmesh/consensus';
import { randomStream } from '@wattmesh/data';
import {
  billSlot,
  createMarket,
  firstComeNearestBaseline,
  grandOptimum,
  mutualBaseline,
  outcomeOfTrades,
  type Prices,
  type ProsumerMarket,
  runAuction,
  singlePartnerBaseline,
  type TradeOutcome,
  tableLoss,
} from '@wattmesh/market';
import { intervalOfSlot } from '../household/household.ts';
import type { ProvisionedNetwork } from '../provision/network.ts';
import type { TradingDay } from './trading-day.ts';

/** One slot of the market as the chain would settle it. Integers as decimal strings. */
export interface MarketSlot {
  readonly slot: number;
  readonly hour: string;
  readonly producedWh: string;
  readonly consumedWh: string;
  readonly tradedWh: string;
  readonly lossSavedHalfNanoWh: string;
  readonly withoutTradingMicro: string;
  /** Before mining fees and rewards, which move money between homes and add up to 0. */
  readonly billMicro: string;
}

export interface MarketHome {
  readonly id: string;
  readonly withoutTradingMicro: string;
  readonly billMicro: string;
  readonly proofScoreWh: string;
}

/** Another mechanism on the same homes, in floating point, summed over the day. */
export interface ComparedMechanism {
  readonly name: string;
  readonly tradedKwh: number;
  readonly lossSavedKwh: number;
  /** Of the loss without any trading. */
  readonly savingPercent: number;
  readonly bill: number;
}

export interface MarketDay {
  readonly day: string;
  readonly seed: string;
  readonly slots: readonly MarketSlot[];
  readonly homes: readonly MarketHome[];
  readonly tradingSlots: number;
  readonly tradedWh: string;
  readonly lossSavedHalfNanoWh: string;
  readonly withoutTradingMicro: string;
  readonly billMicro: string;
  readonly mechanisms: readonly ComparedMechanism[];
  readonly remarks: readonly string[];
}

/**
 * The day's market without any network: coalitions, trades and bills exactly as a chain of these homes settles them, except
 * for mining fees and rewards, which depend on the draw. Ties between equally good flows go by a seed of their own here and
 * by the chain's seed there.
 */
export function marketDay(day: TradingDay, network: ProvisionedNetwork): MarketDay {
  const parameters = decodePoegParameters(network.genesis.application.parameters);
  const publicKeys = network.members.map(({ publicKey }) => publicKey);
  const inputs = day.hours.map((_, index) => slotInput(day, index + 1));
  const one = (slots: readonly OfflineSlot[]) => offlineTotals({ parameters, publicKeys, slots });
  const sumOf = (members: readonly { readonly [name in BillName]: bigint }[], name: BillName): string =>
    String(members.reduce((sum, member) => sum + member[name], 0n));
  const slots = inputs.map((input, index): MarketSlot => {
    const { energyTradedWh, physicalSavingHalfNanoWh, members } = one([input]);
    return {
      slot: index + 1,
      hour: day.hours[index] ?? '',
      producedWh: String(input.announced.reduce((sum, { productionWh }) => sum + productionWh, 0n)),
      consumedWh: String(input.announced.reduce((sum, { consumptionWh }) => sum + consumptionWh, 0n)),
      tradedWh: String(energyTradedWh),
      lossSavedHalfNanoWh: String(physicalSavingHalfNanoWh),
      withoutTradingMicro: sumOf(members, 'withoutTradingMicro'),
      billMicro: sumOf(members, 'billMicro'),
    };
  });
  const total = one(inputs);
  return {
    day: day.day,
    seed: day.seed,
    slots,
    homes: total.members.map((member, rank) => ({
      id: day.homes[rank]?.id ?? '',
      withoutTradingMicro: String(member.withoutTradingMicro),
      billMicro: String(member.billMicro),
      proofScoreWh: String(member.proofScoreWh),
    })),
    tradingSlots: slots.filter(({ tradedWh }) => tradedWh !== '0').length,
    tradedWh: String(total.energyTradedWh),
    lossSavedHalfNanoWh: String(total.physicalSavingHalfNanoWh),
    withoutTradingMicro: sumOf(total.members, 'withoutTradingMicro'),
    billMicro: sumOf(total.members, 'billMicro'),
    mechanisms: mechanismsOf(day, parameters, inputs),
    remarks: day.remarks,
  };
}

type BillName = 'withoutTradingMicro' | 'billMicro';

function slotInput({ homes, seed }: TradingDay, slot: number): OfflineSlot {
  return {
    seed: createHash('sha256').update(`wattmesh/market/${slot}/${seed}`).digest('hex'),
    announced: homes.map(({ household }, rank) => {
      const { productionWh, consumptionWh } = intervalOfSlot(household, slot);
      return { rank, productionWh: BigInt(productionWh), consumptionWh: BigInt(consumptionWh) };
    }),
    closed: { miner: null },
    metered: [],
  };
}

/** The baselines and auctions of the market package, on the chain's own loss rates and prices. */
function mechanismsOf(
  { seed }: TradingDay,
  parameters: PoegParameters,
  inputs: readonly OfflineSlot[],
): ComparedMechanism[] {
  const rates = tableLoss(
    parameters.rateEdcPpb.map((rate) => Number(rate) / 1e9),
    parameters.ratePpb.map((row) => row.map((rate) => Number(rate) / 1e9)),
  );
  const prices = pricesOf(parameters);
  const markets = inputs.map(({ announced }) =>
    createMarket(
      announced.map(({ productionWh, consumptionWh }) => ({
        productionKwh: Number(productionWh) / 1_000,
        consumptionKwh: Number(consumptionWh) / 1_000,
      })),
      rates,
      { lossCharge: parameters.lossCharge, maxCoalitionSize: parameters.maxCoalitionSize },
    ),
  );
  const lossAlone = markets.flatMap(({ lossAloneKwh }) => lossAloneKwh).reduce((sum, loss) => sum + loss, 0);
  const compare = (
    name: string,
    run: (market: ProsumerMarket, random: () => number) => { outcome: TradeOutcome; pricePerKwh?: readonly number[] },
  ): ComparedMechanism => {
    const sums = { tradedKwh: 0, lossSavedKwh: 0, bill: 0 };
    markets.forEach((market, slot) => {
      const stream = randomStream(seed, 'market', name, slot);
      const { outcome, pricePerKwh } = run(market, () => stream.next());
      sums.tradedKwh += outcome.energyTradedKwh;
      sums.lossSavedKwh += outcome.physicalSavingKwh;
      sums.bill += billSlot(market, outcome, prices, undefined, pricePerKwh).bill.reduce((sum, bill) => sum + bill, 0);
    });
    return { name, ...sums, savingPercent: lossAlone === 0 ? 0 : (100 * sums.lossSavedKwh) / lossAlone };
  };
  return [
    compare('no trading', (market) => ({ outcome: outcomeOfTrades(market, []) })),
    compare('one partner each', (market, random) => ({ outcome: singlePartnerBaseline(market, random) })),
    compare('nearest seller first', (market, random) => ({ outcome: firstComeNearestBaseline(market, random) })),
    compare('all acceptable pairs', (market) => ({ outcome: mutualBaseline(market) })),
    compare('first-price auction', (market) => runAuction(market, prices, 'firstPrice')),
    compare('second-price auction', (market) => runAuction(market, prices, 'secondPrice')),
    compare('double auction', (market) => runAuction(market, prices, 'uniformDouble')),
    compare('everybody in one coalition', (market) => ({
      outcome: outcomeOfTrades(market, grandOptimum(market).trades),
    })),
  ];
}

function pricesOf({ prices }: PoegParameters): Prices {
  const perKwh = (micro: bigint): number => Number(micro) / 1e6;
  return {
    importPerKwh: perKwh(prices.importMicroPerKwh),
    exportPerKwh: perKwh(prices.exportMicroPerKwh),
    localPerKwh: perKwh(prices.localMicroPerKwh),
    lossPerKwh: perKwh(prices.lossMicroPerKwh),
    deviationPerKwh: perKwh(prices.deviationMicroPerKwh),
  };
}
