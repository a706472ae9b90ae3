import type { Hash, Hex, MemberRank } from '../chain/types.ts';
import { type Codec, checked, decode, encode, hash, hex, struct, u16, u53, u64, union } from '../codec/index.ts';
import { taggedHash } from '../crypto/sha256.ts';

/** Most energy that a member may announce or meter in a slot: a gigawatt-hour, far above any prosumer. */
export const MAX_ENERGY_WH = 1_000_000_000n;

/** Forecast of a member for the slot of delivery, signed with the member's key. */
export interface Announcement {
  readonly type: 'announcement';
  readonly chainId: Hash;
  /** The slot of delivery: announced during the slot before, whose settlement forms the market. */
  readonly slot: number;
  readonly rank: MemberRank;
  readonly productionWh: bigint;
  readonly consumptionWh: bigint;
  /** The score of the member on its own, eq. 3.8, floored: what every peer must find as well. */
  readonly scoreWh: bigint;
  readonly signature: Hex;
}

/** What a member's meter counted in a slot, signed with the meter's key. */
export interface Reading {
  readonly type: 'reading';
  readonly chainId: Hash;
  readonly slot: number;
  readonly rank: MemberRank;
  readonly producedWh: bigint;
  readonly consumedWh: bigint;
  readonly signature: Hex;
}

export type PoegMessage = Announcement | Reading;

const energyWh: Codec<bigint> = checked(u64, (value) =>
  value <= MAX_ENERGY_WH ? null : `${value} Wh is more than the ${MAX_ENERGY_WH} Wh that a slot may have`,
);
const announcementFields = {
  chainId: hash,
  slot: u53,
  rank: u16,
  productionWh: energyWh,
  consumptionWh: energyWh,
  scoreWh: energyWh,
};
const readingFields = { chainId: hash, slot: u53, rank: u16, producedWh: energyWh, consumedWh: energyWh };
const signature = hex(64);

const messageCodec: Codec<PoegMessage> = union<PoegMessage>({
  announcement: struct({ ...announcementFields, signature }),
  reading: struct({ ...readingFields, signature }),
});
const signedAnnouncement = struct<Omit<Announcement, 'type' | 'signature'>>(announcementFields);
const signedReading = struct<Omit<Reading, 'type' | 'signature'>>(readingFields);

/** Longest encoding of a message. */
export const MAX_MESSAGE_BYTES = 1 + 32 + 8 + 2 + 3 * 8 + 64;

/** @throws CodecError when a field is out of range. */
export function encodeMessage(message: PoegMessage): Uint8Array {
  return encode(messageCodec, message);
}

/** @throws CodecError for anything that `encodeMessage` would not have produced. */
export function decodeMessage(bytes: Uint8Array): PoegMessage {
  return decode(messageCodec, bytes);
}

/** The digest that the member (announcement) or its meter (reading) signs. */
export function messageDigest(message: Omit<Announcement, 'signature'> | Omit<Reading, 'signature'>): Hash {
  return message.type === 'announcement'
    ? taggedHash('announcement', encode(signedAnnouncement, message))
    : taggedHash('reading', encode(signedReading, message));
}

/** Signs and encodes an announcement. `sign` uses the member's key. */
export function signAnnouncement(
  fields: Omit<Announcement, 'type' | 'signature'>,
  sign: (digest: Hash) => Hex,
): Uint8Array {
  const message = { type: 'announcement', ...fields } as const;
  return encodeMessage({ ...message, signature: sign(messageDigest(message)) });
}

/** Signs and encodes a reading. `sign` uses the meter's key. */
export function signReading(fields: Omit<Reading, 'type' | 'signature'>, sign: (digest: Hash) => Hex): Uint8Array {
  const message = { type: 'reading', ...fields } as const;
  return encodeMessage({ ...message, signature: sign(messageDigest(message)) });
}

/** `announcement/<slot>/<rank>` or `reading/<slot>/<rank>`. */
export function messageKey({ type, slot, rank }: Pick<PoegMessage, 'type' | 'slot' | 'rank'>): string {
  return `${type}/${slot}/${rank}`;
}

/** The slot whose settlement takes the message: the one before delivery, or the one after it. */
export function dueInSlot({ type, slot }: Pick<PoegMessage, 'type' | 'slot'>): number {
  return type === 'announcement' ? slot - 1 : slot + 1;
}
