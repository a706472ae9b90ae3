import fc from 'fast-check';
import { expect, test } from 'vitest';
import { heldBits, heldIndices } from '../../src/chain/index.ts';

test('a bitmap names exactly what went into it, in the fewest bytes', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(4_095)), (indices) => {
      const bits = heldBits(indices);
      expect(heldIndices(bits)).toEqual([...indices].sort((a, b) => a - b));
      expect(bits.length).toBe(indices.length === 0 ? 0 : 2 * (Math.floor(Math.max(...indices) / 8) + 1));
    }),
    { numRuns: 200, seed: 31 },
  );
  expect(heldBits([0, 9])).toBe('0102');
});
