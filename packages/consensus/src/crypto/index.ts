/**
 * Hashes, ECDSA over secp256k1, BLS12-381 threshold signatures. Every function is pure and deterministic, and every
 * backend gives the same bytes and the same verdicts; only the speed differs.
 */

export { type Backends, backends } from './backends.ts';
export { type BeaconKeys, dealBeaconKeys } from './beacon-dealer.ts';
export { CryptoError, type CryptoErrorCode } from './errors.ts';
export { createDigestSigner, createMemberSigner, type DigestSigner } from './member-signer.ts';
export type { MemberSigner, SignatureScheme, ThresholdScheme } from './ports.ts';
export { isBeaconKey, isPublicKey } from './public-keys.ts';
export { HASH_DOMAINS, type HashDomain, sha256, sha256Bytes, taggedHash, taggedHashBytes } from './sha256.ts';
export { createSignatureScheme, signatureSelfTest } from './signature-scheme.ts';
export { createThresholdScheme, thresholdSelfTest } from './threshold-scheme.ts';
export { rememberCombinations, rememberSignatures } from './verification-cache.ts';
