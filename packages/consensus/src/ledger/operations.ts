import type { Genesis, Operation, TransactionBatch } from '../chain/types.ts';
import type { OperationDraft } from './draft.ts';
import { LedgerError } from './errors.ts';

/**
 * Executes a batch that stands in the block at `height`: all of its operations or, when one fails, none. Signature and
 * form have been checked.
 *
 * @throws LedgerError of the first operation that fails.
 */
export function applyBatch(draft: OperationDraft, genesis: Genesis, batch: TransactionBatch, height: number): void {
  const sender = accountOf(draft, batch.sender);
  draft.atomically(() => {
    batch.operations.forEach((operation, k) => {
      draft.useNonce(sender, batch.firstNonce + k);
      applyOperation(draft, sender, operation, height + genesis.limits.unbondingBlocks);
    });
  });
}

function applyOperation(draft: OperationDraft, sender: number, operation: Operation, releaseHeight: number): void {
  switch (operation.type) {
    case 'transfer':
      draft.move(operation.asset, sender, accountOf(draft, operation.to), operation.amount);
      return;
    case 'stake':
      draft.stake(sender, operation.amount);
      return;
    case 'unstake':
      draft.unstake(sender, operation.amount, releaseHeight);
      return;
    case 'retire':
      draft.burn('retired', 'credit', sender, operation.amountWh);
      return;
  }
}

function accountOf(draft: OperationDraft, publicKey: string): number {
  const index = draft.indexOf(publicKey);
  if (index === undefined) {
    throw new LedgerError('LEDGER_UNKNOWN_ACCOUNT', `${publicKey} is not an account of this chain's genesis`);
  }
  return index;
}
