import { MarketError } from './errors.ts';
import { MAX_EXACT_SHAPLEY_MEMBERS } from './shapley.ts';

/**
 * Who bears a trade's loss: each side half of it (`half`), or each side all of it (`full`, thesis 3.7 to the letter).
 */
export type LossCharge = 'half' | 'full';

/**
 * A slot as the chain settles it. An index is a member's *rank*: the caller has sorted those present by public key, so
 * the order in which announcements arrived, or the miner listed them, cannot decide a tie.
 */
export interface IntegerMarketInput {
  /** `E_i = P_i - C_i` in Wh by rank; absent members are not in the arrays. */
  readonly balanceWh: readonly bigint[];
  /** Loss rate to the EDC, parts per 10^9 of the energy handed over. */
  readonly rateEdcPpb: readonly bigint[];
  /** Loss rates between members, symmetric; the diagonal is ignored. */
  readonly ratePpb: readonly (readonly bigint[])[];
  readonly lossCharge: LossCharge;
  readonly maxCoalitionSize: number;
  /**
   * Decides between equally good flows: at least 0, below 2^32, symmetric; derived by the caller from the slot's
   * seed.
   */
  readonly tieWeight: (i: number, j: number) => bigint;
}

export const ONE_PPB = 1_000_000_000n;
export const TIE_WEIGHT_LIMIT = 1n << 32n;

/**
 * Checks everything but the tie weights, which are checked where they are used.
 *
 * @throws MarketError MARKET_INVALID_INPUT naming the field and the index.
 */
export function validateMarketInput(input: IntegerMarketInput): void {
  const n = input.balanceWh.length;
  if (input.lossCharge !== 'half' && input.lossCharge !== 'full') {
    fail('lossCharge', undefined, input.lossCharge, "must be 'half' or 'full'");
  }
  const size = input.maxCoalitionSize;
  if (!Number.isInteger(size) || size < 1 || size > MAX_EXACT_SHAPLEY_MEMBERS) {
    // A larger coalition could be drawn, and then its members' shares could not be computed.
    fail('maxCoalitionSize', undefined, size, `must be an integer from 1 to ${MAX_EXACT_SHAPLEY_MEMBERS}`);
  }
  input.balanceWh.forEach((balance, i) => {
    if (typeof balance !== 'bigint') fail('balanceWh', i, balance, 'must be a bigint');
  });
  if (input.rateEdcPpb.length !== n) fail('rateEdcPpb', undefined, input.rateEdcPpb.length, `must have ${n} entries`);
  input.rateEdcPpb.forEach((rate, i) => {
    if (!isRate(rate)) fail('rateEdcPpb', i, rate, 'must be a bigint between 0 and 10^9');
  });
  if (input.ratePpb.length !== n) fail('ratePpb', undefined, input.ratePpb.length, `must have ${n} rows`);
  input.ratePpb.forEach((row, i) => {
    if (row.length !== n) fail('ratePpb', i, row.length, `must be a row of ${n} entries`);
  });
  input.ratePpb.forEach((row, i) => {
    row.forEach((rate, j) => {
      if (i === j) return;
      if (!isRate(rate)) fail('ratePpb', [i, j], rate, 'must be a bigint between 0 and 10^9');
      if (rate !== input.ratePpb[j]![i]) fail('ratePpb', [i, j], rate, 'must equal the rate in the opposite direction');
    });
  });
}

/** The tie weight of a pair, checked. @throws MarketError MARKET_INVALID_INPUT. */
export function checkedTieWeight(input: IntegerMarketInput, i: number, j: number): bigint {
  const weight = input.tieWeight(i, j);
  if (typeof weight !== 'bigint' || weight < 0n || weight >= TIE_WEIGHT_LIMIT) {
    fail('tieWeight', [i, j], weight, 'must be a bigint of at least 0 and below 2^32');
  }
  return weight;
}

function isRate(rate: unknown): boolean {
  return typeof rate === 'bigint' && rate >= 0n && rate <= ONE_PPB;
}

function fail(
  field: string,
  index: number | readonly [number, number] | undefined,
  value: unknown,
  rule: string,
): never {
  const place = index === undefined ? field : `${field}[${typeof index === 'number' ? index : index.join('][')}]`;
  throw new MarketError('MARKET_INVALID_INPUT', `${place} is ${String(value)}: it ${rule}`, {
    field,
    ...(index === undefined ? {} : { index }),
    value: String(value),
  });
}
