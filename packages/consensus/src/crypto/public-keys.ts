import { bls12_381 } from '@noble/curves/bls12-381.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { fromHex, isHex } from '../codec/hex.ts';

/** Whether a value is lowercase hex of a compressed secp256k1 public key (33 bytes, a point of the curve). */
export function isPublicKey(key: unknown): key is string {
  if (!isHex(key, 33) || !(key.startsWith('02') || key.startsWith('03'))) return false;
  try {
    secp256k1.Point.fromHex(key).assertValidity();
    return true;
  } catch {
    return false;
  }
}

/** Whether a value is lowercase hex of a compressed G1 point (48 bytes) of the right subgroup other than infinity. */
export function isBeaconKey(key: unknown): key is string {
  if (!isHex(key, 48)) return false;
  try {
    const point = bls12_381.G1.Point.fromBytes(fromHex(key));
    point.assertValidity();
    return !point.is0();
  } catch {
    return false;
  }
}
