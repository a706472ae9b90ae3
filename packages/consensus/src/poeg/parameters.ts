import {
  type IntegerPrices,
  type LossCharge,
  MarketError,
  validateMarketInput,
  validatePrices,
} from '@wattmesh/market';
import type { Genesis } from '../chain/types.ts';
import {
  type Codec,
  CodecError,
  checked,
  decode,
  encode,
  enumeration,
  list,
  mapped,
  struct,
  u8,
  u32,
  u64,
} from '../codec/index.ts';

/** What a score counts: what was announced (thesis), or what the meter said. */
export type ScoreBasis = 'announced' | 'metered';

/** The market's constants, attested by the operator in genesis; never declared by a member. */
export interface PoegParameters {
  readonly lossCharge: LossCharge;
  readonly scoreBasis: ScoreBasis;
  /** 1 to 12, so that Shapley values are exact. */
  readonly maxCoalitionSize: number;
  readonly prices: Readonly<IntegerPrices>;
  /** Loss rate to the EDC by rank, parts per 10^9. */
  readonly rateEdcPpb: readonly bigint[];
  /** Loss rate between members by rank, parts per 10^9: symmetric, the diagonal is 0. */
  readonly ratePpb: readonly (readonly bigint[])[];
}

/** Members that a PoEG chain may have: the triangle of their rates must fit into the parameters of a genesis. */
export const MAX_POEG_MEMBERS = 700;
/** Members of a coalition on the chain, so that Shapley values are exact (protocol section 5). */
export const MAX_COALITION_SIZE = 12;
/** 1000 currency units per kWh: keeps every bill far inside of 64 bits. */
export const MAX_PRICE_MICRO_PER_KWH = 1_000_000_000n;

/** `POEG_INVALID_PARAMETERS`: genesis cannot be run as PoEG. `POEG_SCORE_BASIS_UNSUPPORTED`: it asks for metered scores. */
export type PoegParametersErrorCode = 'POEG_INVALID_PARAMETERS' | 'POEG_SCORE_BASIS_UNSUPPORTED';

/** Genesis does not describe a market that can be run; the message says what is wrong. */
export class PoegParametersError extends Error {
  readonly code: PoegParametersErrorCode;

  constructor(code: PoegParametersErrorCode, message: string) {
    super(message);
    this.name = 'PoegParametersError';
    this.code = code;
  }
}

/** The rates on the wire: the upper triangle, row by row, so that nothing can be asymmetric. */
interface StoredParameters extends Omit<PoegParameters, 'ratePpb' | 'rateEdcPpb'> {
  readonly rateEdcPpb: readonly number[];
  readonly upperRatesPpb: readonly number[];
}

const pricesCodec = struct<IntegerPrices>({
  importMicroPerKwh: u64,
  exportMicroPerKwh: u64,
  localMicroPerKwh: u64,
  lossMicroPerKwh: u64,
  deviationMicroPerKwh: u64,
  rewardPpm: u64,
});

const storedCodec: Codec<StoredParameters> = checked(
  struct<StoredParameters>({
    lossCharge: enumeration(['half', 'full']),
    scoreBasis: enumeration(['announced', 'metered']),
    maxCoalitionSize: u8,
    prices: pricesCodec,
    rateEdcPpb: list(u32, MAX_POEG_MEMBERS),
    upperRatesPpb: list(u32, (MAX_POEG_MEMBERS * (MAX_POEG_MEMBERS - 1)) / 2),
  }),
  ({ rateEdcPpb, upperRatesPpb }) =>
    upperRatesPpb.length === (rateEdcPpb.length * (rateEdcPpb.length - 1)) / 2
      ? null
      : `${rateEdcPpb.length} members have another number of pairs than ${upperRatesPpb.length}`,
);

const parametersCodec: Codec<PoegParameters> = mapped(storedCodec, toStored, fromStored);

/** @throws PoegParametersError for anything that `decodePoegParameters` would refuse. */
export function encodePoegParameters(parameters: PoegParameters): Uint8Array {
  validatePoegParameters(parameters);
  return encode(parametersCodec, parameters);
}

/** @throws PoegParametersError when the bytes are no parameters, or describe a market that cannot be run. */
export function decodePoegParameters(bytes: Uint8Array): PoegParameters {
  let parameters: PoegParameters;
  try {
    parameters = decode(parametersCodec, bytes);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw new PoegParametersError('POEG_INVALID_PARAMETERS', `the application's parameters: ${error.message}`);
  }
  validatePoegParameters(parameters);
  return parameters;
}

/** @throws PoegParametersError naming the first thing that is wrong. */
export function validatePoegParameters(parameters: PoegParameters): void {
  const { scoreBasis, prices, rateEdcPpb, ratePpb, maxCoalitionSize, lossCharge } = parameters;
  if (scoreBasis === 'metered') {
    throw new PoegParametersError(
      'POEG_SCORE_BASIS_UNSUPPORTED',
      "scoreBasis 'metered' is not available: set it to 'announced' and let the deviation charge answer overstatement",
    );
  }
  try {
    validatePrices(prices);
    validateMarketInput({
      balanceWh: rateEdcPpb.map(() => 0n),
      rateEdcPpb,
      ratePpb,
      lossCharge,
      maxCoalitionSize,
      tieWeight: () => 0n,
    });
  } catch (error) {
    if (!(error instanceof MarketError)) throw error;
    throw new PoegParametersError('POEG_INVALID_PARAMETERS', `${error.code}: ${error.message}`);
  }
  if (maxCoalitionSize > MAX_COALITION_SIZE) {
    throw new PoegParametersError(
      'POEG_INVALID_PARAMETERS',
      `maxCoalitionSize is ${maxCoalitionSize}, the most is ${MAX_COALITION_SIZE}`,
    );
  }
  const dearest = Object.entries(prices).find(
    ([name, price]) => name !== 'rewardPpm' && price > MAX_PRICE_MICRO_PER_KWH,
  );
  if (dearest !== undefined) {
    throw new PoegParametersError(
      'POEG_INVALID_PARAMETERS',
      `prices.${dearest[0]} is ${dearest[1]}, the most is ${MAX_PRICE_MICRO_PER_KWH}`,
    );
  }
}

const decoded = new WeakMap<Genesis, PoegParameters>();

/**
 * The parameters of a chain, decoded once for each genesis object.
 *
 * @throws PoegParametersError also when genesis has another number of members than rates, members that are no prosumers,
 * or terms of more than one slot: a term's candidates are the coalitions of its one market.
 */
export function poegParametersOf(genesis: Genesis): PoegParameters {
  const known = decoded.get(genesis);
  if (known !== undefined) return known;
  const parameters = decodePoegParameters(genesis.application.parameters);
  const wrong = mismatch(genesis, parameters);
  if (wrong !== null) throw new PoegParametersError('POEG_INVALID_PARAMETERS', wrong);
  decoded.set(genesis, parameters);
  return parameters;
}

function mismatch(genesis: Genesis, { rateEdcPpb }: PoegParameters): string | null {
  if (genesis.application.name !== 'poeg') return `the application is ${genesis.application.name}, not poeg`;
  if (rateEdcPpb.length !== genesis.members.length) {
    return `there are rates for ${rateEdcPpb.length} members, genesis has ${genesis.members.length}`;
  }
  if (genesis.slot.slotsPerTerm !== 1) return `slotsPerTerm is ${genesis.slot.slotsPerTerm}: PoEG draws for every slot`;
  const other = genesis.members.findIndex(({ role }) => role !== 'prosumer');
  if (other >= 0)
    return `member ${other} has the role ${genesis.members[other]?.role}: a PoEG market is one of prosumers`;
  if (genesis.accounts.length === 0) return 'there is no account for the EDC, which takes the other side of every bill';
  return null;
}

function toStored({ rateEdcPpb, ratePpb, ...rest }: PoegParameters): StoredParameters {
  return {
    ...rest,
    rateEdcPpb: rateEdcPpb.map(Number),
    upperRatesPpb: ratePpb.flatMap((row, i) => row.slice(i + 1).map(Number)),
  };
}

function fromStored({ rateEdcPpb, upperRatesPpb, ...rest }: StoredParameters): PoegParameters {
  const n = rateEdcPpb.length;
  const ratePpb = rateEdcPpb.map(() => new Array<bigint>(n).fill(0n));
  let next = 0;
  for (let i = 0; i < n; i += 1)
    for (let j = i + 1; j < n; j += 1) {
      const rate = BigInt(upperRatesPpb[next] ?? 0);
      next += 1;
      ratePpb[i]![j] = rate;
      ratePpb[j]![i] = rate;
    }
  return { ...rest, rateEdcPpb: rateEdcPpb.map(BigInt), ratePpb };
}
