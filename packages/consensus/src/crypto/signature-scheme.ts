/// <reference path="./secp256k1-bindings.d.ts" />
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { fromHex, toHex } from '../codec/hex.ts';
import { CryptoError } from './errors.ts';
import type { SignatureScheme } from './ports.ts';

/** What a backend brings; the checks around it are the same for all, so that all give the same verdicts. */
interface Backend {
  sign(digest: Uint8Array, secretKey: Uint8Array): Uint8Array;
  verify(signature: Uint8Array, digest: Uint8Array, publicKey: Uint8Array): boolean;
  publicKey(secretKey: Uint8Array): Uint8Array;
}

// `secp256k1` itself falls back to a 40 times slower implementation without a word; its bindings alone fail loudly.
const native: Backend | Error = await import('secp256k1/bindings.js').then(
  ({ default: addon }): Backend => ({
    sign: (digest, secretKey) => addon.ecdsaSign(digest, secretKey).signature,
    verify: (signature, digest, publicKey) => addon.ecdsaVerify(signature, digest, publicKey),
    publicKey: (secretKey) => addon.publicKeyCreate(secretKey, true),
  }),
  (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
);

const noble: Backend = {
  sign: (digest, secretKey) => secp256k1.sign(digest, secretKey, { prehash: false, lowS: true, format: 'compact' }),
  verify: (signature, digest, publicKey) =>
    secp256k1.verify(signature, digest, publicKey, { prehash: false, lowS: true, format: 'compact' }),
  publicKey: (secretKey) => secp256k1.getPublicKey(secretKey, true),
};

const ORDER = secp256k1.Point.Fn.ORDER;

/** RFC 6979 feeds the digest modulo the group order to the nonce; libsecp256k1 feeds it as it is. Reduce for both. */
function reducedDigest(digest: Uint8Array): Uint8Array {
  for (let i = 0; i < 15; i++) if (digest[i] !== 0xff) return digest;
  const value = BigInt(`0x${toHex(digest)}`);
  return value < ORDER ? digest : fromHex((value - ORDER).toString(16).padStart(64, '0'));
}

function isBytes(value: unknown, length: number): value is Uint8Array {
  return value instanceof Uint8Array && value.length === length;
}

function guarded(name: SignatureScheme['name'], backend: Backend): SignatureScheme {
  const withKey = <T>(secretKey: Uint8Array, use: () => T): T => {
    if (!isBytes(secretKey, 32)) throw new CryptoError('CRYPTO_SECRET_KEY', 'a secret key has 32 bytes');
    const scalar = BigInt(`0x${toHex(secretKey)}`);
    if (scalar === 0n || scalar >= ORDER) {
      throw new CryptoError('CRYPTO_SECRET_KEY', 'a secret key lies between 1 and the group order');
    }
    return use();
  };
  return {
    name,
    sign(digest, secretKey) {
      if (!isBytes(digest, 32)) throw new CryptoError('CRYPTO_DIGEST', 'only 32-byte digests are signed');
      return withKey(secretKey, () => backend.sign(reducedDigest(digest), secretKey));
    },
    verify(signature, digest, publicKey) {
      // Backends differ on hybrid keys and 65-byte signatures: what is not of this exact form reaches none of them.
      if (!isBytes(signature, 64) || !isBytes(digest, 32) || !isBytes(publicKey, 33)) return false;
      if (publicKey[0] !== 2 && publicKey[0] !== 3) return false;
      try {
        return backend.verify(signature, digest, publicKey);
      } catch {
        // Where one implementation answers false, another throws; to the protocol both mean "does not verify".
        return false;
      }
    },
    publicKey: (secretKey) => withKey(secretKey, () => backend.publicKey(secretKey)),
  };
}

/** RFC 6979 test values for SHA-256("Satoshi Nakamoto"), secret key 1, as published with several wallets. */
const SELF_TEST = {
  secretKey: fromHex('0000000000000000000000000000000000000000000000000000000000000001'),
  publicKey: '0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798',
  digest: fromHex('a0dc65ffca799873cbea0ac274015b9526505daaaed385155425f7337704883e'),
  signature:
    '934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8' +
    '2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5',
};

/** What is wrong with a scheme, or null: known key and signature, a changed signature, a high S. */
export function signatureSelfTest(scheme: SignatureScheme): string | null {
  try {
    const { secretKey, digest } = SELF_TEST;
    const publicKey = scheme.publicKey(secretKey);
    if (toHex(publicKey) !== SELF_TEST.publicKey) return 'it derives a wrong public key';
    const signature = scheme.sign(digest, secretKey);
    if (toHex(signature) !== SELF_TEST.signature) return 'it makes a signature that is not the RFC 6979 one';
    if (!scheme.verify(signature, digest, publicKey)) return 'it refuses a valid signature';
    const changed = signature.slice();
    changed[40] = (changed[40] as number) ^ 1;
    if (scheme.verify(changed, digest, publicKey)) return 'it accepts a changed signature';
    const s = BigInt(`0x${toHex(signature.subarray(32))}`);
    const high = signature.slice();
    high.set(fromHex((ORDER - s).toString(16).padStart(64, '0')), 32);
    if (scheme.verify(high, digest, publicKey)) return 'it accepts a signature with a high S';
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const nativeScheme = native instanceof Error ? null : guarded('native', native);
const nativeFailure = native instanceof Error ? native.message : signatureSelfTest(nativeScheme as SignatureScheme);
const nobleScheme = guarded('noble', noble);

/**
 * ECDSA over secp256k1. Without a choice the native implementation is taken, or the portable one when the native addon
 * is missing on this platform or fails its self-test; the scheme's name (see `backends`) says which.
 * @throws CryptoError CRYPTO_BACKEND_UNAVAILABLE when `native` is asked for by name and cannot be had.
 */
export function createSignatureScheme(choice?: SignatureScheme['name']): SignatureScheme {
  if (choice === 'noble') return nobleScheme;
  if (nativeScheme !== null && nativeFailure === null) return nativeScheme;
  if (choice === 'native') {
    throw new CryptoError('CRYPTO_BACKEND_UNAVAILABLE', `the native secp256k1 is not usable here: ${nativeFailure}`);
  }
  return nobleScheme;
}

/** Why the native backend is not in use, for the log; null when it is. */
export const nativeSignatureFailure: string | null = nativeFailure;
