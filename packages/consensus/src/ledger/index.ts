/**
 * Accounts, tokens and clearing balances: every change conserves its asset or throws and changes nothing.
 *
 * Tokens come into being by three rules only: `genesis` (opening balances and stakes), `proof-score` (EPOS for scores) and
 * `surplus` (a credit for each Wh that a member has to sell). They cease by two: `retired`
 * (credits, by their holder) and `slashed` (locked EPOS of who is proven at fault).
 * Clearing balances are debts and claims of energy bills: they may be negative and always add up to 0.
 */
export { conservationFaults } from './conservation.ts';
export { AMOUNT_LIMIT, draftOf, MAX_UNBONDING_ENTRIES, type OperationDraft } from './draft.ts';
export { LedgerError, type LedgerErrorCode } from './errors.ts';
export { genesisLedger } from './genesis.ts';
export { applyBatch } from './operations.ts';
export type { Account, LedgerDraft, LedgerState, Supply } from './types.ts';
