import type { Hash, Hex, MemberRank } from '../chain/types.ts';
import {
  bool,
  bytes,
  type Codec,
  decode,
  encode,
  hash,
  hex,
  i64,
  list,
  option,
  struct,
  u16,
  u53,
  u64,
  union,
} from '../codec/index.ts';
import { sha256, taggedHash } from '../crypto/sha256.ts';
import { MAX_MODEL_BYTES } from './parameters.ts';

/** An EV that is plugged in: what its battery holds, and what it does with it. */
export interface PresentEv {
  /** Stored energy before the action, Wh. The first of a day is the EV's word; after that it follows from its actions. */
  readonly energyWh: bigint;
  /** Metered energy of the hour, Wh; positive charges. */
  readonly actionWh: bigint;
  /** Limit price of an auction, 10^-6 CAD per kWh; has no meaning elsewhere. */
  readonly limitMicro: bigint;
}

/** What an EV does in an hour, signed with the member's key. Null: it is away, and settles nothing. */
export interface HourlyAction {
  readonly type: 'action';
  readonly chainId: Hash;
  readonly slot: number;
  readonly rank: MemberRank;
  readonly ev: PresentEv | null;
  readonly signature: Hex;
}

/** Whether an EV pays its share of the mining reward, with everything that it still owes, in the settlement of `slot`. */
export interface FeePayment {
  readonly type: 'payment';
  readonly chainId: Hash;
  readonly slot: number;
  readonly rank: MemberRank;
  readonly pays: boolean;
  readonly signature: Hex;
}

/** What an EV signs of its model update, and what a block lists of it. */
export interface UpdateHead {
  readonly chainId: Hash;
  readonly slot: number;
  readonly rank: MemberRank;
  /** Observation size and hidden widths of the model. */
  readonly shape: readonly number[];
  /** SHA-256 of the tensor. */
  readonly tensorHash: Hash;
  readonly signature: Hex;
}

/** A model after local training: head and bytes. */
export interface ModelUpdate extends UpdateHead {
  readonly type: 'update';
  readonly tensor: Uint8Array;
}

export type PosocMessage = HourlyAction | FeePayment | ModelUpdate;

/** A message without the bytes that its author has signed the hash of: what evidence holds. */
export type PosocStatement = HourlyAction | FeePayment | ({ readonly type: 'update' } & UpdateHead);

const signature = hex(64);
const place = { chainId: hash, slot: u53, rank: u16 };
const actionFields = {
  ...place,
  ev: option(struct<PresentEv>({ energyWh: u64, actionWh: i64, limitMicro: u64 })),
};
const paymentFields = { ...place, pays: bool };
const headFields = { ...place, shape: list(u16, 9), tensorHash: hash };

export const updateHeadCodec: Codec<UpdateHead> = struct<UpdateHead>({ ...headFields, signature });

const messageCodec: Codec<PosocMessage> = union<PosocMessage>({
  action: struct({ ...actionFields, signature }),
  payment: struct({ ...paymentFields, signature }),
  update: struct({ ...headFields, signature, tensor: bytes(MAX_MODEL_BYTES) }),
});

// The numbers of the kinds are those of the messages.
const statementCodec: Codec<PosocStatement> = union<PosocStatement>({
  action: struct({ ...actionFields, signature }),
  payment: struct({ ...paymentFields, signature }),
  update: struct({ ...headFields, signature }),
});

const signedCodecs = {
  action: struct<Omit<HourlyAction, 'type' | 'signature'>>(actionFields),
  payment: struct<Omit<FeePayment, 'type' | 'signature'>>(paymentFields),
  update: struct<Omit<UpdateHead, 'signature'>>(headFields),
};

/** Longest encoding of a message that a block holds as it is. */
export const MAX_STATEMENT_BYTES = 1 + 32 + 8 + 2 + 1 + 3 * 8 + 64;

/** @throws CodecError when a field is out of range. */
export function encodeMessage(message: PosocMessage): Uint8Array {
  return encode(messageCodec, message);
}

/** @throws CodecError for anything that `encodeMessage` would not have produced. */
export function decodeMessage(encoded: Uint8Array): PosocMessage {
  return decode(messageCodec, encoded);
}

/** What an encoded message's author has signed, with the signature. @throws CodecError for what is no message. */
export function statementOf(encoded: Uint8Array): Uint8Array {
  const message = decodeMessage(encoded);
  if (message.type !== 'update') return encoded;
  const { tensor: _, ...statement } = message;
  return encode(statementCodec, statement);
}

/** @throws CodecError for anything that `statementOf` would not have produced. */
export function decodeStatement(encoded: Uint8Array): PosocStatement {
  return decode(statementCodec, encoded);
}

export function actionDigest(action: Omit<HourlyAction, 'type' | 'signature'>): Hash {
  return taggedHash('action', encode(signedCodecs.action, action));
}

export function paymentDigest(payment: Omit<FeePayment, 'type' | 'signature'>): Hash {
  return taggedHash('payment', encode(signedCodecs.payment, payment));
}

export function updateDigest(head: Omit<UpdateHead, 'signature'>): Hash {
  return taggedHash('model-update', encode(signedCodecs.update, head));
}

type Sign = (digest: Hash) => Hex;

/** Signs and encodes what an EV does in an hour. */
export function signAction(fields: Omit<HourlyAction, 'type' | 'signature'>, sign: Sign): Uint8Array {
  return encodeMessage({ type: 'action', ...fields, signature: sign(actionDigest(fields)) });
}

/** Signs and encodes whether an EV pays. */
export function signPayment(fields: Omit<FeePayment, 'type' | 'signature'>, sign: Sign): Uint8Array {
  return encodeMessage({ type: 'payment', ...fields, signature: sign(paymentDigest(fields)) });
}

/** Signs and encodes a model update. `tensor`: float64, little endian, in the layout's order. */
export function signUpdate(
  fields: Omit<UpdateHead, 'tensorHash' | 'signature'> & { readonly tensor: Uint8Array },
  sign: Sign,
): Uint8Array {
  const { tensor, ...rest } = fields;
  const head = { ...rest, tensorHash: sha256(tensor) };
  return encodeMessage({ type: 'update', ...head, signature: sign(updateDigest(head)), tensor });
}

/** `action/<slot>/<rank>`, `payment/<slot>/<rank>` or `update/<slot>/<rank>`. */
export function messageKey({ type, slot, rank }: Pick<PosocMessage, 'type' | 'slot' | 'rank'>): string {
  return `${type}/${slot}/${rank}`;
}
