/** What a voter checks before it prevotes: one file for each check of protocol section 5. */

export { isBlockOf } from './structure.ts';
export { type BlockVerdict, verifyBlock } from './verify-block.ts';
