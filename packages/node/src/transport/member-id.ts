import { privateKeyFromRaw, publicKeyFromRaw } from '@libp2p/crypto/keys';
import type { PeerId, PrivateKey } from '@libp2p/interface';
import { peerIdFromPublicKey } from '@libp2p/peer-id';
import { TransportError } from './transport-error.ts';

const MEMBER_ID = /^0[23][0-9a-f]{64}$/;

/** @returns the libp2p PeerId of the same secp256k1 key. @throws TransportError TRANSPORT_INVALID_CONFIG */
export function peerIdOfMember(member: string): PeerId {
  assertMemberId(member);
  try {
    return peerIdFromPublicKey(publicKeyFromRaw(Buffer.from(member, 'hex')));
  } catch {
    throw new TransportError('TRANSPORT_INVALID_CONFIG', `member id ${member} is not a point on secp256k1`, { member });
  }
}

/** @returns the member id of a PeerId, or `null` when its key is not secp256k1. */
export function memberOfPeerId(peerId: PeerId): string | null {
  return peerId.type === 'secp256k1' && peerId.publicKey !== undefined
    ? Buffer.from(peerId.publicKey.raw).toString('hex')
    : null;
}

/** @throws TransportError TRANSPORT_INVALID_CONFIG unless `member` is 66 lower-case hex digits beginning 02 or 03. */
export function assertMemberId(member: string): void {
  if (!MEMBER_ID.test(member)) {
    throw new TransportError(
      'TRANSPORT_INVALID_CONFIG',
      `"${member}" is not a member id: expected 66 lower-case hex digits of a compressed secp256k1 public key`,
      { member },
    );
  }
}

/** @returns the libp2p key and the member id of a 32-byte secp256k1 secret. @throws TransportError TRANSPORT_INVALID_CONFIG */
export function identityOfSecret(secretKey: Uint8Array): { privateKey: PrivateKey; member: string } {
  // Length first: libp2p would take 64 bytes for an Ed25519 key.
  if (secretKey.byteLength !== 32) {
    throw new TransportError('TRANSPORT_INVALID_CONFIG', `the secret key has ${secretKey.byteLength} bytes, not 32`);
  }
  try {
    const privateKey = privateKeyFromRaw(secretKey);
    return { privateKey, member: Buffer.from(privateKey.publicKey.raw).toString('hex') };
  } catch {
    // The cause is left out on purpose: it may quote the key.
    throw new TransportError('TRANSPORT_INVALID_CONFIG', 'the secret key is not a valid secp256k1 scalar');
  }
}
