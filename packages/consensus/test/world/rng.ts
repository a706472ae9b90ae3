import { sha256Bytes } from '../../src/crypto/index.ts';

/** xoshiro128** seeded from SHA-256 of a label: the only source of chance in a world. */
export class Rng {
  readonly #s: Uint32Array;

  constructor(label: string) {
    const digest = sha256Bytes(new TextEncoder().encode(label));
    this.#s = new Uint32Array(4);
    const view = new DataView(digest.buffer, digest.byteOffset);
    for (let k = 0; k < 4; k += 1) this.#s[k] = view.getUint32(4 * k) | (k === 0 ? 1 : 0);
  }

  u32(): number {
    const s = this.#s as unknown as [number, number, number, number];
    const result = Math.imul(rotate(Math.imul(s[1], 5), 7), 9) >>> 0;
    const t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 11);
    return result;
  }

  /** Uniform in [0, 1). */
  unit(): number {
    return this.u32() / 2 ** 32;
  }

  /** Uniform integer in [0, n). */
  below(n: number): number {
    return Math.floor(this.unit() * n);
  }

  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
}

function rotate(x: number, k: number): number {
  return ((x << k) | (x >>> (32 - k))) >>> 0;
}
