import type { Hex } from '../chain/types.ts';
import { encode } from '../codec/codec.ts';
import { fromHex, toHex } from '../codec/hex.ts';
import { u16, u32 } from '../codec/primitives.ts';
import { CryptoError } from './errors.ts';
import { SCALAR_ORDER } from './interpolation.ts';
import { taggedHash } from './sha256.ts';
import { beaconPublicKey } from './threshold-scheme.ts';

/** What the operator deals at genesis. Whoever holds `threshold` of the secret shares, or the seed, knows every draw. */
export interface BeaconKeys {
  /** G1, 48 bytes; goes into genesis. */
  readonly groupKey: Hex;
  /** By rank; G1, 48 bytes; go into genesis. */
  readonly publicShares: readonly Hex[];
  /** By rank; 32 bytes; each goes to its member alone. */
  readonly secretShares: readonly Uint8Array[];
}

/**
 * Shares a BLS12-381 key among `members` so that any `threshold` of them can sign and fewer cannot: Shamir's scheme,
 * the member of rank `i` holds the polynomial's value at `i + 1`. Protocol section 3.6 needs a trusted dealer, who must
 * forget `seed` (32 unpredictable bytes or more) afterwards.
 * @throws CryptoError CRYPTO_DEAL when `1 <= threshold <= members <= 65535` does not hold or the seed is too short.
 */
export function dealBeaconKeys(seed: Uint8Array, members: number, threshold: number): BeaconKeys {
  if (!Number.isInteger(members) || !Number.isInteger(threshold) || threshold < 1 || threshold > members) {
    throw new CryptoError('CRYPTO_DEAL', `a threshold lies between 1 and the ${members} members, got ${threshold}`);
  }
  if (members > 0xffff) throw new CryptoError('CRYPTO_DEAL', `at most 65535 members, got ${members}`);
  if (seed.length < 32) throw new CryptoError('CRYPTO_DEAL', `the seed has 32 bytes or more, got ${seed.length}`);

  const coefficients = Array.from({ length: threshold }, (_, k) => coefficient(seed, members, threshold, k));
  const secretShares = Array.from({ length: members }, (_, rank) =>
    scalarBytes(valueAt(coefficients, BigInt(rank + 1))),
  );
  return {
    groupKey: toHex(beaconPublicKey(scalarBytes(coefficients[0] as bigint))),
    publicShares: secretShares.map((secret) => toHex(beaconPublicKey(secret))),
    secretShares,
  };
}

/** Two digests, so that reducing 512 bits modulo a 255-bit order leaves no bias worth the name. */
function coefficient(seed: Uint8Array, members: number, threshold: number, k: number): bigint {
  const shape = [encode(u16, members), encode(u16, threshold), encode(u32, k)];
  const half = (part: number) => taggedHash('beacon-dealer', ...shape, Uint8Array.of(part), seed);
  return BigInt(`0x${half(0)}${half(1)}`) % SCALAR_ORDER;
}

function valueAt(coefficients: readonly bigint[], x: bigint): bigint {
  return coefficients.reduceRight((sum, coefficient) => (sum * x + coefficient) % SCALAR_ORDER, 0n);
}

function scalarBytes(scalar: bigint): Uint8Array {
  return fromHex(scalar.toString(16).padStart(64, '0'));
}
