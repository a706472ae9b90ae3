import { BlockRejection } from '../application/rejection.ts';
import { SignedDataError } from '../chain/errors.ts';
import { verifyBatchSignature } from '../chain/transactions.ts';
import type { TransactionBatch } from '../chain/types.ts';
import { executeBatches } from '../execution/transactions.ts';
import type { OperationDraft } from '../ledger/draft.ts';
import { ensure, type Subject } from './subject.ts';

/**
 * Signatures, nonces and funds of all transactions, by executing them on `draft`. A transaction cannot stand in a block
 * twice: its nonce is used up.
 */
export function checkTransactions({ rules, block }: Subject, draft: OperationDraft): void {
  const count = block.batches.reduce((sum, { operations }) => sum + operations.length, 0);
  const { maxTransactionsPerBlock } = rules.genesis.limits;
  ensure(count <= maxTransactionsPerBlock, 'transactions', 'BLOCK_TOO_MANY_TRANSACTIONS', () => {
    return `the block has ${count} transactions, the chain allows ${maxTransactionsPerBlock}`;
  });
  block.batches.forEach((batch, place) => {
    checkSignature(rules, batch, place);
  });
  executeBatches(rules, draft, block.batches, block.header.height);
}

function checkSignature(rules: Subject['rules'], batch: TransactionBatch, place: number): void {
  try {
    verifyBatchSignature(rules, batch);
  } catch (error) {
    if (!(error instanceof SignedDataError)) throw error;
    const code =
      error.code === 'TRANSACTION_WRONG_CHAIN' || error.code === 'TRANSACTION_BAD_SIGNATURE'
        ? error.code
        : 'TRANSACTION_MALFORMED';
    throw new BlockRejection('transactions', code, `batch ${place}: ${error.message}`);
  }
}
