import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { batchHash } from '../../src/chain/transactions.ts';
import type { Operation, TransactionBatch } from '../../src/chain/types.ts';
import { Mempool } from '../../src/peer/mempool.ts';
import { PoegChain, WORKED4 } from '../fixtures/poeg-chain.ts';

const chain = new PoegChain(WORKED4, { payers: 2 });
const [, alice, bob] = chain.network.accounts;
const pay: Operation = { type: 'transfer', asset: 'upos', to: bob!.publicKey, amount: 1n };
/** The pool never looks at signatures. */
const batchOf = (firstNonce: number, count: number, sender = alice!.publicKey): TransactionBatch => ({
  chainId: chain.network.chainId,
  sender,
  firstNonce,
  operations: Array.from({ length: count }, () => pay),
  signature: firstNonce.toString(16).padStart(64, '0') + count.toString(16).padStart(64, '0'),
});
const addTo = (pool: Mempool, batch: TransactionBatch, nowMs = 0, resendAtMs: number | null = null, nonce = 0) =>
  pool.add(chain.state, nonce, batch, batchHash(batch), nowMs, resendAtMs);

describe('the pool', () => {
  test('keeps the first of two batches that claim a nonce, in whatever order they come', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat({ max: 40 }), fc.integer({ min: 1, max: 6 })), { maxLength: 30 }),
        (claims) => {
          const pool = new Mempool(1_000, 4);
          const taken = new Set<number>();
          let transactions = 0;
          for (const [firstNonce, count] of claims) {
            const nonces = Array.from({ length: count }, (_, k) => firstNonce + k);
            const batch = batchOf(firstNonce, count);
            const isKnown = pool.has(batchHash(batch));
            const isFree = nonces.every((nonce) => !taken.has(nonce));
            expect(addTo(pool, batch)).toBe(isKnown ? 'known' : isFree ? 'added' : 'nonce-taken');
            if (!isFree) continue;
            for (const nonce of nonces) taken.add(nonce);
            transactions += count;
          }
          expect(pool.size).toBe(transactions);
          // What is executable in a row from nonce 0, and nothing beyond the first gap.
          const run = Array.from({ length: 100 }, (_, nonce) => nonce).findIndex((nonce) => !taken.has(nonce));
          const selected = pool.select(chain.rules, chain.state);
          expect(selected.reduce((sum, { operations }) => sum + operations.length, 0)).toBe(run);
        },
      ),
      { numRuns: 100, seed: 4 },
    );
  });

  test('is bounded in total, per sender and in how far ahead a nonce may be', () => {
    const pool = new Mempool(2_048, 100);
    expect(addTo(pool, batchOf(8_192, 1))).toBe('too-far-ahead');
    expect(addTo(pool, batchOf(0, 1), 0, null, 1)).toBe('stale');
    for (let k = 0; k < 4; k += 1) expect(addTo(pool, batchOf(256 * k, 256))).toBe('added');
    expect(addTo(pool, batchOf(1_024, 1))).toBe('sender-full');
    for (let k = 0; k < 4; k += 1) expect(addTo(pool, batchOf(256 * k, 256, bob!.publicKey))).toBe('added');
    expect(addTo(pool, batchOf(0, 1, chain.network.accounts[0]!.publicKey))).toBe('pool-full');
    pool.prune(1, (sender) => (sender === alice!.publicKey ? 512 : 0));
    expect(pool.size).toBe(1_536);
    expect(addTo(pool, batchOf(1_024, 256))).toBe('added');
  });

  test('lets senders take turns', () => {
    const pool = new Mempool(1_000, 4);
    for (const nonce of [1, 0, 2]) addTo(pool, batchOf(nonce, 1));
    for (const nonce of [0, 1]) addTo(pool, batchOf(nonce, 1, bob!.publicKey));
    const order = pool.select(chain.rules, chain.state).map(({ sender, firstNonce }) => [sender, firstNonce]);
    expect(order).toEqual([
      [alice!.publicKey, 0],
      [bob!.publicKey, 0],
      [alice!.publicKey, 1],
      [bob!.publicKey, 1],
      [alice!.publicKey, 2],
    ]);
  });

  test('knows since when something executable has waited', () => {
    const pool = new Mempool(1_000, 4);
    const waiting = () => pool.waitingSinceMs(chain.rules, chain.state, () => 0);
    addTo(pool, batchOf(1, 1), 5);
    expect(waiting()).toBeNull();
    addTo(pool, batchOf(0, 1), 9);
    expect(waiting()).toBe(9);
    addTo(pool, batchOf(0, 1, bob!.publicKey), 7);
    expect(waiting()).toBe(7);
  });

  test('asks for a local batch to be told again ever more rarely, and never for one of others', () => {
    const pool = new Mempool(1_000, 4);
    const local = batchOf(0, 1);
    addTo(pool, local, 100, 200);
    addTo(pool, batchOf(1, 1), 100);
    const told = Array.from({ length: 160 }, (_, k) => 100 + 10 * k).filter((nowMs) => {
      const overdue = pool.overdueLocal(nowMs, 10);
      expect([[], [local]]).toContainEqual(overdue);
      return overdue.length > 0;
    });
    expect(told).toEqual([200, 400, 1_000]);
  });

  test('of many local batches asks for a few to be told again, of each sender the first ones', () => {
    const pool = new Mempool(1_000, 4);
    const all = [0, 1, 2, 3].map((nonce) => batchOf(nonce, 1));
    for (const batch of all) addTo(pool, batch, 100, 200);
    const other = batchOf(0, 1, bob!.publicKey);
    addTo(pool, other, 100, 200);
    expect(pool.overdueLocal(200, 3)).toEqual([all[0], other, all[1]]);
    expect(pool.overdueLocal(200, 3)).toEqual([all[2], all[3]]);
    expect(pool.overdueLocal(200, 3)).toEqual([]);
  });
});
