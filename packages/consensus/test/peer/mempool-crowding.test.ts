import { expect, it } from 'vitest';
import { batchHash } from '../../src/chain/transactions.ts';
import type { TransactionBatch } from '../../src/chain/types.ts';
import { Mempool } from '../../src/peer/mempool.ts';
import { PoegChain, WORKED4 } from '../fixtures/poeg-chain.ts';

const { rules, state } = new PoegChain(WORKED4);

/** Waits for nonce 0, which its sender never uses. */
function stuckBatch(sender: number, firstNonce: number): TransactionBatch {
  return {
    chainId: rules.chainId,
    sender: sender.toString(16).padStart(66, '0'),
    firstNonce,
    operations: Array.from({ length: 256 }, () => ({ type: 'stake' as const, amount: 1n })),
    signature: '11'.repeat(64),
  };
}

it.each([10, 25, 40])('the hostile members that a chain of %i tolerates cannot fill the pool together', (members) => {
  const pool = new Mempool(50_000, members + 1);
  const add = (batch: TransactionBatch) => pool.add(state, 0, batch, batchHash(batch), 0, null);
  const hostile = members - (Math.floor((2 * members) / 3) + 1);
  for (let sender = 0; sender < hostile; sender += 1)
    for (let k = 0; k < 40; k += 1) add(stuckBatch(sender, 1 + 256 * k));
  expect(pool.size).toBeGreaterThan(10_000);
  for (let sender = hostile; sender < members; sender += 1) expect(add(stuckBatch(sender, 0))).toBe('added');
});
