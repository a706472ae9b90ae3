import type { EvidenceItem } from '../chain/types.ts';
import { assessContributions } from './contributions.ts';
import { type Assessment, type Hearing, unproven } from './finding.ts';
import { assessInvalidBlock } from './invalid-block.ts';
import { assessProposals } from './proposals.ts';
import { assessTimeout } from './timeout.ts';
import { assessVotes } from './votes.ts';

/** What an item proves in the block after the hearing's parent, and whether that has been punished already. */
export function assessEvidence(hearing: Hearing, item: EvidenceItem): Assessment {
  const assessment = assess(hearing, item);
  if (!assessment.ok) return assessment;
  const { key } = assessment.finding;
  const isPunished = hearing.parent.discipline.punished.some((one) => one.key === key);
  return isPunished ? unproven('EVIDENCE_PUNISHED', `${key} has had its consequence`) : assessment;
}

function assess(hearing: Hearing, item: EvidenceItem): Assessment {
  switch (item.type) {
    case 'timeout':
      return assessTimeout(hearing, item);
    case 'votes':
      return assessVotes(hearing, item);
    case 'proposals':
      return assessProposals(hearing, item);
    case 'contributions':
      return assessContributions(hearing, item);
    case 'invalid-block':
      return assessInvalidBlock(hearing, item);
    case 'omitted':
      return unproven('EVIDENCE_OMITTED', 'only the hash of an item is here');
  }
}
