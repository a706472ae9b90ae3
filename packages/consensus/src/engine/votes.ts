import type { Hash, Vote, VoteType } from '../chain/types.ts';
import { addVotes, findBundle } from './round-votes.ts';
import { isInWindow, noteRound } from './rounds.ts';
import { blockBundle, roundOf, type Transition, updateRound } from './state.ts';
import { scheduleCollect } from './timers.ts';

/**
 * Counts votes from anywhere. Votes of another height or of no member are dropped. Outside of the window of rounds only
 * a complete bundle that can still matter is taken: precommits for a block decide whatever their round is, prevotes for
 * a block may give a newer valid value.
 */
export function receiveVotes(t: Transition, votes: readonly Vote[]): void {
  const groups = new Map<string, Vote[]>();
  for (const vote of votes) {
    const isMember = Number.isSafeInteger(vote.voter) && vote.voter >= 0 && vote.voter < t.context.members;
    const isRound = Number.isSafeInteger(vote.round) && vote.round >= 0;
    if (vote.height !== t.context.height || !isMember || !isRound) continue;
    noteRound(t, vote.voter, vote.round);
    const key = `${vote.type}/${vote.round}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [vote]);
    else group.push(vote);
  }
  for (const group of groups.values()) countGroup(t, group);
}

function countGroup(t: Transition, group: readonly Vote[]): void {
  const { type, round } = group[0] as Vote;
  if (!isInWindow(t, round)) {
    const bundle = findBundle(group, t.context.quorum);
    const matters =
      bundle !== null && bundle.blockHash !== null && (type === 'precommit' || round > (t.state.valid?.round ?? -1));
    if (!matters) return;
  }
  const before = roundOf(t, round)[type];
  const { held, conflicts } = addVotes(before, group, t.context.quorum);
  updateRound(t, round, { [type]: held });
  if (type === 'prevote' && before.quorum === null && held.quorum !== null && held.quorum.blockHash === null)
    t.effects.push({ type: 'timed-out', votes: held.quorum.votes });
  for (const { first, second } of conflicts) t.effects.push({ type: 'conflict', first, second });
  if (type === 'precommit' && t.state.commit === null) {
    const bundle = blockBundle(roundOf(t, round), 'precommit');
    if (bundle !== null) t.state = { ...t.state, commit: { height: t.context.height, round, ...bundle } };
  }
}

/**
 * Signs this peer's vote of the current round and moves to the vote's step. A vote of this round and type that the
 * peer already knows as its own stands: nothing is signed a second time.
 */
export function castVote(t: Transition, type: VoteType, blockHash: Hash | null): void {
  const { self, height } = t.context;
  const round = t.state.round;
  t.state = { ...t.state, step: type };
  if (self === null || roundOf(t, round)[type].byVoter[self] !== null) return;
  const block = blockHash === null ? undefined : t.state.blocks.get(blockHash)?.block;
  const extension =
    type === 'precommit' && block !== undefined && blockHash !== null ? t.context.extend(block, blockHash) : null;
  const vote = t.context.signVote({ type, height, round, blockHash, timestampMs: t.nowMs, extension });
  t.effects.push({ type: 'persist', record: { type: 'vote', vote } });
  receiveVotes(t, [vote]);
  routeVote(t, vote);
}

/** A nil vote goes to everybody; a vote for a block to the round's proposer, who owes a bundle in return. */
function routeVote(t: Transition, vote: Vote): void {
  if (vote.blockHash === null) {
    t.effects.push({ type: 'broadcast-votes', votes: [vote] });
    return;
  }
  const proposer = t.context.proposer(vote.round);
  if (proposer !== t.context.self) t.effects.push({ type: 'send-vote', to: proposer, vote });
  scheduleCollect(t, vote);
}

/** Broadcasts the round's bundle for a block, once. */
export function announceBundle(t: Transition, round: number, type: VoteType): boolean {
  const held = roundOf(t, round);
  const bundle = blockBundle(held, type);
  if (bundle === null || held.announced.includes(type)) return false;
  t.effects.push({ type: 'broadcast-votes', votes: bundle.votes });
  updateRound(t, round, { announced: [...held.announced, type] });
  return true;
}

/** Rule: the proposer broadcasts what it collected, for whichever of its rounds it becomes complete. */
export function announceCollected(t: Transition): boolean {
  for (const round of t.state.rounds.keys()) {
    if (t.context.proposer(round) !== t.context.self) continue;
    if (announceBundle(t, round, 'prevote') || announceBundle(t, round, 'precommit')) return true;
  }
  return false;
}
