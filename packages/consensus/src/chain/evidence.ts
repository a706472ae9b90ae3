import { bytes, type Codec, encode, fromHex, hash, list, struct, u16, u32, u53, union } from '../codec/index.ts';
import { taggedHash } from '../crypto/index.ts';
import {
  MAX_BLOCK_BYTES,
  MAX_CONTESTED_CONTRIBUTION_BYTES,
  MAX_EVIDENCE_ITEMS,
  MAX_MEMBERS,
  MAX_SMALL_EVIDENCE_BYTES,
} from './limits.ts';
import { merkleRoot } from './merkle.ts';
import type { EvidenceItem, Genesis, Hash, NilPrevote } from './types.ts';
import { proposalCodec, signatureCodec, voteCodec } from './votes.ts';

const contested = bytes(MAX_CONTESTED_CONTRIBUTION_BYTES);

// The order gives each kind its number: append, never reorder.
export const evidenceCodec: Codec<EvidenceItem> = union<EvidenceItem>({
  timeout: struct<Omit<Extract<EvidenceItem, { type: 'timeout' }>, 'type'>>({
    height: u53,
    round: u32,
    votes: list(struct<NilPrevote>({ voter: u16, timestampMs: u53, signature: signatureCodec }), MAX_MEMBERS, 1),
  }),
  votes: struct({ first: voteCodec, second: voteCodec }),
  proposals: struct({ first: proposalCodec, second: proposalCodec }),
  contributions: struct({ first: contested, second: contested }),
  'invalid-block': struct({
    proposal: proposalCodec,
    block: bytes(MAX_BLOCK_BYTES),
    blobs: list(bytes(MAX_BLOCK_BYTES), MAX_MEMBERS + 1),
  }),
  omitted: struct({ hash }),
});

const listCodec: Codec<readonly EvidenceItem[]> = list(evidenceCodec, MAX_EVIDENCE_ITEMS);

const COUNT_BYTES = 4;

/** @throws CodecError */
export function encodeEvidence(item: EvidenceItem): Uint8Array {
  return encode(evidenceCodec, item);
}

/** Identity of an item. One that was left out of a nested proof has the identity of what it stands for. */
export function evidenceHash(item: EvidenceItem): Hash {
  return item.type === 'omitted' ? item.hash : taggedHash('evidence', encodeEvidence(item));
}

/** Merkle root over the items' hashes, in order. */
export function evidenceRoot(items: readonly EvidenceItem[]): Hash {
  return merkleRoot(items.map((item) => fromHex(evidenceHash(item))));
}

/** Encoded length of a block's evidence without its count, which every block has. @throws CodecError */
export function evidenceBytes(items: readonly EvidenceItem[]): number {
  return encode(listCodec, items).length - COUNT_BYTES;
}

/** The same list as it stands in a proof that its block is invalid: accusations of other blocks by their hash. */
export function withoutNesting(items: readonly EvidenceItem[]): readonly EvidenceItem[] {
  return items.map((item) => (item.type === 'invalid-block' ? { type: 'omitted', hash: evidenceHash(item) } : item));
}

/** Room for the proof that a block of the largest size, with all the small evidence that it may hold, is invalid. */
export function maxEvidenceBytes({ limits }: Pick<Genesis, 'limits'>): number {
  return limits.maxBlockBytes + 2 * MAX_SMALL_EVIDENCE_BYTES + 8_192;
}
