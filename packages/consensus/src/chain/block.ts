import {
  bytes,
  type Codec,
  decode,
  encode,
  enumeration,
  hash,
  list,
  option,
  struct,
  u16,
  u32,
  u53,
} from '../codec/index.ts';
import { sha256, taggedHash } from '../crypto/index.ts';
import { certificateCodec } from './certificate.ts';
import { evidenceCodec } from './evidence.ts';
import { MAX_BLOCK_BYTES, MAX_BLOCK_TRANSACTIONS, MAX_EVIDENCE_ITEMS } from './limits.ts';
import { ZERO_HASH } from './merkle.ts';
import { batchCodec } from './transactions.ts';
import type { Block, BlockHeader, Hash } from './types.ts';
import { beaconSignatureCodec } from './votes.ts';

export const headerCodec: Codec<BlockHeader> = struct<BlockHeader>({
  chainId: hash,
  height: u53,
  parentHash: hash,
  term: u53,
  slot: u53,
  kind: enumeration(['transactions', 'closing', 'settlement']),
  composer: u16,
  composingRound: u32,
  chainTimeMs: u53,
  certificateHash: hash,
  seedSignature: option(beaconSignatureCodec),
  transactionsRoot: hash,
  payloadHash: hash,
  evidenceRoot: hash,
  stateRoot: hash,
});

export const blockCodec: Codec<Block> = struct<Block>({
  header: headerCodec,
  parentCertificate: option(certificateCodec),
  batches: list(batchCodec, MAX_BLOCK_TRANSACTIONS),
  payload: bytes(MAX_BLOCK_BYTES),
  evidence: list(evidenceCodec, MAX_EVIDENCE_ITEMS),
});

/** @throws CodecError */
export function encodeHeader(header: BlockHeader): Uint8Array {
  return encode(headerCodec, header);
}

/** @throws CodecError */
export function decodeHeader(encoded: Uint8Array): BlockHeader {
  return decode(headerCodec, encoded);
}

/** @throws CodecError */
export function encodeBlock(block: Block): Uint8Array {
  return encode(blockCodec, block);
}

/**
 * The block that the bytes encode; whether the header commits to the body remains to be checked.
 * @throws CodecError
 */
export function decodeBlock(encoded: Uint8Array): Block {
  return decode(blockCodec, encoded);
}

/** Identity of a block: domain-tagged SHA-256 of its header, which commits to every byte of the body. */
export function blockHash(header: BlockHeader): Hash {
  return taggedHash('block', encodeHeader(header));
}

/** SHA-256 of a settlement payload; 64 zeros when it is empty. */
export function payloadHash(payload: Uint8Array): Hash {
  return payload.length === 0 ? ZERO_HASH : sha256(payload);
}
