import {
  billMarket,
  type IntegerBills,
  type IntegerMarketInput,
  type IntegerMarketOutcome,
  settleMarket,
} from '@wattmesh/market';
import type { Genesis, Hash, Hex, MemberRank } from '../chain/types.ts';
import { fromHex } from '../codec/index.ts';
import { sha256Bytes } from '../crypto/sha256.ts';
import type { PoegParameters } from './parameters.ts';

/** What a member announced for a slot. */
export interface AnnouncedBalance {
  readonly rank: MemberRank;
  readonly productionWh: bigint;
  readonly consumptionWh: bigint;
}

/** Everything that a slot's market follows from. Who is not in it is absent from the slot, which is not the same as zero. */
export interface SlotMarket {
  /** The slot of delivery. */
  readonly slot: number;
  /** Decides between equally good flows: seed of the term in which the market was formed. */
  readonly seed: Hash;
  /** In ascending rank, each member once. */
  readonly announced: readonly AnnouncedBalance[];
}

/**
 * Weight of a trade between two members among equally good flows (protocol section 5): the first four bytes of
 * SHA-256(seed || key || key), keys in ascending order.
 */
export function tieWeight(seed: Hash, oneKey: Hex, otherKey: Hex): bigint {
  const [lower, higher] = oneKey < otherKey ? [oneKey, otherKey] : [otherKey, oneKey];
  const digest = sha256Bytes(fromHex(seed), fromHex(lower), fromHex(higher));
  return BigInt(new DataView(digest.buffer, digest.byteOffset).getUint32(0));
}

/** The market's input; index `k` stands for `market.announced[k]`. `publicKeys` by rank. */
export function marketInput(
  parameters: PoegParameters,
  publicKeys: readonly Hex[],
  market: SlotMarket,
): IntegerMarketInput {
  const ranks = market.announced.map(({ rank }) => rank);
  const weights = new Map<number, bigint>();
  return {
    balanceWh: market.announced.map(({ productionWh, consumptionWh }) => productionWh - consumptionWh),
    rateEdcPpb: ranks.map((rank) => parameters.rateEdcPpb[rank]!),
    ratePpb: ranks.map((from) => ranks.map((to) => parameters.ratePpb[from]![to]!)),
    lossCharge: parameters.lossCharge,
    maxCoalitionSize: parameters.maxCoalitionSize,
    tieWeight: (i, j) => {
      const pair = Math.min(i, j) * ranks.length + Math.max(i, j);
      let weight = weights.get(pair);
      if (weight === undefined) {
        weight = tieWeight(market.seed, publicKeys[ranks[i]!]!, publicKeys[ranks[j]!]!);
        weights.set(pair, weight);
      }
      return weight;
    },
  };
}

/** A slot's market with what it settles to. Indices are places in `ranks`. */
export interface FormedMarket {
  readonly parameters: PoegParameters;
  readonly ranks: readonly MemberRank[];
  readonly input: IntegerMarketInput;
  readonly outcome: IntegerMarketOutcome;
}

/**
 * Forming a market and sharing a reward take nearly all of a settlement's time, and a block is prepared, executed and
 * later billed from the same market: the last few are kept. The results are those of pure functions either way.
 */
const KEPT_MARKETS = 4;
const keptMarkets = new WeakMap<Genesis, Map<string, FormedMarket>>();
const keptBills = new WeakMap<FormedMarket, Map<string, IntegerBills>>();

/** Coalitions, trades and scores of a slot. A pure function of the parameters and the market. */
export function formMarket(genesis: Genesis, parameters: PoegParameters, market: SlotMarket): FormedMarket {
  const kept = keptMarkets.get(genesis) ?? new Map<string, FormedMarket>();
  keptMarkets.set(genesis, kept);
  const announced = market.announced.map(
    ({ rank, productionWh, consumptionWh }) => `${rank}:${productionWh}:${consumptionWh}`,
  );
  const key = [market.slot, market.seed, ...announced].join();
  const known = kept.get(key);
  if (known !== undefined && known.parameters === parameters) return known;
  const input = marketInput(
    parameters,
    genesis.members.map(({ publicKey }) => publicKey),
    market,
  );
  const result = { parameters, ranks: market.announced.map(({ rank }) => rank), input, outcome: settleMarket(input) };
  for (const oldest of kept.keys()) {
    if (kept.size < KEPT_MARKETS) break;
    kept.delete(oldest);
  }
  kept.set(key, result);
  return result;
}

/** The slot's bills when the coalition `rewarded` (places, ascending; empty for none) shares the reward. */
export function billsOf(formed: FormedMarket, rewarded: readonly number[]): IntegerBills {
  const kept = keptBills.get(formed) ?? new Map<string, IntegerBills>();
  keptBills.set(formed, kept);
  const key = rewarded.join();
  const known = kept.get(key);
  if (known !== undefined) return known;
  const bills = billMarket(formed.input, formed.outcome, formed.parameters.prices, rewarded);
  kept.set(key, bills);
  return bills;
}

/** The score that a member has on its own in Wh, eq. 3.8, floored: what its announcement must claim. */
export function singletonScoreWh(
  parameters: PoegParameters,
  { rank, productionWh, consumptionWh }: AnnouncedBalance,
): bigint {
  const surplusWh = productionWh - consumptionWh;
  if (surplusWh <= 0n) return 0n;
  return (surplusWh * (PPB - parameters.rateEdcPpb[rank]!)) / PPB;
}

const PPB = 1_000_000_000n;
