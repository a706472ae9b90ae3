/** The checks of protocol section 5, in the order in which they run. */
export const CHECKS = [
  'structure',
  'parent',
  'composer',
  'beacon',
  'chain-time',
  'kind',
  'transactions',
  'inclusion',
  'settlement',
  'state-root',
] as const;
export type CheckName = (typeof CHECKS)[number];

/** Codes of the chain's own checks; also metric labels. */
export const CHAIN_REJECTION_CODES = [
  'BLOCK_TOO_LARGE',
  'BLOCK_TOO_MUCH_EVIDENCE',
  'BLOCK_NESTED_EVIDENCE',
  'BLOCK_MALFORMED',
  'BLOCK_NOT_OF_ITS_HASH',
  'BLOCK_WRONG_CHAIN',
  'BLOCK_WRONG_HEIGHT',
  'BLOCK_WRONG_PARENT',
  'BLOCK_BAD_CERTIFICATE',
  'BLOCK_WRONG_TERM',
  'BLOCK_WRONG_SLOT',
  'BLOCK_WRONG_COMPOSER',
  'BLOCK_WRONG_BEACON',
  'BLOCK_WRONG_CHAIN_TIME',
  'BLOCK_KIND_OUT_OF_PLACE',
  'BLOCK_SLOT_NOT_OVER',
  'BLOCK_WITHOUT_TRANSACTIONS',
  'BLOCK_UNEXPECTED_TRANSACTIONS',
  'BLOCK_UNEXPECTED_PAYLOAD',
  'BLOCK_TOO_MANY_TRANSACTIONS',
  'TRANSACTION_MALFORMED',
  'TRANSACTION_WRONG_CHAIN',
  'TRANSACTION_UNKNOWN_ACCOUNT',
  'TRANSACTION_BAD_SIGNATURE',
  'TRANSACTION_BAD_NONCE',
  'TRANSACTION_NOT_EXECUTABLE',
  'INCLUSION_LEFT_OUT_CONTRIBUTION',
  'INCLUSION_LEFT_OUT_TRANSACTION',
  'SETTLEMENT_FAILED',
  'BLOCK_WRONG_STATE_ROOT',
  'BLOCK_CHECK_FAILED',
] as const;
export type ChainRejectionCode = (typeof CHAIN_REJECTION_CODES)[number];

/** Codes of the settlement check belong to the application, and begin with its name. */
export type ApplicationRejectionCode = `POEG_${string}` | `POSOC_${string}`;
export type RejectionCode = ChainRejectionCode | ApplicationRejectionCode;

/**
 * The verdict that a block breaks a rule: objective, so every honest peer reaches it for the same block and parent.
 * Thrown by single checks and by `Application.execute`; `verifyBlock` returns it.
 */
export class BlockRejection extends Error {
  readonly check: CheckName;
  readonly code: RejectionCode;

  constructor(check: CheckName, code: RejectionCode, message: string) {
    super(message);
    this.name = 'BlockRejection';
    this.check = check;
    this.code = code;
  }
}
