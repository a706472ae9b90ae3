import { MarketError } from './errors.ts';
import type { IntegerMarketInput } from './integer-input.ts';
import { HALF_NANO_WH_PER_WH, type IntegerMarketOutcome, shapleyHalfNanoWh } from './integer-market.ts';
import { floorDivide, roundToTotal } from './rounding.ts';

/**
 * Prices of a slot in 10^-6 currency per kWh (section 13), and the share `delta` of savings that rewards the miner,
 * in ppm.
 */
export interface IntegerPrices {
  importMicroPerKwh: bigint;
  exportMicroPerKwh: bigint;
  localMicroPerKwh: bigint;
  lossMicroPerKwh: bigint;
  deviationMicroPerKwh: bigint;
  rewardPpm: bigint;
}

/** What each member owes, in 10^-6 currency, negative when it is paid. Arrays are by rank. */
export interface IntegerBills {
  /** The same balances settled with the EDC alone. */
  readonly withoutTradingMicro: readonly bigint[];
  /** Section 13 with fee and share, without deviation. */
  readonly billMicro: readonly bigint[];
  readonly feeMicro: readonly bigint[];
  readonly shareMicro: readonly bigint[];
  /** `M_r` of eq. 3.23: what the fees add up to, and the shares too. */
  readonly rewardMicro: bigint;
  /** The EDC's side: minus the sum of `billMicro`. */
  readonly edcMicro: bigint;
}

const WH_PER_KWH = 1000n;
const ONE_PPM = 1_000_000n;
/** Exact amounts are price x HalfNanoWh; this many make one micro-unit. */
const MICRO_DENOMINATOR = WH_PER_KWH * HALF_NANO_WH_PER_WH;

/**
 * @throws MarketError MARKET_INVALID_PRICES unless `import >= local >= export >= 0`, the other prices are >= 0 and the
 * reward is at most all of the saving.
 */
export function validatePrices(prices: IntegerPrices): void {
  const rules: readonly (readonly [keyof IntegerPrices, boolean, string])[] = [
    ['exportMicroPerKwh', prices.exportMicroPerKwh >= 0n, 'must not be negative'],
    ['localMicroPerKwh', prices.localMicroPerKwh >= prices.exportMicroPerKwh, 'must not be below the export price'],
    ['importMicroPerKwh', prices.importMicroPerKwh >= prices.localMicroPerKwh, 'must not be below the local price'],
    ['lossMicroPerKwh', prices.lossMicroPerKwh >= 0n, 'must not be negative'],
    ['deviationMicroPerKwh', prices.deviationMicroPerKwh >= 0n, 'must not be negative'],
    ['rewardPpm', prices.rewardPpm >= 0n && prices.rewardPpm <= ONE_PPM, 'must be between 0 and 10^6'],
  ];
  for (const [field, holds, rule] of rules) {
    if (holds) continue;
    throw new MarketError('MARKET_INVALID_PRICES', `${field} is ${prices[field]}: it ${rule}`, {
      field,
      value: String(prices[field]),
    });
  }
}

/**
 * Bills of a settled slot (section 13): energy and losses at the slot's prices, then every saver's fee `delta p save_i`
 * and the drawn coalition's Shapley shares of what the fees add up to (section 6, `p` = loss price). Members and the
 * EDC together always pay 0, to the unit.
 *
 * `winner` holds the ranks of the drawn coalition, one of `outcome.coalitions`; when it is empty nobody is rewarded
 * and no fee is charged.
 *
 * @throws MarketError MARKET_INVALID_PRICES; MARKET_UNKNOWN_WINNER when `winner` is not a coalition of the outcome.
 */
export function billMarket(
  input: IntegerMarketInput,
  outcome: IntegerMarketOutcome,
  prices: IntegerPrices,
  winner: readonly number[],
): IntegerBills {
  validatePrices(prices);
  const n = input.balanceWh.length;
  const fromGrid = (imported: bigint, exported: bigint) =>
    (prices.importMicroPerKwh * imported - prices.exportMicroPerKwh * exported) * HALF_NANO_WH_PER_WH;

  const withoutTrading = input.balanceWh.map((balance, i) => {
    const energy = balance > 0n ? fromGrid(0n, balance) : fromGrid(-balance, 0n);
    return energy + prices.lossMicroPerKwh * outcome.lossAloneHalfNanoWh[i]!;
  });
  const withTrading = outcome.importWh.map(
    (imported, i) =>
      fromGrid(imported, outcome.exportWh[i]!) + prices.lossMicroPerKwh * outcome.lossChargedHalfNanoWh[i]!,
  );
  for (const { seller, buyer, energyWh } of outcome.trades) {
    const paid = prices.localMicroPerKwh * energyWh * HALF_NANO_WH_PER_WH;
    withTrading[seller]! -= paid;
    withTrading[buyer]! += paid;
  }

  const { feeMicro, shareMicro, rewardMicro } = rewardsOf(input, outcome, prices, winner);
  const billMicro = settledWithEdc(withTrading).map((energy, i) => energy + feeMicro[i]! - shareMicro[i]!);
  return {
    withoutTradingMicro: settledWithEdc(withoutTrading).slice(0, n),
    billMicro,
    feeMicro,
    shareMicro,
    rewardMicro,
    edcMicro: -billMicro.reduce((sum, amount) => sum + amount, 0n),
  };
}

/**
 * The bill for what the meter says against what was announced (section 13): the difference is bought from or sold to
 * the EDC, and each kWh of it costs the deviation price on top. Defined for all integers.
 */
export function deviationBill(
  announcedNetWh: bigint,
  meteredNetWh: bigint,
  prices: IntegerPrices,
): { memberMicro: bigint; edcMicro: bigint } {
  const surplusWh = meteredNetWh - announcedNetWh;
  const deviationWh = surplusWh < 0n ? -surplusWh : surplusWh;
  const settled = surplusWh < 0n ? prices.importMicroPerKwh * deviationWh : -prices.exportMicroPerKwh * deviationWh;
  const owed = settled + prices.deviationMicroPerKwh * deviationWh;
  const [memberMicro] = roundToTotal([owed, -owed], WH_PER_KWH, 0n);
  return { memberMicro: memberMicro!, edcMicro: -memberMicro! };
}

/** Rounds the members' exact amounts, the EDC taking the other side as the last account; returns the members' ones. */
function settledWithEdc(exact: readonly bigint[]): bigint[] {
  const edc = -exact.reduce((sum, amount) => sum + amount, 0n);
  return roundToTotal([...exact, edc], MICRO_DENOMINATOR, 0n).slice(0, exact.length);
}

function rewardsOf(
  input: IntegerMarketInput,
  outcome: IntegerMarketOutcome,
  prices: IntegerPrices,
  winner: readonly number[],
): { readonly feeMicro: bigint[]; readonly shareMicro: bigint[]; readonly rewardMicro: bigint } {
  const nothing = () => input.balanceWh.map(() => 0n);
  if (winner.length === 0) return { feeMicro: nothing(), shareMicro: nothing(), rewardMicro: 0n };
  const members = [...winner].sort((a, b) => a - b);
  const coalition = outcome.coalitions.find((candidate) => candidate.members.join() === members.join());
  if (coalition === undefined) {
    throw new MarketError(
      'MARKET_UNKNOWN_WINNER',
      `winner {${members.join(', ')}} is not a coalition of this outcome`,
      {
        field: 'winner',
        value: members.join(),
      },
    );
  }
  const denominator = MICRO_DENOMINATOR * ONE_PPM;
  const fees = outcome.savingHalfNanoWh.map((saving) => prices.rewardPpm * prices.lossMicroPerKwh * saving);
  const rewardMicro = floorDivide(
    fees.reduce((sum, fee) => sum + fee, 0n),
    denominator,
  );
  const feeMicro = roundToTotal(fees, denominator, rewardMicro);

  const shareMicro = nothing();
  const shapley = coalition.valueHalfNanoWh > 0n ? shapleyHalfNanoWh(input, members) : undefined;
  const weights = shapley?.map(({ numerator }) => numerator) ?? members.map(() => 1n);
  const totalWeight = weights.reduce((sum, weight) => sum + weight, 0n);
  const shares = roundToTotal(
    weights.map((weight) => rewardMicro * weight),
    totalWeight,
    rewardMicro,
  );
  members.forEach((i, k) => {
    shareMicro[i] = shares[k]!;
  });
  return { feeMicro, shareMicro, rewardMicro };
}
