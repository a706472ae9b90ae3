import { SignedDataError } from '../chain/errors.ts';
import type { EvidenceItem } from '../chain/types.ts';
import { verifyProposalSignature } from '../chain/votes.ts';
import { type Assessment, type Hearing, isInWindow, proven, unproven } from './finding.ts';

/** Two proposals of one member, height and round for different blocks. */
export function assessProposals(
  hearing: Hearing,
  { first, second }: Extract<EvidenceItem, { type: 'proposals' }>,
): Assessment {
  const { proposer, height, round } = first;
  if (!isInWindow(hearing, height)) return unproven('EVIDENCE_OUT_OF_WINDOW', `it concerns height ${height}`);
  const onePlace = second.proposer === proposer && second.height === height && second.round === round;
  if (!onePlace || first.blockHash === second.blockHash) {
    return unproven('EVIDENCE_NO_CONFLICT', 'the proposals are of different places, or of the same block');
  }
  try {
    verifyProposalSignature(hearing.rules, first);
    verifyProposalSignature(hearing.rules, second);
  } catch (error) {
    if (!(error instanceof SignedDataError)) throw error;
    return unproven('EVIDENCE_BAD_SIGNATURE', error.message);
  }
  return proven({ kind: 'offence', member: proposer, key: `proposals/${proposer}/${height}/${round}`, term: null });
}
