import { integerArithmetic } from './arithmetic.ts';
import { type CoalitionModel, coalitionValue } from './coalition-problem.ts';
import { MarketError } from './errors.ts';
import { formCoalitions } from './formation.ts';
import {
  checkedTieWeight,
  type IntegerMarketInput,
  ONE_PPB,
  TIE_WEIGHT_LIMIT,
  validateMarketInput,
} from './integer-input.ts';
import { MAX_EXACT_SHAPLEY_MEMBERS, shapleyTimesFactorial } from './shapley.ts';

export interface IntegerTrade {
  readonly seller: number;
  readonly buyer: number;
  readonly energyWh: bigint;
}

/**
 * A coalition of the final partition. Losses and savings are exact in half nanowatt-hours: `HalfNanoWh = Wh * ppb * 2`,
 * because with `half` charging a member's saving is `x (2 r_i - r_ij) / 2`.
 */
export interface IntegerCoalition {
  /** Ascending ranks. */
  readonly members: readonly number[];
  readonly valueHalfNanoWh: bigint;
  /** Floor of the exact sum of its members' scores: its weight in the draw. */
  readonly proofScoreWh: bigint;
}

/** What a slot settles to. Arrays are by rank. */
export interface IntegerMarketOutcome {
  /** By lowest member; every member is in exactly one. */
  readonly coalitions: readonly IntegerCoalition[];
  /** By seller, then buyer. */
  readonly trades: readonly IntegerTrade[];
  readonly exportWh: readonly bigint[];
  readonly importWh: readonly bigint[];
  readonly savingHalfNanoWh: readonly bigint[];
  readonly lossAloneHalfNanoWh: readonly bigint[];
  readonly lossChargedHalfNanoWh: readonly bigint[];
  /** Eq. 3.8, floored. */
  readonly singletonScoreWh: readonly bigint[];
  /** Eq. 3.6, floored from the exact sum of singleton score and saving; never negative. */
  readonly proofScoreWh: readonly bigint[];
  readonly energyTradedWh: bigint;
  /** `phys` of section 3: each trade's loss counted once, whatever `lossCharge` is. */
  readonly physicalSavingHalfNanoWh: bigint;
  readonly rounds: number;
  readonly merges: number;
}

/** Half nanowatt-hours in a watt-hour. */
export const HALF_NANO_WH_PER_WH = 2n * ONE_PPB;

/**
 * Forms coalitions for a slot and settles who trades what with whom (sections 2-4), in exact integers: every
 * comparison is strict, and scores are the only numbers that are rounded (down). Equal inputs give equal outcomes on
 * every peer.
 *
 * Ties: among equally good pairs and merges the lower ranks win; among equally good flows of a coalition the one with
 * the largest `sum x_ij * tieWeight(i, j)`, then the lexicographically largest by (seller, buyer) rank. Listing the
 * members in another order changes nothing as long as the caller sorts by public key before it calls.
 *
 * @throws MarketError MARKET_INVALID_INPUT (see `validateMarketInput`).
 */
export function settleMarket(input: IntegerMarketInput): IntegerMarketOutcome {
  validateMarketInput(input);
  const n = input.balanceWh.length;
  const formation = formCoalitions(integerModel(input), {
    maxCoalitionSize: input.maxCoalitionSize,
    searchSplits: false,
  });

  const trades: IntegerTrade[] = [];
  const savingHalfNanoWh = new Array<bigint>(n).fill(0n);
  for (const coalition of formation.coalitions) {
    for (const { seller, buyer, energy } of coalition.trades) trades.push({ seller, buyer, energyWh: energy });
    coalition.members.forEach((i, k) => {
      savingHalfNanoWh[i] = coalition.saving[k]!;
    });
  }
  trades.sort((a, b) => a.seller - b.seller || a.buyer - b.buyer);

  const exportWh = input.balanceWh.map((balance) => (balance > 0n ? balance : 0n));
  const importWh = input.balanceWh.map((balance) => (balance < 0n ? -balance : 0n));
  const singletonScore = exportWh.map((sold, i) => 2n * sold * (ONE_PPB - input.rateEdcPpb[i]!));
  const lossAloneHalfNanoWh = exportWh.map((sold, i) => 2n * (sold + importWh[i]!) * input.rateEdcPpb[i]!);
  let energyTradedWh = 0n;
  let physicalSavingHalfNanoWh = 0n;
  for (const { seller, buyer, energyWh } of trades) {
    exportWh[seller]! -= energyWh;
    importWh[buyer]! -= energyWh;
    energyTradedWh += energyWh;
    physicalSavingHalfNanoWh +=
      2n * energyWh * (input.rateEdcPpb[seller]! + input.rateEdcPpb[buyer]! - input.ratePpb[seller]![buyer]!);
  }
  // A Pareto step never lowers a saving and pairs start at 0 or more, so no exact score is negative.
  const score = singletonScore.map((alone, i) => alone + savingHalfNanoWh[i]!);
  return {
    coalitions: formation.coalitions.map(({ members, value }) => ({
      members,
      valueHalfNanoWh: value,
      proofScoreWh: members.reduce((sum, i) => sum + score[i]!, 0n) / HALF_NANO_WH_PER_WH,
    })),
    trades,
    exportWh,
    importWh,
    savingHalfNanoWh,
    lossAloneHalfNanoWh,
    lossChargedHalfNanoWh: lossAloneHalfNanoWh.map((alone, i) => alone - savingHalfNanoWh[i]!),
    singletonScoreWh: singletonScore.map((exact) => exact / HALF_NANO_WH_PER_WH),
    proofScoreWh: score.map((exact) => exact / HALF_NANO_WH_PER_WH),
    energyTradedWh,
    physicalSavingHalfNanoWh,
    rounds: formation.rounds,
    merges: formation.merges,
  };
}

/**
 * Shapley value of the saving game on `members` (ascending ranks; section 7), in half nanowatt-hours, as exact
 * rationals over the common denominator `members.length!`. Solves 2^m coalition problems.
 *
 * @throws MarketError MARKET_INVALID_INPUT; MARKET_TOO_LARGE for more members than can be enumerated.
 */
export function shapleyHalfNanoWh(
  input: IntegerMarketInput,
  members: readonly number[],
): readonly { readonly numerator: bigint; readonly denominator: bigint }[] {
  validateMarketInput(input);
  members.forEach((member, k) => {
    if (Number.isInteger(member) && member >= 0 && member < input.balanceWh.length && members.indexOf(member) === k)
      return;
    throw new MarketError(
      'MARKET_INVALID_INPUT',
      `members[${k}] is ${member}: it must be a rank of this slot, listed once`,
      {
        field: 'members',
        index: k,
        value: String(member),
      },
    );
  });
  const model = integerModel(input);
  const shares = shapleyTimesFactorial(integerArithmetic, members.length, (positions) =>
    coalitionValue(
      model,
      positions.map((position) => members[position]!),
    ),
  );
  let denominator = 1n;
  for (let k = 2; k <= members.length && k <= MAX_EXACT_SHAPLEY_MEMBERS; k++) denominator *= BigInt(k);
  return shares.map((numerator) => ({ numerator, denominator }));
}

/** The coalition problem in Wh and half-ppb, so that a product is a `HalfNanoWh`. */
function integerModel(input: IntegerMarketInput): CoalitionModel<bigint> {
  const { rateEdcPpb, ratePpb } = input;
  const chargedTwice = input.lossCharge === 'half' ? 1n : 2n;
  const surplus = input.balanceWh.map((balance) => (balance > 0n ? balance : 0n));
  const sold = surplus.reduce((sum, energy) => sum + energy, 0n);
  // No flow's tie weights add up to this much, so one unit of saving outweighs them all.
  const savingUnit = sold * TIE_WEIGHT_LIMIT + 1n;
  return {
    arithmetic: integerArithmetic,
    size: input.balanceWh.length,
    surplus,
    deficit: input.balanceWh.map((balance) => (balance < 0n ? -balance : 0n)),
    memberGain: (member, partner) => 2n * rateEdcPpb[member]! - chargedTwice * ratePpb[member]![partner]!,
    pairRate: (seller, buyer) => {
      const rate = ratePpb[seller]![buyer]!;
      return rate < rateEdcPpb[seller]! && rate < rateEdcPpb[buyer]! ? rate : undefined;
    },
    arcWeight: (seller, buyer, saving) =>
      saving > 0n ? saving * savingUnit + checkedTieWeight(input, seller, buyer) : undefined,
    paretoTolerance: 0n,
  };
}
