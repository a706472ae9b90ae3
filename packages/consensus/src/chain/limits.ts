/** Members that a genesis may list; bounds every list of votes. */
export const MAX_MEMBERS = 1024;
/** Accounts that a genesis may list besides its members. */
export const MAX_ACCOUNTS = 65_536;
/** Operations under one signature. */
export const MAX_BATCH_OPERATIONS = 256;
/** Transactions, and hence batches, in one block under any genesis. */
export const MAX_BLOCK_TRANSACTIONS = 65_536;
/** Encoded block under any genesis; leaves room for votes in a message of 4 MB, above which gossip drops messages. */
export const MAX_BLOCK_BYTES = 3_500_000;
/** Blocks for which peers accept evidence (K in protocol section 6). */
export const EVIDENCE_BLOCKS = 100;
