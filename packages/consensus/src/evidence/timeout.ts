import { SignedDataError } from '../chain/errors.ts';
import type { EvidenceItem, Vote } from '../chain/types.ts';
import { verifyVoteSignature } from '../chain/votes.ts';
import { electionListOf, proposerAt } from '../election/index.ts';
import { type Assessment, type Hearing, isInWindow, proven, unproven } from './finding.ts';

type Timeout = Extract<EvidenceItem, { type: 'timeout' }>;

/** The certificate that `q` nil prevotes of one height and round make; the votes in any order, more than `q` are cut. */
export function timeoutOf(votes: readonly Vote[]): Timeout {
  const [{ height, round }] = votes as readonly [Vote, ...Vote[]];
  return {
    type: 'timeout',
    height,
    round,
    votes: [...votes]
      .sort((a, b) => a.voter - b.voter)
      .map(({ voter, timestampMs, signature }) => ({ voter, timestampMs, signature })),
  };
}

/**
 * `q` nil prevotes of one height and round: the round's proposer made no proposal that enough members found acceptable in
 * time. They do not say why. Who that was follows from the state before that height.
 */
export function assessTimeout(hearing: Hearing, { height, round, votes }: Timeout): Assessment {
  const { rules, history } = hearing;
  if (!isInWindow(hearing, height)) return unproven('EVIDENCE_OUT_OF_WINDOW', `it concerns height ${height}`);
  const ascending = votes.every(({ voter }, k) => k === 0 || voter > (votes[k - 1]?.voter ?? -1));
  if (votes.length !== rules.genesis.quorum || !ascending) {
    const needed = `${rules.genesis.quorum} members in ascending rank`;
    return unproven('EVIDENCE_NO_QUORUM', `a timeout certificate needs the nil prevotes of ${needed}`);
  }
  for (const { voter, timestampMs, signature } of votes) {
    const vote: Vote = {
      type: 'prevote',
      height,
      round,
      blockHash: null,
      timestampMs,
      extension: null,
      voter,
      signature,
    };
    try {
      verifyVoteSignature(rules, vote);
    } catch (error) {
      if (!(error instanceof SignedDataError)) throw error;
      return unproven('EVIDENCE_BAD_SIGNATURE', error.message);
    }
  }
  const before = history.at(height - 1);
  const member = proposerAt(electionListOf(rules, before.state, before.certificate), round);
  const { term } = before.state;
  return proven({ kind: 'refusal', member, key: `refusal/${term}/${member}`, term });
}
