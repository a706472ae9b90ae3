import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  batchHash,
  batchLength,
  decodeBatch,
  encodeBatch,
  merkleProof,
  signBatch,
  transactionId,
  transactionLeaves,
  transactionsRoot,
  verifyBatchSignature,
  verifyMerkleProof,
} from '../../src/chain/index.ts';
import type { Operation, TransactionBatch } from '../../src/chain/types.ts';
import { fromHex, toHex } from '../../src/codec/index.ts';
import type { DigestSigner } from '../../src/crypto/index.ts';
import { batches } from '../fixtures/arbitraries.ts';
import { errorCode } from '../fixtures/error-code.ts';
import { testNetwork } from '../fixtures/network.ts';

const network = testNetwork({ members: 4, payers: 1 });
const [, payer] = network.accounts as [DigestSigner, DigestSigner];
const to = network.genesis.members[0]?.publicKey as string;
const operations: readonly Operation[] = [
  { type: 'transfer', asset: 'upos', to, amount: 5n },
  { type: 'stake', amount: 1n },
  { type: 'unstake', amount: 2n },
  { type: 'retire', amountWh: 3n },
];
const batch = signBatch({ chainId: network.chainId, firstNonce: 7, operations }, payer);

test('the bytes are laid out as documented', () => {
  const expected = Buffer.concat([
    Buffer.from(network.chainId, 'hex'),
    Buffer.from(payer.publicKey, 'hex'),
    Buffer.from('0000000000000007' + '00000004', 'hex'),
    Buffer.from(`0001${to}0000000000000005`, 'hex'),
    Buffer.from('010000000000000001' + '020000000000000002' + '030000000000000003', 'hex'),
    Buffer.from(batch.signature, 'hex'),
  ]);
  expect(toHex(encodeBatch(batch))).toBe(expected.toString('hex'));
  expect(decodeBatch(expected)).toEqual(batch);
  const tagged = (tag: string, bytes: Buffer) =>
    createHash('sha256')
      .update(Buffer.concat([Buffer.from(`wattmesh/${tag}\0`), bytes]))
      .digest('hex');
  expect(batchHash(batch)).toBe(tagged('batch', expected));
  const second = Buffer.concat([Buffer.from(batchHash(batch), 'hex'), Buffer.from('00000001', 'hex')]);
  expect(transactionId(batchHash(batch), 1)).toBe(tagged('transaction-id', second));
});

test('a copy of a decoded batch with other content is hashed, measured and judged by that content', () => {
  const decoded = decodeBatch(encodeBatch(batch));
  const before = [batchHash(decoded), batchLength(decoded)];
  const copy: TransactionBatch = { ...decoded, operations: operations.slice(1) };
  expect(batchHash(copy)).not.toBe(batchHash(decoded));
  expect(batchHash(copy)).toBe(batchHash(decodeBatch(encodeBatch(copy))));
  expect(batchLength(copy)).toBe(encodeBatch(copy).length);
  expect(errorCode(() => verifyBatchSignature(network, copy))).toBe('TRANSACTION_BAD_SIGNATURE');
  expect([batchHash(decoded), batchLength(decoded)]).toEqual(before);
});

describe('the signature of a batch', () => {
  const code = (changed: Partial<TransactionBatch>) =>
    errorCode(() => verifyBatchSignature(network, { ...batch, ...changed }));

  test('covers everything in it', () => {
    verifyBatchSignature(network, batch);
    for (const changed of [
      { firstNonce: 8 },
      { sender: to },
      { operations: operations.slice(1) },
      { operations: operations.toReversed() },
      { operations: operations.with(1, { type: 'stake', amount: 2n }) },
      { operations: operations.with(1, { type: 'unstake', amount: 1n }) },
      { signature: batch.signature.slice(0, -2) + (batch.signature.endsWith('00') ? '01' : '00') },
    ]) {
      expect(code(changed)).toBe('TRANSACTION_BAD_SIGNATURE');
    }
  });

  test('is for one chain', () => {
    expect(code({ chainId: 'cd'.repeat(32) })).toBe('TRANSACTION_WRONG_CHAIN');
    const elsewhere = signBatch({ chainId: 'cd'.repeat(32), firstNonce: 7, operations }, payer);
    expect(errorCode(() => verifyBatchSignature(network, elsewhere))).toBe('TRANSACTION_WRONG_CHAIN');
    const relabelled = { ...elsewhere, chainId: network.chainId };
    expect(errorCode(() => verifyBatchSignature(network, relabelled))).toBe('TRANSACTION_BAD_SIGNATURE');
  });

  test('cannot save a batch without form', () => {
    const many = Array.from({ length: 257 }, () => operations[1] as Operation);
    for (const changed of [
      { operations: [] },
      { operations: many },
      { operations: operations.with(1, { type: 'stake', amount: -1n }) },
      { operations: operations.with(1, { type: 'stake', amount: 2n ** 64n }) },
      { firstNonce: -1 },
      { firstNonce: Number.MAX_SAFE_INTEGER },
      { sender: to.toUpperCase() },
    ]) {
      expect(code(changed)).toBe('TRANSACTION_MALFORMED');
    }
    expect(errorCode(() => signBatch({ chainId: network.chainId, firstNonce: 0, operations: [] }, payer))).toBe(
      'CODEC_LIMIT',
    );
    const full = signBatch({ chainId: network.chainId, firstNonce: 0, operations: many.slice(1) }, payer);
    verifyBatchSignature(network, full);
  });
});

test('a batch that was decoded has the hash of one that was made, whatever bytes it came in', () => {
  fc.assert(
    fc.property(batches, fc.nat({ max: 9 }), (batch, offset) => {
      const padded = new Uint8Array(offset + encodeBatch(batch).length);
      padded.set(encodeBatch(batch), offset);
      const decoded = decodeBatch(padded.subarray(offset));
      expect(batchHash(decoded)).toBe(batchHash({ ...batch }));
      expect(batchLength(decoded)).toBe(encodeBatch(batch).length);
      expect(batchHash({ ...decoded, firstNonce: decoded.firstNonce ^ 1 })).not.toBe(batchHash(decoded));
    }),
    { numRuns: 50, seed: 3 },
  );
});

describe('the transactions root', () => {
  test('commits to every byte of the batches and to their order', () => {
    fc.assert(
      fc.property(fc.array(batches, { maxLength: 3 }), fc.array(batches, { maxLength: 3 }), (first, second) => {
        const bytes = (list: readonly TransactionBatch[]) => list.map((one) => toHex(encodeBatch(one))).join();
        expect(transactionsRoot(first) === transactionsRoot(second)).toBe(bytes(first) === bytes(second));
      }),
      { numRuns: 50, seed: 1 },
    );
    const other = { ...batch, signature: '11'.repeat(64) };
    expect(transactionsRoot([other])).not.toBe(transactionsRoot([batch]));
    expect(transactionsRoot([other, batch])).not.toBe(transactionsRoot([batch, other]));
    expect(transactionsRoot([batch, batch])).not.toBe(transactionsRoot([batch]));
    // The same operations under two signatures instead of one are other transactions.
    const split = [0, 1, 2, 3].map((k) =>
      signBatch({ chainId: network.chainId, firstNonce: 7 + k, operations: operations.slice(k, k + 1) }, payer),
    );
    expect(transactionsRoot(split)).not.toBe(transactionsRoot([batch]));
  });

  test('lets a light client check one transaction by its id', () => {
    const other = signBatch({ chainId: network.chainId, firstNonce: 11, operations: operations.slice(0, 2) }, payer);
    const leaves = transactionLeaves([batch, other]);
    expect(leaves.length).toBe(6);
    const id = fromHex(transactionId(batchHash(other), 1));
    const proof = merkleProof(leaves, 5);
    expect(verifyMerkleProof(transactionsRoot([batch, other]), id, 5, 6, proof)).toBe(true);
    expect(verifyMerkleProof(transactionsRoot([batch, other]), id, 4, 6, proof)).toBe(false);
  });
});
