import { fromHex, toHex } from '../codec/index.ts';
import type { Hex } from './types.ts';

/**
 * A voter's report of what it holds, as a bitmap without trailing zero bytes: bit `k * n + rank` stands for the `k`-th
 * contribution that member `rank` of `n` owes. Bit 0 is the lowest of the first byte.
 */
export function heldBits(indices: Iterable<number>): Hex {
  const bits: number[] = [];
  for (const index of indices) {
    const place = index >> 3;
    while (bits.length <= place) bits.push(0);
    bits[place] = (bits[place] as number) | (1 << (index & 7));
  }
  return toHex(Uint8Array.from(bits));
}

/** The indices that a bitmap names, ascending. */
export function heldIndices(held: Hex): readonly number[] {
  const indices: number[] = [];
  fromHex(held).forEach((byte, place) => {
    for (let bit = 0; bit < 8; bit += 1) if ((byte >> bit) & 1) indices.push(8 * place + bit);
  });
  return indices;
}
