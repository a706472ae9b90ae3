import { BlockRejection } from '../application/rejection.ts';
import type { ChainRules } from '../chain/state.ts';
import type { TransactionBatch } from '../chain/types.ts';
import type { OperationDraft } from '../ledger/draft.ts';
import { LedgerError } from '../ledger/errors.ts';
import { applyBatch } from '../ledger/operations.ts';

/** Executes a block's batches in order. @throws BlockRejection of the first that fails: it makes the block invalid. */
export function executeBatches(
  { genesis }: ChainRules,
  draft: OperationDraft,
  batches: readonly TransactionBatch[],
  height: number,
): void {
  batches.forEach((batch, place) => {
    try {
      applyBatch(draft, genesis, batch, height);
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error;
      throw new BlockRejection('transactions', rejectionOf(error), `batch ${place}: ${error.code}: ${error.message}`);
    }
  });
}

/** What a ledger error means for a transaction. */
export function rejectionOf({
  code,
}: LedgerError): 'TRANSACTION_BAD_NONCE' | 'TRANSACTION_UNKNOWN_ACCOUNT' | 'TRANSACTION_NOT_EXECUTABLE' {
  if (code === 'LEDGER_NONCE_MISMATCH') return 'TRANSACTION_BAD_NONCE';
  return code === 'LEDGER_UNKNOWN_ACCOUNT' ? 'TRANSACTION_UNKNOWN_ACCOUNT' : 'TRANSACTION_NOT_EXECUTABLE';
}
