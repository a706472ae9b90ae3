import { bls12_381 } from '@noble/curves/bls12-381.js';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { fromHex, toHex } from '../../src/codec/index.ts';
import {
  backends,
  CryptoError,
  createDigestSigner,
  createMemberSigner,
  createSignatureScheme,
  createThresholdScheme,
  dealBeaconKeys,
  isBeaconKey,
  isPublicKey,
  type ThresholdScheme,
  thresholdSelfTest,
} from '../../src/crypto/index.ts';

const both = [createThresholdScheme('blst'), createThresholdScheme('noble')] as const;
const [blst, noble] = both;
const ORDER = bls12_381.fields.Fr.ORDER;
const scalar = (value: bigint) => fromHex(value.toString(16).padStart(64, '0'));
const seed = (value: number) => new Uint8Array(32).fill(value);
const message = new Uint8Array(32).fill(0x42);

function verdict(signature: Uint8Array, signed: Uint8Array, publicKey: Uint8Array): boolean {
  const [first, second] = both.map((scheme) => scheme.verifyShare(signature, signed, publicKey));
  expect(first).toBe(second);
  expect(both.map((scheme) => scheme.verifyCombined(signature, signed, publicKey))).toEqual([first, first]);
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

function combinations(n: number, q: number, from = 0): number[][] {
  if (q === 0) return [[]];
  return Array.from({ length: n - from }, (_, i) => from + i).flatMap((first) =>
    combinations(n, q - 1, first + 1).map((rest) => [first, ...rest]),
  );
}

test('both backends sign alike, byte for byte', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 1n, max: ORDER - 1n }), fc.uint8Array({ maxLength: 64 }), (secret, signed) => {
      expect(toHex(blst.signShare(signed, scalar(secret)))).toBe(toHex(noble.signShare(signed, scalar(secret))));
    }),
    {
      numRuns: 5,
      seed: 1,
      examples: [
        [1n, new Uint8Array()],
        [ORDER - 1n, message],
      ],
    },
  );
});

describe('threshold signatures', () => {
  const keys = dealBeaconKeys(seed(1), 5, 3);
  const groupKey = fromHex(keys.groupKey);
  const shares = keys.secretShares.map((secret, rank) => ({ rank, share: blst.signShare(message, secret) }));
  const pick = (ranks: readonly number[]) => ranks.map((rank) => shares[rank] as (typeof shares)[number]);
  const combined = blst.combine(pick([0, 1, 2]));

  test('each share verifies under its own public share and no other', () => {
    const matrix = shares.map(({ share }) =>
      keys.publicShares.map((publicShare) => blst.verifyShare(share, message, fromHex(publicShare))),
    );
    expect(matrix).toEqual(shares.map((_, i) => shares.map((__, j) => i === j)));
  });

  test('any q of n shares, in any order, combine to the same signature, which verifies under the group key', () => {
    for (const ranks of combinations(5, 3)) {
      expect(toHex(blst.combine(pick(ranks)))).toBe(toHex(combined));
      expect(toHex(blst.combine(pick([...ranks].reverse())))).toBe(toHex(combined));
    }
    expect(toHex(blst.combine(pick([0, 1, 2, 3, 4])))).toBe(toHex(combined));
    expect(verdict(combined, message, groupKey)).toBe(true);
  });

  test('both backends combine alike', () => {
    expect(toHex(noble.combine(pick([1, 3, 4])))).toBe(toHex(combined));
  });

  test('the combined signature is the one of the shared key itself', () => {
    // Interpolated here, from its definition, with two coefficients for 3 points: f(0) = 3 f(1) - 3 f(2) + f(3).
    const [f1, f2, f3] = keys.secretShares.map((secret) => BigInt(`0x${toHex(secret)}`)) as [bigint, bigint, bigint];
    const secret = (((3n * f1 - 3n * f2 + f3) % ORDER) + ORDER) % ORDER;
    expect(toHex(blst.signShare(message, scalar(secret)))).toBe(toHex(combined));
    expect(toHex(bls12_381.longSignatures.getPublicKey(scalar(secret)).toBytes())).toBe(keys.groupKey);
  });

  test('fewer than q shares do not make a signature', () => {
    for (const ranks of [[0], [0, 1], [3, 4]]) {
      expect(blst.verifyCombined(blst.combine(pick(ranks)), message, groupKey)).toBe(false);
    }
  });

  test('a tampered share does not verify and spoils the sum', () => {
    const other = blst.signShare(seed(9), keys.secretShares[2] as Uint8Array);
    expect(blst.verifyShare(other, message, fromHex(keys.publicShares[2] as string))).toBe(false);
    const spoiled = blst.combine([...pick([0, 1]), { rank: 2, share: other }]);
    expect(blst.verifyCombined(spoiled, message, groupKey)).toBe(false);
    // Right share, wrong rank.
    const misplaced = blst.combine([...pick([0, 1]), { rank: 3, share: shares[2]?.share as Uint8Array }]);
    expect(blst.verifyCombined(misplaced, message, groupKey)).toBe(false);
  });

  test.each(both)('$name refuses shares that cannot be combined', (scheme) => {
    const [a, b] = pick([0, 1]) as [(typeof shares)[number], (typeof shares)[number]];
    expect(codeOf(() => scheme.combine([]))).toBe('CRYPTO_SHARES');
    expect(codeOf(() => scheme.combine([a, a]))).toBe('CRYPTO_SHARES');
    expect(codeOf(() => scheme.combine([a, { rank: -1, share: b.share }]))).toBe('CRYPTO_SHARES');
    expect(codeOf(() => scheme.combine([a, { rank: 1.5, share: b.share }]))).toBe('CRYPTO_SHARES');
    expect(codeOf(() => scheme.combine([a, { rank: 1, share: b.share.slice(1) }]))).toBe('CRYPTO_SHARES');
    expect(codeOf(() => scheme.combine([a, { rank: 1, share: new Uint8Array(96) }]))).toBe('CRYPTO_SHARES');
  });

  test('a single member with q = 1 signs alone', () => {
    const alone = dealBeaconKeys(seed(2), 1, 1);
    const share = blst.signShare(message, alone.secretShares[0] as Uint8Array);
    expect(toHex(blst.combine([{ rank: 0, share }]))).toBe(toHex(share));
    expect(alone.publicShares).toEqual([alone.groupKey]);
    expect(blst.verifyCombined(share, message, fromHex(alone.groupKey))).toBe(true);
  });

  describe('hostile inputs get one verdict', () => {
    const [{ share }] = pick([0]) as [(typeof shares)[number]];
    const publicShare = fromHex(keys.publicShares[0] as string);
    const infinity = (length: number) => new Uint8Array(length).fill(0xc0, 0, 1);

    test('infinity, all zeros and all ones', () => {
      expect(verdict(share, message, publicShare)).toBe(true);
      for (const fake of [infinity(96), new Uint8Array(96), new Uint8Array(96).fill(0xff)]) {
        expect(verdict(fake, message, publicShare)).toBe(false);
      }
      for (const fake of [infinity(48), new Uint8Array(48), new Uint8Array(48).fill(0xff)]) {
        expect(verdict(share, message, fake)).toBe(false);
        // e(0, H(m)) = e(g, 0): infinity for both would sign everything.
        expect(verdict(infinity(96), message, fake)).toBe(false);
      }
    });

    test('other encodings of the same points', () => {
      const uncompressed = bls12_381.G2.Point.fromBytes(share).toBytes(false);
      expect(verdict(uncompressed, message, publicShare)).toBe(false);
      expect(verdict(share, message, bls12_381.G1.Point.fromBytes(publicShare).toBytes(false))).toBe(false);
      const unflagged = share.slice();
      unflagged[0] = (unflagged[0] as number) & 0x7f;
      expect(verdict(unflagged, message, publicShare)).toBe(false);
      const negated = share.slice();
      negated[0] = (negated[0] as number) ^ 0x20;
      expect(verdict(negated, message, publicShare)).toBe(false);
    });

    test('points outside of the right subgroup', () => {
      expect(verdict(bytesOfG2(offSubgroupG2()), message, publicShare)).toBe(false);
      expect(verdict(share, message, bytesOfG1(offSubgroupG1()))).toBe(false);
      expect(isBeaconKey(toHex(bytesOfG1(offSubgroupG1())))).toBe(false);
    });

    test('a valid share or key plus a point that no pairing sees', () => {
      // r times a point of the whole curve has an order that does not divide r: a pairing of exact exponents maps it to
      // 1. Without the check of the subgroup blst takes such a twin of a key, and combines a twin of a share to another
      // signature.
      const unseenG2 = offSubgroupG2()
        .multiplyUnsafe(ORDER - 1n)
        .add(offSubgroupG2());
      const twin = bytesOfG2(bls12_381.G2.Point.fromBytes(share).add(unseenG2));
      expect(bytesOfG2(bls12_381.G2.Point.fromBytes(share))).toEqual(share);
      expect(toHex(twin)).not.toBe(toHex(share));
      expect(verdict(twin, message, publicShare)).toBe(false);
      const unseenG1 = offSubgroupG1()
        .multiplyUnsafe(ORDER - 1n)
        .add(offSubgroupG1());
      const twinKey = bytesOfG1(bls12_381.G1.Point.fromBytes(publicShare).add(unseenG1));
      expect(bytesOfG1(bls12_381.G1.Point.fromBytes(publicShare))).toEqual(publicShare);
      expect(verdict(share, message, twinKey)).toBe(false);
      expect(isBeaconKey(toHex(twinKey))).toBe(false);
      for (const scheme of both) {
        expect(codeOf(() => scheme.combine([...pick([1, 2]), { rank: 0, share: twin }]))).toBe('CRYPTO_SHARES');
      }
    });

    test('wrong lengths and types, changed bits', () => {
      for (const wrong of [share.slice(1), new Uint8Array(0), null, 'share'] as never[]) {
        expect(verdict(wrong, message, publicShare)).toBe(false);
      }
      for (const wrong of [publicShare.slice(1), null] as never[]) expect(verdict(share, message, wrong)).toBe(false);
      expect(verdict(share, null as never, publicShare)).toBe(false);
      expect(verdict(share, message.slice(1), publicShare)).toBe(false);
      for (const bit of [7, 100, 500, 767]) {
        const flipped = share.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
        expect(verdict(flipped, message, publicShare)).toBe(false);
      }
    });

    test.each(both)('$name: a share that verified once does not vouch for any other', (scheme) => {
      expect(scheme.verifyShare(share, message, publicShare)).toBe(true);
      expect(scheme.verifyShare(share, message, publicShare)).toBe(true);
      expect(scheme.verifyShare(share, seed(3), publicShare)).toBe(false);
      expect(scheme.verifyShare(share, message, fromHex(keys.publicShares[1] as string))).toBe(false);
    });

    test.each(both)('$name refuses secrets that are no scalars', (scheme) => {
      for (const wrong of [scalar(0n), scalar(ORDER), new Uint8Array(31), new Uint8Array(32).fill(0xff)]) {
        expect(codeOf(() => scheme.signShare(message, wrong))).toBe('CRYPTO_SECRET_KEY');
      }
    });
  });
});

type G1 = InstanceType<typeof bls12_381.G1.Point>;
type G2 = InstanceType<typeof bls12_381.G2.Point>;

/** Compressed form of any point of the curves; the library encodes only those of the prime-order subgroups. */
function bytesOfG1(point: G1): Uint8Array {
  const { x, y } = point.toAffine();
  const half = bls12_381.fields.Fp.ORDER / 2n;
  return flagged(x.toString(16).padStart(96, '0'), y > half);
}

function bytesOfG2(point: G2): Uint8Array {
  const { x, y } = point.toAffine();
  const half = bls12_381.fields.Fp.ORDER / 2n;
  const digits = x.c1.toString(16).padStart(96, '0') + x.c0.toString(16).padStart(96, '0');
  return flagged(digits, y.c1 > half || (y.c1 === 0n && y.c0 > half));
}

function flagged(digits: string, larger: boolean): Uint8Array {
  const bytes = fromHex(digits);
  bytes[0] = (bytes[0] as number) | 0x80 | (larger ? 0x20 : 0);
  return bytes;
}

/** Points of the curves outside of the subgroups of prime order: those with x = 4 and x = 2. */
function offSubgroupG1(): G1 {
  const x = 4n;
  const { Fp } = bls12_381.fields;
  const point = bls12_381.G1.Point.fromAffine({ x, y: Fp.sqrt(Fp.add(Fp.pow(x, 3n), 4n)) });
  expect(point.isTorsionFree()).toBe(false);
  return point;
}

function offSubgroupG2(): G2 {
  const { Fp2 } = bls12_381.fields;
  const x = Fp2.create({ c0: 2n, c1: 0n });
  const y = Fp2.sqrt(Fp2.add(Fp2.pow(x, 3n), Fp2.create({ c0: 4n, c1: 4n })));
  const point = bls12_381.G2.Point.fromAffine({ x, y });
  expect(point.isTorsionFree()).toBe(false);
  return point;
}

describe('dealing', () => {
  test('is a function of the seed and the shape', () => {
    const keys = dealBeaconKeys(seed(1), 4, 3);
    expect(dealBeaconKeys(seed(1), 4, 3)).toEqual(keys);
    for (const other of [dealBeaconKeys(seed(2), 4, 3), dealBeaconKeys(seed(1), 5, 3), dealBeaconKeys(seed(1), 4, 2)]) {
      expect(other.groupKey).not.toBe(keys.groupKey);
    }
    expect(new Set([...keys.publicShares, keys.groupKey]).size).toBe(5);
    expect(keys.publicShares.every(isBeaconKey)).toBe(true);
  });

  test('refuses impossible shapes and short seeds', () => {
    for (const [members, threshold] of [
      [3, 4],
      [3, 0],
      [0, 0],
      [3, 1.5],
      [2.5, 1],
      [70_000, 2],
    ] as const) {
      expect(codeOf(() => dealBeaconKeys(seed(1), members, threshold))).toBe('CRYPTO_DEAL');
    }
    expect(codeOf(() => dealBeaconKeys(new Uint8Array(31), 3, 2))).toBe('CRYPTO_DEAL');
  });
});

describe('signers', () => {
  const ecdsa = createSignatureScheme();
  const digest = 'ab'.repeat(32);

  test('a member signs with its two keys, which it keeps even if the caller wipes its copies', () => {
    const keys = dealBeaconKeys(seed(1), 2, 2);
    const secretKey = seed(7);
    const beaconShare = (keys.secretShares[1] as Uint8Array).slice();
    const signer = createMemberSigner(ecdsa, blst, secretKey, beaconShare);
    secretKey.fill(0);
    beaconShare.fill(0);
    expect(signer.publicKey).toBe(toHex(ecdsa.publicKey(seed(7))));
    expect(ecdsa.verify(fromHex(signer.sign(digest)), fromHex(digest), fromHex(signer.publicKey))).toBe(true);
    const share = fromHex(signer.signBeaconShare(digest));
    expect(blst.verifyShare(share, fromHex(digest), fromHex(keys.publicShares[1] as string))).toBe(true);
  });

  test('keys that are none are refused when the signer is made', () => {
    expect(codeOf(() => createDigestSigner(ecdsa, new Uint8Array(32)))).toBe('CRYPTO_SECRET_KEY');
    expect(codeOf(() => createMemberSigner(ecdsa, blst, seed(7), new Uint8Array(32)))).toBe('CRYPTO_SECRET_KEY');
  });
});

test('public keys are lowercase hex of points other than infinity', () => {
  const key = toHex(createSignatureScheme().publicKey(seed(7)));
  const notOnCurve = `02${'00'.repeat(31)}05`;
  expect([key, key.toUpperCase(), `06${key.slice(2)}`, key.slice(2), notOnCurve, 7].map(isPublicKey)).toEqual([
    true,
    false,
    false,
    false,
    false,
    false,
  ]);
  const { groupKey } = dealBeaconKeys(seed(1), 1, 1);
  const infinity = `c0${'00'.repeat(47)}`;
  expect(
    [groupKey, groupKey.toUpperCase(), infinity, groupKey.slice(2), 'ff'.repeat(48), null].map(isBeaconKey),
  ).toEqual([true, false, false, false, false, false]);
});

describe('the self-test', () => {
  test('passes on both backends', () => {
    expect(both.map(thresholdSelfTest)).toEqual([null, null]);
  });

  test.each<[string, Partial<ThresholdScheme>]>([
    ['accepts everything', { verifyShare: () => true }],
    ['refuses everything', { verifyShare: () => false }],
    ['signs something else', { signShare: (signed, secret) => blst.signShare(Uint8Array.of(...signed, 0), secret) }],
    ['accepts infinity', { verifyShare: (sig, signed, key) => sig[0] === 0xc0 || blst.verifyShare(sig, signed, key) }],
  ])('catches a scheme that %s', (_, change) => {
    expect(thresholdSelfTest({ ...blst, ...change })).toEqual(expect.any(String));
  });
});

test('the backends in use have names', () => {
  expect(backends()).toEqual({ signatures: 'native', threshold: 'blst', sha256: 'node:crypto', fallbacks: [] });
});

test('without blst the portable implementation stands in, and says so', async () => {
  vi.resetModules();
  vi.doMock('@chainsafe/blst', () => {
    throw new Error('no prebuilt binary for this platform');
  });
  try {
    const fresh = await import('../../src/crypto/index.ts');
    expect(fresh.createThresholdScheme().name).toBe('noble');
    expect(fresh.backends()).toMatchObject({ threshold: 'noble', fallbacks: [expect.stringMatching(/^blst: /)] });
    expect(() => fresh.createThresholdScheme('blst')).toThrow(/CRYPTO_BACKEND_UNAVAILABLE/);
    // The dealer works without it, too.
    expect(fresh.dealBeaconKeys(seed(1), 2, 2)).toEqual(dealBeaconKeys(seed(1), 2, 2));
  } finally {
    vi.doUnmock('@chainsafe/blst');
    vi.resetModules();
  }
});
