/** Why the ledger refuses a change; each code is also a metric label. */
export type LedgerErrorCode =
  | 'LEDGER_UNKNOWN_ACCOUNT'
  | 'LEDGER_INVALID_AMOUNT'
  | 'LEDGER_INSUFFICIENT_FUNDS'
  | 'LEDGER_NOT_A_MEMBER'
  | 'LEDGER_STAKE_TOO_LOW'
  | 'LEDGER_UNBONDING_FULL'
  | 'LEDGER_NONCE_MISMATCH'
  | 'LEDGER_RULE_MISMATCH'
  | 'LEDGER_UNBALANCED_POSTING'
  | 'LEDGER_OUT_OF_RANGE'
  | 'LEDGER_DRAFT_FINISHED';

/** Thrown by a ledger draft. The change that threw has not been made, not even in part. */
export class LedgerError extends Error {
  readonly code: LedgerErrorCode;
  /** Index of the account that the change was about; undefined when it was about none. */
  readonly account: number | undefined;

  constructor(code: LedgerErrorCode, message: string, account?: number) {
    super(message);
    this.name = 'LedgerError';
    this.code = code;
    this.account = account;
  }
}
