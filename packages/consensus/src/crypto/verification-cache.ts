import { toHex } from '../codec/hex.ts';
import type { SignatureScheme, ThresholdScheme } from './ports.ts';
import { sha256 } from './sha256.ts';

/** Remembers the newest keys, between half of `capacity` and all of it: the older half is forgotten at once. */
class BoundedSet {
  readonly #half: number;
  #newer = new Set<string>();
  #older = new Set<string>();

  constructor(capacity: number) {
    this.#half = Math.max(1, capacity >> 1);
  }

  has(key: string): boolean {
    return this.#newer.has(key) || this.#older.has(key);
  }

  add(key: string): void {
    if (this.#newer.size >= this.#half) {
      this.#older = this.#newer;
      this.#newer = new Set();
    }
    this.#newer.add(key);
  }
}

/**
 * The same scheme, which remembers what it has found valid: a peer meets each vote alone, in bundles and in certificates,
 * and each transaction in the pool and in a block. Only positive answers are kept, under a hash of all three inputs, so that the
 * answer for any bytes is the one that the scheme itself would give.
 */
export function rememberSignatures(scheme: SignatureScheme, capacity: number): SignatureScheme {
  const valid = new BoundedSet(capacity);
  return {
    name: scheme.name,
    sign: (digest, secretKey) => scheme.sign(digest, secretKey),
    publicKey: (secretKey) => scheme.publicKey(secretKey),
    verify: (signature, digest, publicKey) => {
      if (signature.length !== 64 || digest.length !== 32) return scheme.verify(signature, digest, publicKey);
      // Two parts of fixed length and one of any: unambiguous when joined.
      const key = sha256(signature, digest, publicKey);
      if (valid.has(key)) return true;
      const isValid = scheme.verify(signature, digest, publicKey);
      if (isValid) valid.add(key);
      return isValid;
    },
  };
}

/**
 * The same threshold scheme, which remembers the combinations that it has computed (it remembers valid shares by itself):
 * entering a height, checking its block and executing it all ask for the seed of one and the same certificate.
 */
export function rememberCombinations(scheme: ThresholdScheme, capacity: number): ThresholdScheme {
  const combined = new Map<string, Uint8Array>();
  return {
    ...scheme,
    combine: (shares) => {
      const key = shares.map(({ rank, share }) => `${rank}:${toHex(share)}`).join('/');
      const known = combined.get(key);
      if (known !== undefined) return known.slice();
      const signature = scheme.combine(shares);
      const [oldest] = combined.keys();
      if (combined.size >= capacity && oldest !== undefined) combined.delete(oldest);
      combined.set(key, signature.slice());
      return signature;
    },
  };
}
