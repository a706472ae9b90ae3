import { verifySeedSignature } from '../election/index.ts';
import { ensure, opensTerm, type Subject } from './subject.ts';

/** The first block of a term carries the combined signature that seeds it, no other block does. */
export function checkBeacon(subject: Subject): void {
  const { rules, parent, block } = subject;
  const { seedSignature } = block.header;
  if (!opensTerm(subject)) {
    ensure(seedSignature === null, 'beacon', 'BLOCK_WRONG_BEACON', () => `term ${parent.term} has its seed already`);
    return;
  }
  const seeds = seedSignature !== null && verifySeedSignature(rules, parent.term, parent.blockHash, seedSignature);
  ensure(
    seeds,
    'beacon',
    'BLOCK_WRONG_BEACON',
    () => `the block does not carry the signature that seeds ${parent.term}`,
  );
}
