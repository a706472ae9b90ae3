import { afterAll, describe, expect, test } from 'vitest';
import { encodeBlock } from '../../src/chain/block.ts';
import { heldBits } from '../../src/chain/reports.ts';
import { batchHash } from '../../src/chain/transactions.ts';
import type { TransactionBatch, VoteExtension } from '../../src/chain/types.ts';
import { selectBatches } from '../../src/composition/index.ts';
import { requiredBatches } from '../../src/inclusion/index.ts';
import { verifyBlock } from '../../src/verification/index.ts';
import { PoegChain, WORKED4 } from '../fixtures/poeg-chain.ts';
import { expectCodesMet, expectRejection, secondTerm, transfer, ZERO } from './rejections.ts';

describe('inclusion of contributions', () => {
  /** A closed slot whose voters report the households' announcements at these bits. */
  const closed = (reports: Record<number, readonly number[]>) => {
    const chain = secondTerm();
    const held = Object.fromEntries(Object.entries(reports).map(([rank, bits]) => [rank, { held: heldBits(bits) }]));
    chain.commit(chain.compose('closing'), undefined, held);
    const contributions = WORKED4.map((home, rank) => chain.announcement(2, rank, home));
    const without = (...ranks: number[]) =>
      chain.compose('settlement', { contributions: contributions.filter((_, rank) => !ranks.includes(rank)) });
    return { chain, without };
  };

  test('what f + 1 voters of the certificate report must be settled', () => {
    const { chain, without } = closed({ 0: [0, 3], 1: [0, 1], 2: [3] });
    for (const ranks of [[0], [3], [0, 3], [0, 1, 2, 3]])
      expectRejection(chain, without(...ranks).block, 'inclusion', 'INCLUSION_LEFT_OUT_CONTRIBUTION');
    // One of four may lie: member 1's announcement has one witness only.
    for (const ranks of [[], [1], [2], [1, 2]]) {
      const { block, blockHash: hash } = without(...ranks);
      expect(verifyBlock(chain.rules, chain.state, block, hash, 1)).toMatchObject({ ok: true });
    }
  });

  test('readings count by their own bits, and bits that mean nothing are passed over', () => {
    const { chain, without } = closed({ 0: [4, 9, 40], 1: [9, 40], 2: [9, 40] });
    const { block, blockHash: hash } = without(0, 1, 2, 3);
    expect(verifyBlock(chain.rules, chain.state, block, hash, 1).ok).toBe(true);
    const later = secondTerm();
    later.settle(WORKED4.map((home, rank) => later.announcement(2, rank, home)));
    // From slot 2 on a member owes two things: bit 5 is the reading of member 1.
    later.commit(later.compose('closing'), undefined, { 0: { held: heldBits([5]) }, 2: { held: heldBits([5]) } });
    expectRejection(later, later.compose('settlement').block, 'inclusion', 'INCLUSION_LEFT_OUT_CONTRIBUTION');
    later.grow('settlement', { contributions: [later.reading(1, 1, 1n, 2n)] });
  });

  test('does not protect who has signed two', () => {
    const { chain, without } = closed({ 0: [0], 1: [0] });
    const [home, other] = WORKED4;
    const evidence = [
      {
        type: 'contributions',
        first: chain.announcement(2, 0, home!).bytes,
        second: chain.announcement(2, 0, other!).bytes,
      },
    ] as const;
    expectRejection(chain, without(0).block, 'inclusion', 'INCLUSION_LEFT_OUT_CONTRIBUTION');
    const contributions = [1, 2, 3].map((rank) => chain.announcement(2, rank, WORKED4[rank]!));
    chain.grow('settlement', { contributions, evidence });
  });
});

describe('inclusion of transactions', () => {
  type Overdue = VoteExtension['overdue'];
  const reported = (of: readonly TransactionBatch[], chain: PoegChain): Overdue =>
    of
      .map((batch) => ({
        hash: batchHash(batch),
        account: [...chain.rules.genesis.members, ...chain.rules.genesis.accounts].findIndex(
          ({ publicKey }) => publicKey === batch.sender,
        ),
        firstNonce: batch.firstNonce,
      }))
      .sort((a, b) => (a.hash < b.hash ? -1 : 1));
  /** A chain whose last certificate holds these reports, by rank. */
  const after = (reports: (chain: PoegChain) => Record<number, Overdue>, limits = {}) => {
    const chain = new PoegChain(WORKED4, { limits });
    const payer = chain.network.accounts[0]!;
    const first = chain.compose('transactions', { batches: [chain.batch(payer, 0, [transfer(payer.publicKey)])] });
    const overdue = Object.fromEntries(Object.entries(reports(chain)).map(([rank, of]) => [rank, { overdue: of }]));
    chain.commit(first, undefined, overdue);
    return chain;
  };
  const from = (chain: PoegChain, rank: number, nonce = 0, count = 1) =>
    chain.batch(
      chain.network.signers[rank]!,
      nonce,
      Array.from({ length: count }, () => transfer(chain.network.accounts[0]!.publicKey)),
    );
  const verdictOf = (chain: PoegChain, batches: readonly TransactionBatch[]) => {
    const { block, blockHash: hash } = chain.compose('closing', { batches });
    return verifyBlock(chain.rules, chain.state, block, hash, encodeBlock(block).length);
  };
  const expectLeftOut = (chain: PoegChain, batches: readonly TransactionBatch[]) =>
    expectRejection(chain, chain.compose('closing', { batches }).block, 'inclusion', 'INCLUSION_LEFT_OUT_TRANSACTION');

  test('what f + 1 voters report comes first, in the order of hashes', () => {
    const chain = after((of) => {
      const both = reported([from(of, 0), from(of, 1)], of);
      return { 0: both, 1: both, 2: reported([from(of, 2)], of) };
    });
    const [a, b] = [from(chain, 0), from(chain, 1)].sort((x, y) => (batchHash(x) < batchHash(y) ? -1 : 1));
    const other = from(chain, 3);
    expect(requiredBatches(chain.rules, chain.state, chain.certificate).map(({ hash }) => hash)).toEqual([
      batchHash(a!),
      batchHash(b!),
    ]);
    for (const batches of [[], [other], [a!], [b!], [b!, a!], [other, a!, b!], [a!, other, b!]])
      expectLeftOut(chain, batches);
    for (const batches of [
      [a!, b!],
      [a!, b!, other],
    ])
      expect(verdictOf(chain, batches).ok).toBe(true);
  });

  test('a report that is outdated asks for nothing', () => {
    const chain = after((of) => {
      const stale = [{ hash: ZERO, account: 4, firstNonce: 0 }];
      const ahead = reported([from(of, 1, 5)], of);
      const nobody = [{ hash: 'ff'.repeat(32), account: 99, firstNonce: 0 }];
      return { 0: stale, 1: stale, 2: [...stale, ...ahead, ...nobody].sort((a, b) => (a.hash < b.hash ? -1 : 1)) };
    });
    expect(verdictOf(chain, []).ok).toBe(true);
  });

  test('of two batches for one nonce one is enough', () => {
    const rivals = (of: PoegChain) => [from(of, 0), from(of, 0, 0, 2)];
    const chain = after((of) => ({ 0: reported(rivals(of), of), 1: reported(rivals(of), of) }));
    const [a, b] = rivals(chain).sort((x, y) => (batchHash(x) < batchHash(y) ? -1 : 1));
    expect(verdictOf(chain, [a!]).ok).toBe(true);
    expectLeftOut(chain, [b!]);
    expectLeftOut(chain, []);
  });

  test('the rest may wait when the block is full of what is required', () => {
    const limits = { maxTransactionsPerBlock: 300 };
    const wanted = (of: PoegChain) => [from(of, 0, 0, 100), from(of, 1, 0, 250)];
    const chain = after((of) => ({ 0: reported(wanted(of), of), 1: reported(wanted(of), of) }), limits);
    const [a, b] = wanted(chain).sort((x, y) => (batchHash(x) < batchHash(y) ? -1 : 1));
    expect(verdictOf(chain, [a!]).ok).toBe(true);
    expectLeftOut(chain, [a!, from(chain, 2)]);
    expectLeftOut(chain, [b!]);
    const selected = selectBatches(chain.rules, chain.state, [from(chain, 2)], [a!, b!], chain.certificate);
    expect(selected).toEqual([a]);
  });

  test('a composer puts them first, and settlements hold none', () => {
    const chain = after((of) => ({ 0: reported([from(of, 0)], of), 1: reported([from(of, 0)], of) }));
    const pool = [from(chain, 2), from(chain, 0), from(chain, 1)];
    const batches = selectBatches(chain.rules, chain.state, pool, [pool[1]!], chain.certificate);
    expect(batches).toEqual([pool[1], pool[0], pool[2]]);
    const overdue = reported([from(chain, 1)], chain);
    chain.commit(chain.compose('closing', { batches: [pool[1]!] }), undefined, { 0: { overdue }, 1: { overdue } });
    chain.grow('settlement');
  });
});

afterAll(() => expectCodesMet('inclusion'));
