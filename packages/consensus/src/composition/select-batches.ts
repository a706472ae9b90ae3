import type { RejectionCode } from '../application/rejection.ts';
import { encodeCertificate } from '../chain/certificate.ts';
import { SignedDataError } from '../chain/errors.ts';
import type { ChainRules, ChainState } from '../chain/state.ts';
import { batchLength, verifyBatchSignature } from '../chain/transactions.ts';
import type { Certificate, Hex, TransactionBatch } from '../chain/types.ts';
import { startBlock } from '../execution/execute-block.ts';
import { rejectionOf } from '../execution/transactions.ts';
import { accountIndexOf, type OperationDraft } from '../ledger/draft.ts';
import { LedgerError } from '../ledger/errors.ts';
import { applyBatch } from '../ledger/operations.ts';

export type BatchVerdict =
  | { readonly ok: true }
  | { readonly ok: false; readonly code: RejectionCode; readonly reason: string };

/** Upper bounds of what a block holds besides its batches: header, length fields, and a vote of the certificate. */
const HEADER_BYTES = 512;
const VOTE_BYTES = 2 + 8 + 1 + 96 + 2 * 4 + 64;

/**
 * Whether a batch may wait in a pool at all: form, chain, signature, and that its sender and every recipient have
 * accounts. None of this changes as the chain grows.
 */
export function authenticateBatch(rules: ChainRules, batch: TransactionBatch): BatchVerdict {
  try {
    verifyBatchSignature(rules, batch);
  } catch (error) {
    if (!(error instanceof SignedDataError)) throw error;
    return { ok: false, code: error.code as RejectionCode, reason: error.message };
  }
  const keys: Hex[] = [batch.sender];
  for (const operation of batch.operations) if (operation.type === 'transfer') keys.push(operation.to);
  const unknown = keys.find((key) => accountIndexOf(rules.genesis, key) === undefined);
  if (unknown === undefined) return { ok: true };
  return { ok: false, code: 'TRANSACTION_UNKNOWN_ACCOUNT', reason: `${unknown} is no account of this chain` };
}

/** Whether a batch, which has been authenticated, could be executed as the first one after `state`: nonces and funds. */
export function checkBatch(rules: ChainRules, state: ChainState, batch: TransactionBatch): BatchVerdict {
  const failure = attempt(rules, startBlock(rules, state), state.height + 1, batch);
  if (failure === null) return { ok: true };
  return { ok: false, code: rejectionOf(failure), reason: `${failure.code}: ${failure.message}` };
}

/**
 * What a block on top of `parent` can hold of `pool` (authenticated batches): in the pool's order, within the chain's
 * limits, leaving out what cannot be executed. A batch that stands before an earlier one of its sender waits for it.
 * `required` comes first, in its order; when one of these finds no room, nothing comes after it. `certificate` is what the
 * block will embed. Of what is not required nothing is taken beyond `atMost` transactions.
 */
export function selectBatches(
  rules: ChainRules,
  parent: ChainState,
  pool: Iterable<TransactionBatch>,
  required: readonly TransactionBatch[] = [],
  certificate: Certificate | null = null,
  atMost = Number.POSITIVE_INFINITY,
): TransactionBatch[] {
  const { limits, quorum } = rules.genesis;
  const draft = startBlock(rules, parent);
  const selected: TransactionBatch[] = [];
  const isSelected = new Set<TransactionBatch>();
  const waiting = new Map<Hex, TransactionBatch[]>();
  let transactionsLeft = limits.maxTransactionsPerBlock;
  const certificateBytes = certificate === null ? quorum * VOTE_BYTES : encodeCertificate(certificate).length;
  let bytesLeft = limits.maxBlockBytes - HEADER_BYTES - certificateBytes;

  /** True when the batch has been taken. */
  const take = (batch: TransactionBatch): boolean => {
    const size = batchLength(batch);
    if (batch.operations.length > transactionsLeft || size > bytesLeft) return false;
    const failure = attempt(rules, draft, parent.height + 1, batch);
    if (failure !== null) {
      if (failure.code === 'LEDGER_NONCE_MISMATCH')
        waiting.set(batch.sender, [...(waiting.get(batch.sender) ?? []), batch]);
      return false;
    }
    selected.push(batch);
    isSelected.add(batch);
    transactionsLeft -= batch.operations.length;
    bytesLeft -= size;
    return true;
  };

  for (const batch of required) {
    if (batch.operations.length > transactionsLeft || batchLength(batch) > bytesLeft) return selected;
    take(batch);
  }
  transactionsLeft = Math.min(
    transactionsLeft,
    Math.max(0, atMost - (limits.maxTransactionsPerBlock - transactionsLeft)),
  );
  for (const batch of pool) {
    if (isSelected.has(batch)) continue;
    let taken = take(batch);
    // Each success may be what an earlier one of the same sender was waiting for.
    while (taken) {
      const others = (waiting.get(batch.sender) ?? []).sort((a, b) => a.firstNonce - b.firstNonce);
      waiting.delete(batch.sender);
      taken = others.filter(take).length > 0;
    }
    if (transactionsLeft === 0) break;
  }
  return selected;
}

function attempt(
  rules: ChainRules,
  draft: OperationDraft,
  height: number,
  batch: TransactionBatch,
): LedgerError | null {
  try {
    applyBatch(draft, rules.genesis, batch, height);
    return null;
  } catch (error) {
    if (error instanceof LedgerError) return error;
    throw error;
  }
}
