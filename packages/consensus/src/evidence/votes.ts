import { SignedDataError } from '../chain/errors.ts';
import type { EvidenceItem } from '../chain/types.ts';
import { verifyVoteSignature } from '../chain/votes.ts';
import { type Assessment, type Hearing, isInWindow, proven, unproven } from './finding.ts';

/** Two votes of one member, height, round and type for different hashes (nil is one). */
export function assessVotes(hearing: Hearing, { first, second }: Extract<EvidenceItem, { type: 'votes' }>): Assessment {
  const { voter, height, round, type } = first;
  if (!isInWindow(hearing, height)) return unproven('EVIDENCE_OUT_OF_WINDOW', `it concerns height ${height}`);
  const onePlace = second.voter === voter && second.height === height && second.round === round && second.type === type;
  if (!onePlace || first.blockHash === second.blockHash) {
    return unproven('EVIDENCE_NO_CONFLICT', 'the votes are of different places, or for the same block');
  }
  try {
    verifyVoteSignature(hearing.rules, first);
    verifyVoteSignature(hearing.rules, second);
  } catch (error) {
    if (!(error instanceof SignedDataError)) throw error;
    return unproven('EVIDENCE_BAD_SIGNATURE', error.message);
  }
  return proven({ kind: 'offence', member: voter, key: `${type}s/${voter}/${height}/${round}`, term: null });
}
