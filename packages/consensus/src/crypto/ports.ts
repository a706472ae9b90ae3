import type { Hash, Hex } from '../chain/types.ts';

/** ECDSA over secp256k1. Every implementation accepts and rejects exactly the same inputs. */
export interface SignatureScheme {
  readonly name: 'native' | 'noble';
  /** RFC 6979, low-S, 64 bytes compact. `digest` is 32 bytes, `secretKey` 32 bytes. */
  sign(digest: Uint8Array, secretKey: Uint8Array): Uint8Array;
  /** False for every malformed input: key not 33 bytes with prefix 02/03, signature not 64 bytes, high S, digest not 32 bytes. Never throws. */
  verify(signature: Uint8Array, digest: Uint8Array, publicKey: Uint8Array): boolean;
  publicKey(secretKey: Uint8Array): Uint8Array;
}

/** BLS12-381 threshold signatures (minimal public keys: G1 keys of 48 bytes, G2 signatures of 96 bytes, POP tag). */
export interface ThresholdScheme {
  readonly name: 'blst' | 'noble';
  signShare(message: Uint8Array, secretShare: Uint8Array): Uint8Array;
  verifyShare(share: Uint8Array, message: Uint8Array, publicShare: Uint8Array): boolean;
  /** Lagrange interpolation in G2 of exactly `threshold` valid shares; `rank` is the member's rank (x = rank + 1). */
  combine(shares: readonly { readonly rank: number; readonly share: Uint8Array }[]): Uint8Array;
  verifyCombined(signature: Uint8Array, message: Uint8Array, groupKey: Uint8Array): boolean;
}

/** Holds a member's secret keys; the consensus code only ever asks for signatures. */
export interface MemberSigner {
  readonly publicKey: Hex;
  /** Signs a 32-byte domain-tagged digest. */
  sign(digest: Hash): Hex;
  /** Beacon share (96 bytes) over a message digest. */
  signBeaconShare(digest: Hash): Hex;
}
