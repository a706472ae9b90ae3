/** What peers sign, hash and exchange: layouts, digests, Merkle trees, certificates. */
export * from './block.ts';
export * from './certificate.ts';
export * from './errors.ts';
export * from './evidence.ts';
export * from './history.ts';
export * from './limits.ts';
export { decodeLogRecord, encodeLogRecord, logRecordEncoder } from './log-codec.ts';
export { merkleProof, merkleRoot, verifyMerkleProof, ZERO_HASH } from './merkle.ts';
export * from './reports.ts';
export * from './slots.ts';
export type * from './state.ts';
export * from './transactions.ts';
export type * from './types.ts';
export * from './votes.ts';
