/** What a composer puts into a block, and the block itself. */
export { type BlockContent, type ComposedBlock, composeBlock } from './compose-block.ts';
export { authenticateBatch, type BatchVerdict, checkBatch, selectBatches } from './select-batches.ts';
