import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BlockRejection } from '../../src/application/rejection.ts';
import { encodeBlock } from '../../src/chain/block.ts';
import { encodeBatch } from '../../src/chain/transactions.ts';
import type { Operation, TransactionBatch } from '../../src/chain/types.ts';
import { authenticateBatch, checkBatch, selectBatches } from '../../src/composition/index.ts';
import { verifyBlock } from '../../src/verification/index.ts';
import { PoegChain, WORKED4 } from '../fixtures/poeg-chain.ts';

const chain = new PoegChain(WORKED4, { payers: 2 });
const [edc, alice, bob] = chain.network.accounts;
const pay = (amount: bigint, to = bob!.publicKey): Operation => ({ type: 'transfer', asset: 'upos', to, amount });
const fund = chain.rules.genesis.accounts[1]!.uposMicro;

const selected = (pool: readonly TransactionBatch[], on = chain) => selectBatches(on.rules, on.state, pool);

describe('a batch', () => {
  test('may wait in a pool when its form, chain, signature and accounts are right', () => {
    const code = (batch: TransactionBatch) => {
      const verdict = authenticateBatch(chain.rules, batch);
      return verdict.ok ? 'ok' : verdict.code;
    };
    const valid = chain.batch(alice!, 3, [pay(10n ** 15n)]);
    expect(code(valid)).toBe('ok');
    expect(code({ ...valid, firstNonce: 4 })).toBe('TRANSACTION_BAD_SIGNATURE');
    expect(code({ ...valid, chainId: '0'.repeat(64) })).toBe('TRANSACTION_WRONG_CHAIN');
    expect(code({ ...valid, operations: [] })).toBe('TRANSACTION_MALFORMED');
    expect(code({ ...valid, operations: Array.from({ length: 257 }, () => pay(1n)) })).toBe('TRANSACTION_MALFORMED');
    expect(code(chain.batch(alice!, 0, [pay(1n, '02'.repeat(33))]))).toBe('TRANSACTION_UNKNOWN_ACCOUNT');
    expect(code(chain.batch(chain.network.meters[0]!, 0, [pay(1n)]))).toBe('TRANSACTION_UNKNOWN_ACCOUNT');
  });

  test('can be executed when its nonces are next and its funds are there', () => {
    const code = (batch: TransactionBatch) => {
      const verdict = checkBatch(chain.rules, chain.state, batch);
      return verdict.ok ? 'ok' : verdict.code;
    };
    expect(code(chain.batch(alice!, 0, [pay(fund)]))).toBe('ok');
    expect(code(chain.batch(alice!, 1, [pay(1n)]))).toBe('TRANSACTION_BAD_NONCE');
    expect(code(chain.batch(alice!, 0, [pay(fund), pay(1n)]))).toBe('TRANSACTION_NOT_EXECUTABLE');
    expect(code(chain.batch(alice!, 0, [pay(1n, '02'.repeat(33))]))).toBe('TRANSACTION_UNKNOWN_ACCOUNT');
  });
});

describe('selecting', () => {
  test('takes at most so many transactions, but everything that is required', () => {
    const [a, b] = [chain.batch(alice!, 0, [pay(1n), pay(1n)]), chain.batch(alice!, 2, [pay(1n), pay(1n)])];
    const c = chain.batch(bob!, 0, [pay(1n, edc!.publicKey)]);
    const select = (required: readonly TransactionBatch[], atMost: number) =>
      selectBatches(chain.rules, chain.state, [a, b, c], required, null, atMost);
    expect(select([], 5)).toEqual([a, b, c]);
    expect(select([], 4)).toEqual([a, b]);
    expect(select([], 3)).toEqual([a, c]);
    expect(select([], 0)).toEqual([]);
    expect(select([a, b], 1)).toEqual([a, b]);
    expect(select([a], 3)).toEqual([a, c]);
  });

  test('keeps the pool’s order, and lets a batch that came early wait for the one before it', () => {
    const a0 = chain.batch(alice!, 0, [pay(1n), pay(2n)]);
    const a2 = chain.batch(alice!, 2, [pay(3n)]);
    const a3 = chain.batch(alice!, 3, [pay(4n)]);
    const a5 = chain.batch(alice!, 5, [pay(5n)]);
    const b0 = chain.batch(bob!, 0, [pay(1n, alice!.publicKey)]);
    expect(selected([b0, a0, a2])).toEqual([b0, a0, a2]);
    expect(selected([a3, a5, a2, b0, a0])).toEqual([b0, a0, a2, a3]);
    expect(selected([])).toEqual([]);
  });

  test('leaves out what cannot be paid, alone', () => {
    const tooMuch = chain.batch(alice!, 0, [pay(1n), pay(fund)]);
    const enough = chain.batch(alice!, 0, [pay(fund)]);
    const spent = chain.batch(alice!, 1, [pay(1n)]);
    const received = chain.batch(bob!, 0, [pay(2n * fund, edc!.publicKey)]);
    expect(selected([tooMuch, enough, spent, received])).toEqual([enough, received]);
  });

  test('stays within the number of transactions', () => {
    const tight = new PoegChain(WORKED4, { payers: 2, limits: { maxTransactionsPerBlock: 5 } });
    const [, one, other] = tight.network.accounts;
    const batch = (sender: typeof one, nonce: number, count: number) =>
      tight.batch(
        sender!,
        nonce,
        Array.from({ length: count }, () => pay(1n, tight.network.accounts[0]!.publicKey)),
      );
    const pool = [batch(one, 0, 3), batch(other, 0, 3), batch(one, 3, 2), batch(one, 5, 1)];
    expect(selected(pool, tight)).toEqual([pool[0], pool[2]]);
  });

  test('stays within the size of a block, and fills it', () => {
    const small = new PoegChain(WORKED4, { payers: 2, limits: { maxBlockBytes: 65_536 } });
    small.settle([]);
    const [, sender] = small.network.accounts;
    const pool = Array.from({ length: 10 }, (_, k) => {
      const operations = Array.from({ length: 200 }, () => pay(1n, sender!.publicKey));
      return small.batch(sender!, 200 * k, operations);
    });
    const batches = selected(pool, small);
    expect(batches).toEqual(pool.slice(0, batches.length));
    const { block, blockHash } = small.compose('transactions', { batches });
    const bytes = encodeBlock(block).length;
    expect(verifyBlock(small.rules, small.state, block, blockHash, bytes).ok).toBe(true);
    expect(bytes + encodeBatch(pool[0]!).length).toBeGreaterThan(65_536);
  });

  test('makes blocks that every voter accepts, whatever is in the pool', () => {
    const small = new PoegChain(WORKED4, {
      payers: 2,
      limits: { maxBlockBytes: 65_536, maxTransactionsPerBlock: 1_600 },
    });
    small.settle([]);
    small.grow('closing');
    const senders = [...small.network.accounts, ...small.network.signers];
    const keys = senders.map(({ publicKey }) => publicKey);
    const entry = fc.record({
      sender: fc.nat(senders.length - 1),
      nonce: fc.constantFrom(0, 0, 1, 100, 150),
      count: fc.constantFrom(1, 100, 150, 256, 256),
      to: fc.constantFrom(...keys),
      amount: fc.constantFrom(0n, 1n, 1_000n, 9_000_000n),
    });
    let largest = 0;
    fc.assert(
      fc.property(fc.array(entry, { minLength: 5, maxLength: 30 }), (entries) => {
        const pool = entries.map(({ sender, nonce, count, to, amount }) =>
          small.batch(
            senders[sender]!,
            nonce,
            Array.from({ length: count }, () => pay(amount, to)),
          ),
        );
        const open = { ...small.state, phase: 'open' as const };
        const batches = selectBatches(small.rules, open, pool);
        const { block, blockHash } = small.compose('closing', { batches });
        const bytes = encodeBlock(block).length;
        largest = Math.max(largest, bytes);
        const rejection = verifyBlock(small.rules, open, block, blockHash, bytes);
        expect(rejection.ok || rejection.rejection.code).toBe(true);
        // What was left out has a reason: it cannot be executed afterwards either, or there is no room for it.
        const verdictState = rejection.ok ? rejection.state : open;
        const room = 1_600 - batches.reduce((sum, { operations }) => sum + operations.length, 0);
        for (const batch of pool.filter((one) => !batches.includes(one))) {
          const fits = batch.operations.length <= room && encodeBatch(batch).length <= 65_536 - 2_048 - bytes;
          if (fits) expect(checkBatch(small.rules, verdictState, batch).ok).toBe(false);
        }
      }),
      { numRuns: 40, seed: 21 },
    );
    expect(largest).toBeGreaterThan(50_000);
  });
});

describe('composing', () => {
  test('refuses a batch that cannot be executed', () => {
    const batches = [chain.batch(alice!, 7, [pay(1n)])];
    expect(() => chain.compose('transactions', { batches })).toThrow(BlockRejection);
  });

  test('gives the same block to everybody who composes it from the same', () => {
    const batches = [chain.batch(alice!, 0, [pay(5n)])];
    expect(chain.compose('closing', { batches })).toEqual(chain.compose('closing', { batches }));
  });
});
