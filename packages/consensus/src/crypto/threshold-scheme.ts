import { bls12_381 } from '@noble/curves/bls12-381.js';
import { fromHex, toHex } from '../codec/hex.ts';
import { CryptoError } from './errors.ts';
import { lagrangeAtZero, SCALAR_ORDER } from './interpolation.ts';
import type { ThresholdScheme } from './ports.ts';
import { rememberingVerifier } from './remembering-verifier.ts';

/** Ciphersuite of the IETF draft with proof of possession; both backends hash messages to G2 under it. */
const DOMAIN = 'BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_';
const KEY_BYTES = 48;
const SIGNATURE_BYTES = 96;
const SCALAR_BITS = 255;
/** Verified signatures that a scheme remembers: a few terms of 1024 members. */
const REMEMBERED = 4096;

type Blst = typeof import('@chainsafe/blst');
type BlstSignature = InstanceType<Blst['Signature']>;

interface Backend {
  sign(message: Uint8Array, secret: Uint8Array): Uint8Array;
  publicKey(secret: Uint8Array): Uint8Array;
  verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean;
  /** Sum of scalar times point. */
  linearCombination(terms: readonly { readonly signature: Uint8Array; readonly scalar: bigint }[]): Uint8Array;
}

const blst: Backend | Error = await import('@chainsafe/blst').then(
  (module) => blstBackend(module.default),
  (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
);

function blstBackend(library: Blst): Backend {
  return {
    sign: (message, secret) => library.SecretKey.fromBytes(secret).sign(message).toBytes(),
    publicKey: (secret) => library.SecretKey.fromBytes(secret).toPublicKey().toBytes(),
    verify: (signature, message, publicKey) =>
      library.verify(
        message,
        library.PublicKey.fromBytes(publicKey, true),
        library.Signature.fromBytes(signature, true, true),
        false,
        false,
      ),
    linearCombination(terms) {
      const points = terms.map(({ signature }) => library.Signature.fromBytes(signature, true, true));
      // The library multiplies no point by a scalar but adds any number of them: double and add, all scalars at once.
      // 4 ms for 14 shares, where one multiplication in portable code takes 8.
      let sum: BlstSignature | null = null;
      for (let bit = SCALAR_BITS - 1; bit >= 0; bit--) {
        const summands: BlstSignature[] = sum === null ? [] : [sum, sum];
        terms.forEach(({ scalar }, i) => {
          if ((scalar >> BigInt(bit)) & 1n) summands.push(points[i] as BlstSignature);
        });
        if (summands.length > 0) sum = library.aggregateSignatures(summands, false);
      }
      if (sum === null) throw new CryptoError('CRYPTO_SHARES', 'there is nothing to combine');
      return sum.toBytes();
    },
  };
}

const { longSignatures } = bls12_381;
const noble: Backend = {
  sign: (message, secret) =>
    longSignatures.Signature.toBytes(longSignatures.sign(longSignatures.hash(message, DOMAIN), secret)),
  publicKey: (secret) => longSignatures.getPublicKey(secret).toBytes(),
  verify(signature, message, publicKey) {
    const key = bls12_381.G1.Point.fromBytes(publicKey);
    const point = bls12_381.G2.Point.fromBytes(signature);
    key.assertValidity();
    point.assertValidity();
    return longSignatures.verify(point, longSignatures.hash(message, DOMAIN), key);
  },
  linearCombination(terms) {
    let sum = bls12_381.G2.Point.ZERO;
    for (const { signature, scalar } of terms) {
      const point = bls12_381.G2.Point.fromBytes(signature);
      point.assertValidity();
      sum = sum.add(point.multiplyUnsafe(scalar));
    }
    return sum.toBytes();
  },
};

function isBytes(value: unknown, length: number): value is Uint8Array {
  return value instanceof Uint8Array && value.length === length;
}

function checkSecret(secret: Uint8Array): void {
  if (!isBytes(secret, 32)) throw new CryptoError('CRYPTO_SECRET_KEY', 'a secret key share has 32 bytes');
  const scalar = BigInt(`0x${toHex(secret)}`);
  if (scalar === 0n || scalar >= SCALAR_ORDER) {
    throw new CryptoError('CRYPTO_SECRET_KEY', 'a secret key share lies between 1 and the group order');
  }
}

function guarded(name: ThresholdScheme['name'], backend: Backend): ThresholdScheme {
  const remembered = rememberingVerifier(backend.verify, REMEMBERED);
  const verify = (signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean => {
    // Uncompressed points would be second encodings of the same values.
    if (!isBytes(signature, SIGNATURE_BYTES) || !isBytes(publicKey, KEY_BYTES)) return false;
    if (!(message instanceof Uint8Array)) return false;
    try {
      return remembered(signature, message, publicKey);
    } catch {
      return false;
    }
  };
  return {
    name,
    signShare(message, secretShare) {
      checkSecret(secretShare);
      return backend.sign(message, secretShare);
    },
    verifyShare: verify,
    verifyCombined: verify,
    combine(shares) {
      const sorted = [...shares].sort((a, b) => a.rank - b.rank);
      sorted.forEach(({ rank, share }, i) => {
        if (!Number.isSafeInteger(rank) || rank < 0 || rank === sorted[i - 1]?.rank) {
          throw new CryptoError('CRYPTO_SHARES', `shares come from distinct ranks from 0, got ${rank}`);
        }
        if (!isBytes(share, SIGNATURE_BYTES)) {
          throw new CryptoError('CRYPTO_SHARES', `the share of rank ${rank} does not have ${SIGNATURE_BYTES} bytes`);
        }
      });
      if (sorted.length === 0) throw new CryptoError('CRYPTO_SHARES', 'there is nothing to combine');
      const scalars = lagrangeAtZero(sorted.map(({ rank }) => BigInt(rank + 1)));
      try {
        return backend.linearCombination(
          sorted.map(({ share }, i) => ({ signature: share, scalar: scalars[i] as bigint })),
        );
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new CryptoError('CRYPTO_SHARES', `a share is not a point of the group: ${reason}`);
      }
    },
  };
}

/** Computed by `@noble/curves` 2.4 and @chainsafe/blst 2.2 alike: secret key 7 in each of 32 bytes, message 9 in each. */
const SELF_TEST = {
  secret: new Uint8Array(32).fill(7),
  message: new Uint8Array(32).fill(9),
  publicKey: 'a4cafe0e4602bb74340d45b931591034894f6be4aae24c4e80931d622636bb4da64804903072c655995b423113f41705',
  signature:
    '94700a3159235eb3b1aaddbfa1bc7375886d05e75b8b9ccf22b4edfd69112d32dfc882a38b4d0c283b40f41de5b8b488' +
    '0560c41489e319c44ec75f4d5464b7284f06750eb4dfef72c3dac3efb0b053b75586f17a33242a6fe24eacebee07b5b4',
};

/** What is wrong with a scheme, or null: known signature, a changed message, the point at infinity. */
export function thresholdSelfTest(scheme: ThresholdScheme): string | null {
  try {
    const signature = scheme.signShare(SELF_TEST.message, SELF_TEST.secret);
    if (toHex(signature) !== SELF_TEST.signature) return 'it makes a wrong signature';
    const publicKey = fromHex(SELF_TEST.publicKey);
    if (!scheme.verifyShare(signature, SELF_TEST.message, publicKey)) return 'it refuses a valid signature';
    if (scheme.verifyShare(signature, SELF_TEST.secret, publicKey)) return 'it accepts a wrong message';
    const infinity = new Uint8Array(SIGNATURE_BYTES);
    infinity[0] = 0xc0;
    if (scheme.verifyShare(infinity, SELF_TEST.message, publicKey)) return 'it accepts the point at infinity';
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const blstScheme = blst instanceof Error ? null : guarded('blst', blst);
const blstFailure = blst instanceof Error ? blst.message : thresholdSelfTest(blstScheme as ThresholdScheme);
const nobleScheme = guarded('noble', noble);

/**
 * BLS12-381 threshold signatures. Without a choice blst is taken, or the portable implementation (15 times slower) when
 * blst is missing on this platform or fails its self-test; the scheme's name (see `backends`) says which.
 * @throws CryptoError CRYPTO_BACKEND_UNAVAILABLE when `blst` is asked for by name and cannot be had.
 */
export function createThresholdScheme(choice?: ThresholdScheme['name']): ThresholdScheme {
  if (choice === 'noble') return nobleScheme;
  if (blstScheme !== null && blstFailure === null) return blstScheme;
  if (choice === 'blst') {
    throw new CryptoError('CRYPTO_BACKEND_UNAVAILABLE', `blst is not usable here: ${blstFailure}`);
  }
  return nobleScheme;
}

/** Why blst is not in use, for the log; null when it is. */
export const blstThresholdFailure: string | null = blstFailure;

/** Public key (G1, 48 bytes) of a secret share, by the implementation in use. */
export function beaconPublicKey(secret: Uint8Array): Uint8Array {
  checkSecret(secret);
  return (blst instanceof Error || blstFailure !== null ? noble : blst).publicKey(secret);
}
