/** Accounts, tokens and clearing balances: every change conserves its asset or throws. */
export { conservationFaults } from './conservation.ts';
export { AMOUNT_LIMIT, draftOf, MAX_UNBONDING_ENTRIES, type OperationDraft } from './draft.ts';
export { LedgerError, type LedgerErrorCode } from './errors.ts';
export { genesisLedger } from './genesis.ts';
export { applyBatch } from './operations.ts';
export type { Account, LedgerDraft, LedgerState, Supply } from './types.ts';
