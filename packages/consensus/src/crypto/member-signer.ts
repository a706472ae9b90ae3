import type { Hash, Hex } from '../chain/types.ts';
import { fromHex, toHex } from '../codec/hex.ts';
import type { MemberSigner, SignatureScheme, ThresholdScheme } from './ports.ts';

/** The part of a signer that accounts and meters have too. */
export type DigestSigner = Pick<MemberSigner, 'publicKey' | 'sign'>;

/**
 * A signer for any secp256k1 key: an account, a meter. `secretKey` has 32 bytes and is copied.
 * @throws CryptoError CRYPTO_SECRET_KEY when it is no valid scalar.
 */
export function createDigestSigner(scheme: SignatureScheme, secretKey: Uint8Array): DigestSigner {
  const secret = secretKey.slice();
  const publicKey: Hex = toHex(scheme.publicKey(secret));
  return { publicKey, sign: (digest: Hash): Hex => toHex(scheme.sign(fromHex(digest), secret)) };
}

/**
 * A member's signer: its secp256k1 key and its share of the beacon's key, 32 bytes each.
 * @throws CryptoError CRYPTO_SECRET_KEY when one of them is no valid scalar.
 */
export function createMemberSigner(
  scheme: SignatureScheme,
  threshold: ThresholdScheme,
  secretKey: Uint8Array,
  beaconShare: Uint8Array,
): MemberSigner {
  const share = beaconShare.slice();
  // A bad share would otherwise show only in the first term's last settlement.
  threshold.signShare(new Uint8Array(32), share);
  return {
    ...createDigestSigner(scheme, secretKey),
    signBeaconShare: (digest: Hash): Hex => toHex(threshold.signShare(fromHex(digest), share)),
  };
}
