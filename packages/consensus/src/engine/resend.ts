import type { Vote } from '../chain/types.ts';
import { roundOf, type Transition, wantedBlocks } from './state.ts';

/**
 * Sends again what others may have lost and cannot go on without: the own proposal; own votes of this round and of the
 * last one before it in which this peer voted; the prevotes behind the lock and the valid value. Asks again for blocks.
 */
export function resend(t: Transition): void {
  const { state, context } = t;
  const current = roundOf(t, state.round);
  const proposed = current.proposal;
  const block = proposed === null ? undefined : state.blocks.get(proposed.proposal.blockHash)?.block;
  if (proposed !== null && block !== undefined && proposed.proposal.proposer === context.self) {
    t.effects.push({ type: 'broadcast-proposal', proposal: proposed.proposal, block, polVotes: proposed.polVotes });
  }
  const own = [...ownVotes(t, state.round), ...lastVotesBefore(t, state.round)];
  if (own.length > 0) t.effects.push({ type: 'broadcast-votes', votes: own });
  if (state.locked !== null) t.effects.push({ type: 'broadcast-votes', votes: state.locked.prevotes });
  if (state.valid !== null && state.valid.round !== state.locked?.round) {
    t.effects.push({ type: 'broadcast-votes', votes: state.valid.prevotes });
  }
  for (const blockHash of wantedBlocks(state)) t.effects.push({ type: 'fetch-block', blockHash });
}

/** This peer's own votes of a round. */
export function ownVotes(t: Transition, round: number): readonly Vote[] {
  const { self } = t.context;
  if (self === null) return [];
  const held = roundOf(t, round);
  return [held.prevote.byVoter[self], held.precommit.byVoter[self]].filter(
    (vote) => vote !== null && vote !== undefined,
  );
}

function lastVotesBefore(t: Transition, round: number): readonly Vote[] {
  const earlier = [...t.state.rounds.keys()].filter((other) => other < round && ownVotes(t, other).length > 0);
  return earlier.length === 0 ? [] : ownVotes(t, Math.max(...earlier));
}
