import { bytes, type Codec, decode, encode, i64, list, struct, u16, u64 } from '../codec/index.ts';
import { MAX_MESSAGE_BYTES } from './messages.ts';
import { MAX_POEG_MEMBERS } from './parameters.ts';
import type { SettlementResults, SlotBill } from './settlement.ts';
import { u128 } from './state.ts';

/** What a PoEG settlement block holds: the signed messages as their authors encoded them, and what follows from them. */
export interface SettlementPayload {
  /** In ascending rank of their authors. */
  readonly announcements: readonly Uint8Array[];
  readonly readings: readonly Uint8Array[];
  readonly results: SettlementResults;
}

const rank = u16;
const ranks = list(rank, MAX_POEG_MEMBERS);
const perMember = <T>(item: Codec<T>) => list(item, MAX_POEG_MEMBERS);
/** A seller trades with several buyers, but an optimal flow uses fewer arcs than there are members. */
const MAX_TRADES = 2 * MAX_POEG_MEMBERS;

/** One codec for each part that a voter compares by itself, so that a wrong one can be named. */
export const resultCodecs: { readonly [Part in keyof SettlementResults]: Codec<SettlementResults[Part]> } = {
  rewards: struct({
    bills: perMember(
      struct<SlotBill>({ rank, withoutTradingMicro: i64, billMicro: i64, feeMicro: i64, shareMicro: i64 }),
    ),
    edcMicro: i64,
    rewardMicro: i64,
    rewarded: ranks,
  }),
  deviations: perMember(struct({ rank, memberMicro: i64 })),
  partition: perMember(struct({ members: ranks, valueHalfNanoWh: u128, proofScoreWh: u64 })),
  trades: list(struct({ seller: rank, buyer: rank, energyWh: u64 }), MAX_TRADES),
  scores: perMember(struct({ rank, singletonScoreWh: u64, proofScoreWh: u64 })),
};

const message = bytes(MAX_MESSAGE_BYTES);
const payloadCodec = struct<SettlementPayload>({
  announcements: perMember(message),
  readings: perMember(message),
  results: struct<SettlementResults>(resultCodecs),
});

/** @throws CodecError when a field is out of range. */
export function encodePayload(payload: SettlementPayload): Uint8Array {
  return encode(payloadCodec, payload);
}

/** @throws CodecError for anything that `encodePayload` would not have produced. */
export function decodePayload(payload: Uint8Array): SettlementPayload {
  return decode(payloadCodec, payload);
}
