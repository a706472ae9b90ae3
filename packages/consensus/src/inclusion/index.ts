/** What a block must hold because enough voters of the embedded certificate reported it (protocol section 5). */
export { requiredBatches } from './required-batches.ts';
export { requiredContributions } from './required-contributions.ts';
