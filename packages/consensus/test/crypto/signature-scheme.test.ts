/**
 * Peers with different backends must never disagree about a signature. Everything here runs on both, with inputs on
 * which the raw libraries do disagree.
 */
import { secp256k1 } from '@noble/curves/secp256k1.js';
import fc from 'fast-check';
import native from 'secp256k1/bindings.js';
import { describe, expect, test, vi } from 'vitest';
import { fromHex, toHex } from '../../src/codec/index.ts';
import { CryptoError, createSignatureScheme, type SignatureScheme, signatureSelfTest } from '../../src/crypto/index.ts';

const ORDER = secp256k1.Point.Fn.ORDER;
const both = [createSignatureScheme('native'), createSignatureScheme('noble')] as const;
const scalar = (value: bigint) => fromHex(value.toString(16).padStart(64, '0'));
const scalars = (max: bigint) => fc.bigInt({ min: 1n, max });
const digests = fc.oneof(
  { weight: 8, arbitrary: fc.uint8Array({ minLength: 32, maxLength: 32 }) },
  fc.constantFrom(
    new Uint8Array(32),
    new Uint8Array(32).fill(0xff),
    scalar(ORDER),
    scalar(ORDER - 1n),
    scalar(ORDER + 1n),
  ),
);
const secretKeys = fc.oneof(scalars(ORDER - 1n), fc.constantFrom(1n, 2n, ORDER - 1n)).map(scalar);

function verdict(signature: Uint8Array, digest: Uint8Array, publicKey: Uint8Array): boolean {
  const [first, second] = both.map((scheme) => scheme.verify(signature, digest, publicKey));
  expect(first).toBe(second);
  return first as boolean;
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof CryptoError) return error.code;
    throw error;
  }
  throw new Error('nothing was thrown');
}

test('both backends give the same keys and signatures, byte for byte, and accept them', () => {
  fc.assert(
    fc.property(digests, secretKeys, (digest, secretKey) => {
      const [a, b] = both;
      expect(a.publicKey(secretKey)).toEqual(b.publicKey(secretKey));
      const signature = a.sign(digest, secretKey);
      expect(toHex(signature)).toBe(toHex(b.sign(digest, secretKey)));
      expect(signature.length).toBe(64);
      expect(BigInt(`0x${toHex(signature.subarray(32))}`) <= ORDER / 2n).toBe(true);
      expect(verdict(signature, digest, a.publicKey(secretKey))).toBe(true);
    }),
    { numRuns: 60, seed: 1 },
  );
});

describe('hostile inputs get one verdict', () => {
  const secretKey = scalar(0x1234567890abcdefn);
  const digest = new Uint8Array(32).fill(0x5a);
  const [scheme] = both;
  const publicKey = scheme.publicKey(secretKey);
  const signature = scheme.sign(digest, secretKey);
  const r = signature.slice(0, 32);
  const s = signature.slice(32);
  const join = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
  const uncompressed = secp256k1.Point.fromBytes(publicKey).toBytes(false);
  const hybrid = (prefix: number) => join(Uint8Array.of(prefix), uncompressed.subarray(1));

  test('hybrid and uncompressed keys are refused, although the native library takes them', () => {
    const parity = (uncompressed[64] as number) % 2;
    expect(native.ecdsaVerify(signature, digest, hybrid(6 + parity))).toBe(true);
    for (const key of [hybrid(6), hybrid(7), uncompressed]) expect(verdict(signature, digest, key)).toBe(false);
    // A hybrid prefix on 33 bytes.
    for (const prefix of [0, 1, 4, 5, 6, 7, 0xff]) {
      expect(verdict(signature, digest, join(Uint8Array.of(prefix), publicKey.subarray(1)))).toBe(false);
    }
  });

  test('the other parity, x not on the curve, x not in the field, infinity', () => {
    expect(verdict(signature, digest, join(Uint8Array.of((publicKey[0] as number) ^ 1), publicKey.subarray(1)))).toBe(
      false,
    );
    const field = secp256k1.Point.Fp.ORDER;
    for (const x of [0n, 5n, field, field + 1n, 2n ** 256n - 1n]) {
      for (const prefix of [2, 3])
        expect(verdict(signature, digest, join(Uint8Array.of(prefix), scalar(x)))).toBe(false);
    }
    expect(verdict(signature, digest, new Uint8Array(33))).toBe(false);
  });

  test('a high S is refused', () => {
    const high = scalar(ORDER - BigInt(`0x${toHex(s)}`));
    expect(verdict(join(r, high), digest, publicKey)).toBe(false);
    expect(verdict(join(r, s), digest, publicKey)).toBe(true);
  });

  test('r or s of zero, of the group order and above', () => {
    for (const value of [0n, ORDER, ORDER + 1n, 2n ** 256n - 1n]) {
      expect(verdict(join(scalar(value), s), digest, publicKey)).toBe(false);
      expect(verdict(join(r, scalar(value)), digest, publicKey)).toBe(false);
      expect(verdict(join(scalar(value), scalar(value)), digest, publicKey)).toBe(false);
    }
  });

  test('wrong lengths and wrong types', () => {
    for (const length of [0, 63, 65, 70, 128]) {
      expect(verdict(join(signature, new Uint8Array(128)).slice(0, length), digest, publicKey)).toBe(false);
    }
    expect(verdict(join(signature, Uint8Array.of(0)), digest, publicKey)).toBe(false);
    expect(verdict(join(signature, Uint8Array.of(1)), digest, publicKey)).toBe(false);
    for (const length of [0, 31, 33]) {
      expect(verdict(signature, join(digest, digest).slice(0, length), publicKey)).toBe(false);
    }
    for (const length of [0, 32, 34, 65]) {
      expect(verdict(signature, digest, join(publicKey, publicKey).slice(0, length))).toBe(false);
    }
    for (const wrong of [null, undefined, 'ab', [...signature], new ArrayBuffer(64)] as never[]) {
      expect(verdict(wrong, digest, publicKey)).toBe(false);
      expect(verdict(signature, wrong, publicKey)).toBe(false);
      expect(verdict(signature, digest, wrong)).toBe(false);
    }
  });

  test('a DER signature', () => {
    const der = secp256k1.Signature.fromBytes(signature, 'compact').toBytes('der');
    expect(verdict(der, digest, publicKey)).toBe(false);
  });

  test('an all-zero digest can be signed, and its signature verifies for nothing else', () => {
    const zero = new Uint8Array(32);
    const signed = scheme.sign(zero, secretKey);
    expect(verdict(signed, zero, publicKey)).toBe(true);
    expect(verdict(signed, digest, publicKey)).toBe(false);
    // The digest 0 has forgeries that need no secret: the verdict must at least be the same, and low-S still holds.
    const point = secp256k1.Point.fromBytes(publicKey).multiply(7n);
    const forgedR = point.toAffine().x % ORDER;
    const inverse = secp256k1.Point.Fn.inv(7n);
    const forgedS = (forgedR * inverse) % ORDER;
    const low = forgedS > ORDER / 2n ? ORDER - forgedS : forgedS;
    expect(verdict(join(scalar(forgedR), scalar(low)), zero, publicKey)).toBe(true);
    expect(verdict(join(scalar(forgedR), scalar(ORDER - low)), zero, publicKey)).toBe(false);
  });

  test('a digest and the same digest plus the group order are one', () => {
    const small = scalar(99n);
    const large = scalar(99n + ORDER);
    expect(toHex(scheme.sign(large, secretKey))).toBe(toHex(scheme.sign(small, secretKey)));
    expect(verdict(scheme.sign(small, secretKey), large, publicKey)).toBe(true);
  });

  test('changed bits and random bytes', () => {
    fc.assert(
      fc.property(fc.nat(64 * 8 - 1), fc.nat(32 * 8 - 1), fc.nat(33 * 8 - 1), (a, b, c) => {
        const flip = (bytes: Uint8Array, bit: number) =>
          bytes.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
        expect(verdict(flip(signature, a), digest, publicKey)).toBe(false);
        expect(verdict(signature, flip(digest, b), publicKey)).toBe(false);
        expect(verdict(signature, digest, flip(publicKey, c))).toBe(false);
      }),
      { numRuns: 60, seed: 2 },
    );
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 64, maxLength: 64 }),
        fc.uint8Array({ minLength: 33, maxLength: 33 }),
        (signed, key) => {
          key[0] = 2 + ((key[0] as number) & 1);
          expect(verdict(signed, digest, key)).toBe(false);
        },
      ),
      { numRuns: 60, seed: 3 },
    );
  });

  test('views into larger buffers and Node buffers are read as what they show', () => {
    const padded = join(Uint8Array.of(9, 9, 9), signature, Uint8Array.of(9));
    expect(verdict(padded.subarray(3, 67), digest, publicKey)).toBe(true);
    expect(verdict(Buffer.from(signature), Buffer.from(digest), Buffer.from(publicKey))).toBe(true);
  });
});

test.each(both)('$name refuses to sign with what is no key, or what is no digest', (scheme) => {
  const digest = new Uint8Array(32);
  for (const wrong of [scalar(0n), scalar(ORDER), scalar(ORDER + 1n), new Uint8Array(31), new Uint8Array(33), null]) {
    expect(codeOf(() => scheme.sign(digest, wrong as never))).toBe('CRYPTO_SECRET_KEY');
    expect(codeOf(() => scheme.publicKey(wrong as never))).toBe('CRYPTO_SECRET_KEY');
  }
  for (const wrong of [new Uint8Array(31), new Uint8Array(64), 'digest']) {
    expect(codeOf(() => scheme.sign(wrong as never, scalar(1n)))).toBe('CRYPTO_DIGEST');
  }
});

describe('the self-test', () => {
  const [good] = both;

  test('passes on both backends', () => {
    expect(both.map(signatureSelfTest)).toEqual([null, null]);
  });

  test.each<[string, Partial<SignatureScheme>]>([
    ['accepts everything', { verify: () => true }],
    ['refuses everything', { verify: () => false }],
    [
      'accepts a high S',
      { verify: (sig, dig, key) => secp256k1.verify(sig, dig, key, { prehash: false, lowS: false }) },
    ],
    ['hashes again', { sign: (dig, key) => secp256k1.sign(dig, key) }],
    ['derives other keys', { publicKey: () => new Uint8Array(33) }],
    [
      'throws',
      {
        sign: () => {
          throw new Error('no');
        },
      },
    ],
  ])('catches a scheme that %s', (_, change) => {
    expect(signatureSelfTest({ ...good, ...change })).toEqual(expect.any(String));
  });
});

describe('without a working native library', () => {
  async function freshWith(library: () => { readonly default: object }) {
    vi.resetModules();
    vi.doMock('secp256k1/bindings.js', library);
    try {
      return await import('../../src/crypto/index.ts');
    } finally {
      vi.doUnmock('secp256k1/bindings.js');
      vi.resetModules();
    }
  }

  test.each<[string, () => { readonly default: object }, RegExp]>([
    [
      'missing',
      () => {
        throw new Error('no prebuilt binary for this platform');
      },
      /./,
    ],
    [
      'wrong',
      () => ({
        default: {
          ecdsaSign: () => ({ signature: new Uint8Array(64) }),
          ecdsaVerify: () => true,
          publicKeyCreate: () => new Uint8Array(33),
        },
      }),
      /wrong public key/,
    ],
  ])('(%s) the portable one stands in, and says so', async (_, library, reason) => {
    const fresh = await freshWith(library);
    expect(fresh.createSignatureScheme().name).toBe('noble');
    expect(fresh.backends().signatures).toBe('noble');
    expect(fresh.backends().fallbacks).toEqual([expect.stringMatching(/^secp256k1 native: /)]);
    expect(fresh.backends().fallbacks[0]).toMatch(reason);
    expect(() => fresh.createSignatureScheme('native')).toThrow(/CRYPTO_BACKEND_UNAVAILABLE/);
  });
});
