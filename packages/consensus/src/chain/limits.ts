/** Members that a genesis may list; bounds every list of votes. */
export const MAX_MEMBERS = 1024;
/** Accounts that a genesis may list besides its members. */
export const MAX_ACCOUNTS = 65_536;
/** Operations under one signature. */
export const MAX_BATCH_OPERATIONS = 256;
/** No encoded batch is longer. */
export const MAX_BATCH_BYTES = 11_264;
/** Transactions, and hence batches, in one block under any genesis. */
export const MAX_BLOCK_TRANSACTIONS = 65_536;
/** Encoded block under any genesis; leaves room for votes in a message of 4 MB, above which gossip drops messages. */
export const MAX_BLOCK_BYTES = 3_500_000;
/** Largest `maxBlockBytes` of a genesis: a block of that size and a proof that another of that size is invalid fit. */
export const MAX_BLOCK_BYTES_BEFORE_EVIDENCE = 1_600_000;
/** Items of evidence in one block. */
export const MAX_EVIDENCE_ITEMS = 16;
/** Encoded evidence of a block, invalid blocks left out. */
export const MAX_SMALL_EVIDENCE_BYTES = 131_072;
/** Longest statement (see `Application.statementOf`) of which two can be put in evidence. */
export const MAX_CONTESTED_CONTRIBUTION_BYTES = 16_384;
/** Overdue batches that one precommit reports. */
export const MAX_OVERDUE_BATCHES = 16;
/** Bitmap of contributions held, in one precommit: four a member at most. */
export const MAX_HELD_BYTES = 512;
/** Usual number of blocks for which peers accept evidence (`K` in protocol section 6). */
export const EVIDENCE_BLOCKS = 100;
