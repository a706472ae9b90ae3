import { toHex } from '../codec/hex.ts';
import type { SignatureScheme, ThresholdScheme } from './ports.ts';

/** Remembers up to `capacity` keys, oldest forgotten first. */
class BoundedSet {
  readonly #capacity: number;
  readonly #keys = new Set<string>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  add(key: string): void {
    const [oldest] = this.#keys;
    if (this.#keys.size >= this.#capacity && oldest !== undefined) this.#keys.delete(oldest);
    this.#keys.add(key);
  }
}

/**
 * The same scheme, which remembers what it has found valid: a peer meets each vote alone, in bundles and in certificates,
 * and each transaction in the pool and in a block. Only positive answers are kept, under all three inputs, so that the
 * answer for any bytes is the one that the scheme itself would give.
 */
export function rememberSignatures(scheme: SignatureScheme, capacity: number): SignatureScheme {
  const valid = new BoundedSet(capacity);
  return {
    name: scheme.name,
    sign: (digest, secretKey) => scheme.sign(digest, secretKey),
    publicKey: (secretKey) => scheme.publicKey(secretKey),
    verify: (signature, digest, publicKey) => {
      const key = `${toHex(signature)}/${toHex(digest)}/${toHex(publicKey)}`;
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
