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

/** As `rememberSignatures`, for beacon shares and combined signatures. */
export function rememberShares(scheme: ThresholdScheme, capacity: number): ThresholdScheme {
  const valid = new BoundedSet(capacity);
  const remembered = (kind: string, inputs: readonly Uint8Array[], verify: () => boolean): boolean => {
    const key = [kind, ...inputs.map(toHex)].join('/');
    if (valid.has(key)) return true;
    const isValid = verify();
    if (isValid) valid.add(key);
    return isValid;
  };
  return {
    name: scheme.name,
    signShare: (message, secretShare) => scheme.signShare(message, secretShare),
    combine: (shares) => scheme.combine(shares),
    verifyShare: (share, message, publicShare) =>
      remembered('share', [share, message, publicShare], () => scheme.verifyShare(share, message, publicShare)),
    verifyCombined: (signature, message, groupKey) =>
      remembered('combined', [signature, message, groupKey], () => scheme.verifyCombined(signature, message, groupKey)),
  };
}
