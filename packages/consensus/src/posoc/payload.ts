import {
  bool,
  bytes,
  type Codec,
  decode,
  encode,
  enumeration,
  hash,
  i64,
  list,
  option,
  struct,
  u8,
  u16,
  u53,
  u64,
} from '../codec/index.ts';
import type { ModelResult } from './aggregation.ts';
import type { DayResult, DayRow, Release } from './day-end.ts';
import type { HourResult, HourRow } from './hour-market.ts';
import { MAX_STATEMENT_BYTES, type UpdateHead, updateHeadCodec } from './messages.ts';
import { type AggregationSetting, MAX_EVS } from './parameters.ts';
import type { SettlementResults } from './settlement.ts';

/** Everything that follows from a settlement's messages. */
export interface PayloadResults extends SettlementResults {
  /** Null in the hours before the last. */
  readonly model: ModelResult | null;
}

/** What a PoSOC settlement block holds: signed messages as their authors encoded them, heads of updates, and what follows. */
export interface SettlementPayload {
  /** Of EVs that are present, in ascending rank; so with the others. */
  readonly actions: readonly Uint8Array[];
  /** Of EVs that pay. */
  readonly payments: readonly Uint8Array[];
  readonly updates: readonly UpdateHead[];
  readonly results: PayloadResults;
}

const perEv = <T>(item: Codec<T>) => list(item, MAX_EVS);

const hourCodec = struct<HourResult>({
  buyWh: u64,
  sellWh: u64,
  matchedWh: u64,
  buildingMatchedWh: u64,
  buildingCashMicro: i64,
  edcMicro: i64,
  v2vPriceMicro: option(u64),
  rows: perEv(struct<HourRow>({ rank: u16, actionWh: i64, matchedWh: u64, cashMicro: i64, scorePpmWh: i64 })),
});
const dayCodec = struct<DayResult>({
  miner: option(u16),
  rewardMicro: u64,
  rows: perEv(
    struct<DayRow>({
      rank: u16,
      score: i64,
      ledger: i64,
      profitMicro: i64,
      feeMicro: u64,
      payoffMicro: i64,
      escrowMicro: u64,
    }),
  ),
});

/** One codec for each part that a voter compares by itself, so that a wrong one can be named. */
export const resultCodecs: { readonly [Part in keyof PayloadResults]: Codec<PayloadResults[Part]> } = {
  hour: option(hourCodec),
  day: option(dayCodec),
  releases: list(struct<Release>({ rank: u16, miner: u16, profitMicro: u64, feeMicro: u64 }), MAX_EVS * MAX_EVS),
  model: option(
    struct<ModelResult>({
      round: u53,
      rule: struct<AggregationSetting>({
        name: enumeration(['mean', 'median', 'trim', 'krum', 'multikrum', 'clip']),
        f: u8,
      }),
      isAggregated: bool,
      hash,
    }),
  ),
};

const payloadCodec = struct<SettlementPayload>({
  actions: perEv(bytes(MAX_STATEMENT_BYTES)),
  payments: perEv(bytes(MAX_STATEMENT_BYTES)),
  updates: perEv(updateHeadCodec),
  results: struct<PayloadResults>(resultCodecs),
});

/** @throws CodecError when a field is out of range. */
export function encodePayload(payload: SettlementPayload): Uint8Array {
  return encode(payloadCodec, payload);
}

/** @throws CodecError for anything that `encodePayload` would not have produced. */
export function decodePayload(payload: Uint8Array): SettlementPayload {
  return decode(payloadCodec, payload);
}
