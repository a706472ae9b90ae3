import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BlockSize } from '../../src/peer/block-size.ts';

const MOST = 4_096;
const TARGET_MS = 2_000;

/** Decides as many blocks, each as large as it may be, that take what `took` says of them; the sizes. */
function fullBlocks(size: BlockSize, count: number, took: (transactions: number) => number): number[] {
  return Array.from({ length: count }, () => {
    const { limit } = size;
    size.onDecided(limit, took(limit));
    return limit;
  });
}

describe('the size of a block', () => {
  it('is what the chain allows, as long as blocks are in time', () => {
    const size = new BlockSize(MOST, TARGET_MS);
    expect(new Set(fullBlocks(size, 20, () => TARGET_MS))).toEqual(new Set([MOST]));
  });

  it('comes down in one step to what fits the time, when a block costs in proportion to its transactions', () => {
    expect(fullBlocks(new BlockSize(MOST, TARGET_MS), 2, (transactions) => transactions * 1.25)).toEqual([MOST, 1_600]);
  });

  it('settles where blocks take about the time, whatever a block and a transaction cost, and comes back when they cost less', () => {
    const costs = fc.record({
      block: fc.integer({ min: 0, max: 900 }),
      transaction: fc.double({ min: 0.1, max: 3, noNaN: true }),
    });
    fc.assert(
      fc.property(costs, ({ block, transaction }) => {
        const size = new BlockSize(MOST, TARGET_MS);
        const took = (transactions: number): number => block + transactions * transaction;
        const settled = fullBlocks(size, 60, took).slice(20);
        const fitting = Math.min(MOST, (TARGET_MS - block) / transaction);
        for (const transactions of settled) {
          expect(took(transactions)).toBeLessThan(1.15 * TARGET_MS);
          expect(transactions).toBeGreaterThan(0.5 * fitting);
        }
        fullBlocks(size, 6, () => 100);
        expect(size.limit).toBe(MOST);
      }),
    );
  });

  it('comes back also where batches do not fill it to the last transaction', () => {
    for (const batch of [60, 100, 129, 230, 256]) {
      const size = new BlockSize(MOST, TARGET_MS);
      size.onDecided(4_000, 60_000);
      expect(size.limit).toBe(256);
      for (let k = 0; k < 10; k += 1) size.onDecided(Math.floor(size.limit / batch) * batch, 5);
      expect(size.limit).toBe(MOST);
    }
  });

  it('does not grow for blocks that were not full, nor shrink for small ones that took long or for a clock that was set back', () => {
    const size = new BlockSize(MOST, TARGET_MS);
    size.onDecided(4_000, 8_000);
    const { limit } = size;
    expect(limit).toBe(1_000);
    for (let k = 0; k < 10; k += 1) size.onDecided(300, 50);
    size.onDecided(40, 60_000);
    size.onDecided(1_000, -5_000);
    expect(size.limit).toBe(limit);
    size.onDecided(300, 60_000);
    expect(size.limit).toBe(256);
  });
});
