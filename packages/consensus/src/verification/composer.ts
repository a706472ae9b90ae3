import { electionListOf, proposerAt } from '../election/index.ts';
import { ensure, type Subject } from './subject.ts';

/** Term, slot, and whether the composer stands at the composing round's place in the term's election list. */
export function checkComposer({ rules, parent, block }: Subject): void {
  const { term, slot, composer, composingRound } = block.header;
  ensure(
    term === parent.term,
    'composer',
    'BLOCK_WRONG_TERM',
    () => `the block is of term ${term}, not ${parent.term}`,
  );
  ensure(
    slot === parent.slot,
    'composer',
    'BLOCK_WRONG_SLOT',
    () => `the block is of slot ${slot}, not ${parent.slot}`,
  );
  const entitled = proposerAt(electionListOf(rules, parent, block.parentCertificate), composingRound);
  ensure(composer === entitled, 'composer', 'BLOCK_WRONG_COMPOSER', () => {
    return `member ${composer} composed in round ${composingRound}, which is the turn of ${entitled}`;
  });
}
