import { sha256 as reference } from '@noble/hashes/sha2.js';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toHex } from '../../src/codec/index.ts';
import { HASH_DOMAINS, sha256, sha256Bytes, taggedHash, taggedHashBytes } from '../../src/crypto/index.ts';

const text = (value: string) => new TextEncoder().encode(value);

test('SHA-256 of published test vectors (FIPS 180-4)', () => {
  expect(sha256(text('abc'))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  expect(sha256()).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
});

test('equals the portable implementation, however the input is cut into parts', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 }), (parts) => {
      const whole = Uint8Array.from(parts.flatMap((part) => [...part]));
      const expected = toHex(reference(whole));
      expect(sha256(...parts)).toBe(expected);
      expect(toHex(sha256Bytes(...parts))).toBe(expected);
      // A view into a larger buffer hashes as what it shows.
      expect(sha256(Uint8Array.of(1, ...whole, 2).subarray(1, 1 + whole.length))).toBe(expected);
    }),
    { seed: 1 },
  );
});

test('equals the portable implementation on 100 KB', () => {
  const large = new Uint8Array(100_000).map((_, i) => (i * 31) % 251);
  expect(sha256(large)).toBe(toHex(reference(large)));
});

test('a tagged hash is SHA-256 behind "wattmesh/<domain>" and a zero byte', () => {
  const data = Uint8Array.of(1, 2, 3);
  for (const domain of HASH_DOMAINS) {
    const expected = toHex(reference(Uint8Array.of(...text(`wattmesh/${domain}`), 0, ...data)));
    expect(taggedHash(domain, data)).toBe(expected);
    expect(toHex(taggedHashBytes(domain, Uint8Array.of(1), Uint8Array.of(2, 3)))).toBe(expected);
  }
  expect(new Set(HASH_DOMAINS.map((domain) => taggedHash(domain, data))).size).toBe(HASH_DOMAINS.length);
  expect(() => taggedHash('votes' as never, data)).toThrow(RangeError);
});
