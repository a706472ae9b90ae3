import type { Hash, MemberRank, Vote } from '../chain/types.ts';

/** Exactly `quorum` votes of one type and round for one hash (null is nil), by distinct voters in ascending rank. */
export interface Bundle {
  readonly blockHash: Hash | null;
  readonly votes: readonly Vote[];
}

/** What a peer holds of one type of vote in one round: at most one vote per voter, and one bundle. */
export interface RoundVotes {
  /** The first vote of each voter, by rank. Later ones never replace it. */
  readonly byVoter: readonly (Vote | null)[];
  /** Number of voters heard of, whatever they voted for. */
  readonly total: number;
  /** Voters whose second, different vote has been reported. */
  readonly reported: readonly MemberRank[];
  /** The first bundle that was complete. Peers pass it on unchanged, so that all of them send the same bytes. */
  readonly quorum: Bundle | null;
}

export interface VoteConflict {
  readonly first: Vote;
  readonly second: Vote;
}

export function emptyRoundVotes(members: number): RoundVotes {
  return { byVoter: new Array<Vote | null>(members).fill(null), total: 0, reported: [], quorum: null };
}

/**
 * Finds `quorum` votes for one hash among votes of one type and round. Such a list proves its quorum by itself, even to
 * a peer who has counted another vote of a double voter before.
 */
export function findBundle(votes: readonly Vote[], quorum: number): Bundle | null {
  const byHash = new Map<Hash | null, Map<MemberRank, Vote>>();
  for (const vote of votes) {
    const voters = byHash.get(vote.blockHash) ?? new Map<MemberRank, Vote>();
    if (!voters.has(vote.voter)) voters.set(vote.voter, vote);
    byHash.set(vote.blockHash, voters);
    if (voters.size === quorum) {
      return { blockHash: vote.blockHash, votes: [...voters.values()].sort((a, b) => a.voter - b.voter) };
    }
  }
  return null;
}

/**
 * Counts votes of one type and round. Of a voter's votes the first one counts; a second one for another hash is a
 * conflict, reported once; one for the same hash is ignored.
 */
export function addVotes(
  held: RoundVotes,
  votes: readonly Vote[],
  quorum: number,
): { readonly held: RoundVotes; readonly conflicts: readonly VoteConflict[] } {
  const byVoter = [...held.byVoter];
  const reported = [...held.reported];
  const conflicts: VoteConflict[] = [];
  let total = held.total;
  let complete = held.quorum ?? findBundle(votes, quorum);
  for (const vote of votes) {
    const first = byVoter[vote.voter];
    if (first === null) {
      byVoter[vote.voter] = vote;
      total += 1;
      complete ??= findBundle(
        byVoter.filter((other) => other !== null && other.blockHash === vote.blockHash) as Vote[],
        quorum,
      );
    } else if (first !== undefined && first.blockHash !== vote.blockHash && !reported.includes(vote.voter)) {
      reported.push(vote.voter);
      conflicts.push({ first, second: vote });
    }
  }
  return { held: { byVoter, total, reported, quorum: complete }, conflicts };
}
