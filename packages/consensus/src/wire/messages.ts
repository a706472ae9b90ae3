import { evidenceCodec } from '../chain/evidence.ts';
import { MAX_BLOCK_BYTES, MAX_MEMBERS } from '../chain/limits.ts';
import { batchCodec } from '../chain/transactions.ts';
import type { EvidenceItem, Hash, Proposal, TransactionBatch, Vote } from '../chain/types.ts';
import { proposalCodec, voteCodec } from '../chain/votes.ts';
import {
  ascii,
  bytes,
  type Codec,
  checked,
  decode,
  encode,
  hash,
  list,
  struct,
  u8,
  u53,
  union,
} from '../codec/index.ts';
import { WireError } from './errors.ts';

/** Largest encoded message; gossip silently drops what exceeds 4 MiB with its own framing. */
export const MAX_MESSAGE_BYTES = 4_000_000;
/** Largest announcement, reading, action or model update. */
export const MAX_CONTRIBUTION_BYTES = 65_536;
/** Most blocks that one request asks for. */
export const MAX_RANGE_BLOCKS = 64;
/** Longest key of a contribution. */
const MAX_KEY_LENGTH = 128;
/** Most batches in one message of several. */
export const MAX_GROUPED_BATCHES = 4_096;
/** Most blobs that one request asks for: the updates of a round and the model that they start from. */
export const MAX_BLOBS_ASKED = 257;
/** Room for the certificate of the largest membership. */
const MAX_CERTIFICATE_BYTES = 1_536 * MAX_MEMBERS;

/** A block and the certificate that decided it, both encoded. */
export interface CertifiedBlockBytes {
  readonly block: Uint8Array;
  readonly certificate: Uint8Array;
}

/**
 * Everything that peers send each other. Blocks travel as bytes, so that what was received is what is hashed, stored
 * and passed on.
 */
export type Message =
  | {
      readonly type: 'proposal';
      readonly proposal: Proposal;
      readonly block: Uint8Array;
      /** The `q` prevotes of `polRound`; empty when that is -1. */
      readonly polVotes: readonly Vote[];
    }
  | { readonly type: 'votes'; readonly votes: readonly Vote[] }
  | { readonly type: 'batch'; readonly batch: TransactionBatch }
  | { readonly type: 'contribution'; readonly bytes: Uint8Array }
  | { readonly type: 'status'; readonly height: number }
  /** Asks for certified blocks `from` to `from + count - 1`. */
  | { readonly type: 'get-blocks'; readonly from: number; readonly count: number }
  | { readonly type: 'blocks'; readonly items: readonly CertifiedBlockBytes[] }
  /** Asks for a block that is voted on. */
  | { readonly type: 'get-block'; readonly height: number; readonly hash: Hash }
  | { readonly type: 'block'; readonly block: Uint8Array }
  | { readonly type: 'evidence'; readonly item: EvidenceItem }
  /** Asks for a contribution by its key; answered by a `contribution`. */
  | { readonly type: 'get-contribution'; readonly key: string }
  /** Asks for a waiting batch by its hash; answered by a `batch`. */
  | { readonly type: 'get-batch'; readonly hash: Hash }
  /** Several batches, from a peer that was handed them at about the same time. */
  | { readonly type: 'batches'; readonly batches: readonly TransactionBatch[] }
  /** Asks for bytes that a block names by hash; answered by one `blob` each. */
  | { readonly type: 'get-blobs'; readonly hashes: readonly Hash[] }
  | { readonly type: 'blob'; readonly bytes: Uint8Array };

export type MessageType = Message['type'];

const blockBytes: Codec<Uint8Array> = bytes(MAX_BLOCK_BYTES);
const votes: Codec<readonly Vote[]> = list(voteCodec, MAX_MEMBERS);
const rangeCount: Codec<number> = checked(u8, (count) =>
  count >= 1 && count <= MAX_RANGE_BLOCKS ? null : `a range has 1 to ${MAX_RANGE_BLOCKS} blocks, got ${count}`,
);

// The order gives each kind its number on the wire: append, never reorder.
const kinds = {
  proposal: struct<Omit<Extract<Message, { type: 'proposal' }>, 'type'>>({
    proposal: proposalCodec,
    block: blockBytes,
    polVotes: votes,
  }),
  votes: struct({ votes: list(voteCodec, MAX_MEMBERS, 1) }),
  batch: struct({ batch: batchCodec }),
  contribution: struct({ bytes: bytes(MAX_CONTRIBUTION_BYTES) }),
  status: struct({ height: u53 }),
  'get-blocks': struct({ from: u53, count: rangeCount }),
  blocks: struct({
    items: list(
      struct<CertifiedBlockBytes>({ block: blockBytes, certificate: bytes(MAX_CERTIFICATE_BYTES) }),
      MAX_RANGE_BLOCKS,
      1,
    ),
  }),
  'get-block': struct({ height: u53, hash }),
  block: struct({ block: blockBytes }),
  evidence: struct({ item: evidenceCodec }),
  'get-contribution': struct({ key: ascii(MAX_KEY_LENGTH) }),
  'get-batch': struct({ hash }),
  batches: struct({ batches: list(batchCodec, MAX_GROUPED_BATCHES, 1) }),
  'get-blobs': struct({ hashes: list(hash, MAX_BLOBS_ASKED, 1) }),
  blob: struct({ bytes: bytes(MAX_CONTRIBUTION_BYTES) }),
};
const KINDS = Object.keys(kinds).length;
const messageCodec: Codec<Message> = union<Message>(kinds);

/**
 * Bytes of a message.
 * @throws CodecError when a field is out of range; WireError WIRE_TOO_LARGE when the whole would be dropped on the way.
 */
export function encodeMessage(message: Message): Uint8Array {
  const encoded = encode(messageCodec, message);
  if (encoded.length > MAX_MESSAGE_BYTES) throw tooLarge(encoded.length);
  return encoded;
}

/**
 * The message that the bytes encode. Its layout is checked here; signatures and blocks are not.
 * @throws WireError for an unknown kind or too many bytes, CodecError for everything else that is no message.
 */
export function decodeMessage(encoded: Uint8Array): Message {
  if (encoded.length > MAX_MESSAGE_BYTES) throw tooLarge(encoded.length);
  const kind = encoded[0];
  if (kind !== undefined && kind >= KINDS) {
    throw new WireError('WIRE_UNKNOWN_KIND', `messages are of kind 0 to ${KINDS - 1}, got ${kind}: a newer version?`);
  }
  return decode(messageCodec, encoded);
}

function tooLarge(length: number): WireError {
  return new WireError('WIRE_TOO_LARGE', `a message has at most ${MAX_MESSAGE_BYTES} bytes, got ${length}`);
}
