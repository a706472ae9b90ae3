import { afterAll, describe, expect, test } from 'vitest';
import { encodeBlock } from '../../src/chain/block.ts';
import type { Block } from '../../src/chain/types.ts';
import { verifyBlock } from '../../src/verification/index.ts';
import { PoegChain, WORKED4 } from '../fixtures/poeg-chain.ts';
import { expectCodesMet, expectRejection, firstBlock, reseal, secondTerm, seen, transfer, ZERO } from './rejections.ts';

const ONE = Uint8Array.of(1);

describe('size and structure', () => {
  test('too large', () => {
    const { chain, composed } = firstBlock();
    const limit = chain.rules.genesis.limits.maxBlockBytes;
    const ask = (bytes: number) => verifyBlock(chain.rules, chain.state, composed.block, composed.blockHash, bytes);
    expect(ask(limit)).toMatchObject({ ok: true });
    expect(ask(limit + 1)).toMatchObject({ ok: false, rejection: { check: 'structure', code: 'BLOCK_TOO_LARGE' } });
    seen.add('BLOCK_TOO_LARGE');
  });

  test('not encodable', () => {
    const { chain, composed } = firstBlock();
    const header = { ...composed.block.header, slot: 0.5 };
    const verdict = verifyBlock(chain.rules, chain.state, { ...composed.block, header }, composed.blockHash, 1_000);
    expect(verdict).toMatchObject({ ok: false, rejection: { check: 'structure', code: 'BLOCK_MALFORMED' } });
    seen.add('BLOCK_MALFORMED');
  });

  test('another body under the same header', () => {
    const { chain, composed } = firstBlock();
    const { block } = composed;
    const payer = chain.network.accounts[0]!;
    const bodies: Block[] = [
      { ...block, batches: [] },
      { ...block, batches: [chain.batch(payer, 0, [transfer(chain.network.signers[2]!.publicKey)])] },
      { ...block, batches: [{ ...block.batches[0]!, signature: 'ab'.repeat(64) }] },
      { ...block, payload: Uint8Array.of(0) },
      { ...block, parentCertificate: chain.decide(0, chain.rules.chainId, null) },
    ];
    for (const body of bodies) expectRejection(chain, body, 'structure', 'BLOCK_NOT_OF_ITS_HASH');
    const verdict = verifyBlock(chain.rules, chain.state, block, ZERO, 1_000);
    expect(verdict).toMatchObject({ ok: false, rejection: { code: 'BLOCK_NOT_OF_ITS_HASH' } });
  });
});

describe('transactions', () => {
  test('more than the chain allows', () => {
    const chain = new PoegChain(WORKED4, { limits: { maxTransactionsPerBlock: 3 } });
    const payer = chain.network.accounts[0]!;
    const operations = Array.from({ length: 4 }, () => transfer(payer.publicKey));
    const fits = chain.compose('transactions', { batches: [chain.batch(payer, 0, operations.slice(1))] });
    expect(verifyBlock(chain.rules, chain.state, fits.block, fits.blockHash, 1_000).ok).toBe(true);
    const { block } = chain.compose('transactions', { batches: [chain.batch(payer, 0, operations)] });
    expectRejection(chain, block, 'transactions', 'BLOCK_TOO_MANY_TRANSACTIONS');
  });

  test('one bad batch makes the block invalid, whatever is wrong with it', () => {
    const { chain, composed } = firstBlock();
    const [payer] = chain.network.accounts;
    const [member] = chain.network.signers;
    const good = composed.block.batches[0]!;
    const expectBad = (batch: Block['batches'][number], code: string) =>
      expectRejection(chain, reseal({ ...composed.block, batches: [good, batch] }), 'transactions', code);
    const valid = chain.batch(payer!, 1, [transfer(member!.publicKey)]);
    expectBad({ ...valid, signature: good.signature }, 'TRANSACTION_BAD_SIGNATURE');
    expectBad({ ...valid, sender: member!.publicKey, firstNonce: 0 }, 'TRANSACTION_BAD_SIGNATURE');
    expectBad({ ...valid, chainId: ZERO }, 'TRANSACTION_WRONG_CHAIN');
    expectBad(good, 'TRANSACTION_BAD_NONCE');
    expectBad(chain.batch(payer!, 2, [transfer(member!.publicKey)]), 'TRANSACTION_BAD_NONCE');
    expectBad(chain.batch(payer!, 1, [transfer('02'.repeat(33))]), 'TRANSACTION_UNKNOWN_ACCOUNT');
    expectBad(chain.batch(chain.network.meters[0]!, 0, [transfer(member!.publicKey)]), 'TRANSACTION_UNKNOWN_ACCOUNT');
    expectBad(chain.batch(payer!, 1, [transfer(member!.publicKey, 10n ** 12n)]), 'TRANSACTION_NOT_EXECUTABLE');
    expectBad(chain.batch(payer!, 1, [{ type: 'stake', amount: 1n }]), 'TRANSACTION_NOT_EXECUTABLE');
  });
});

describe('evidence', () => {
  test('stands in a block within limits, and left out in proofs only', () => {
    const chain = secondTerm();
    const { block } = chain.compose('closing');
    const accusing = (evidence: Block['evidence']) => reseal({ ...block, evidence });
    expectRejection(chain, accusing([{ type: 'omitted', hash: ZERO }]), 'structure', 'BLOCK_NESTED_EVIDENCE');
    const contested = new Uint8Array(16_384);
    const item = { type: 'contributions', first: contested, second: contested } as const;
    // Four of these pairs are 128 KiB and their lengths.
    expectRejection(chain, accusing([item, item, item, item]), 'structure', 'BLOCK_TOO_MUCH_EVIDENCE');
    const proposal = { height: 3, round: 0, blockHash: ZERO, polRound: -1, proposer: 0, signature: '11'.repeat(64) };
    const large = { type: 'invalid-block', proposal, block: new Uint8Array(1_400_000), blobs: [] } as const;
    expectRejection(chain, accusing([large]), 'structure', 'BLOCK_TOO_MUCH_EVIDENCE');
    const many = Array.from({ length: 17 }, () => ({ type: 'contributions', first: ONE, second: ONE }) as const);
    const verdict = verifyBlock(chain.rules, chain.state, { ...block, evidence: many }, ZERO, 9);
    expect(verdict).toMatchObject({ ok: false, rejection: { code: 'BLOCK_MALFORMED' } });
  });

  test('needs no room from transactions', () => {
    const chain = secondTerm({ limits: { maxBlockBytes: 65_536 } });
    const contested = new Uint8Array(16_384);
    const item = { type: 'contributions', first: contested, second: contested } as const;
    const { block, blockHash: hash } = chain.compose('closing', { evidence: [item, item, item] });
    const bytes = encodeBlock(block).length;
    expect(bytes).toBeGreaterThan(65_536);
    expect(verifyBlock(chain.rules, chain.state, block, hash, bytes).ok).toBe(true);
    expect(verifyBlock(chain.rules, chain.state, block, hash, bytes + 65_536)).toMatchObject({
      rejection: { code: 'BLOCK_TOO_LARGE' },
    });
  });
});

afterAll(() => expectCodesMet('body'));
