import type { Proposal } from '../chain/types.ts';
import { blockBundle, type HeldValue, newestPrevoteBundle, roundOf, type Transition, verdictOn } from './state.ts';
import { announceBundle, castVote } from './votes.ts';

/**
 * Whether a peer with this lock may prevote the proposal's block: always for the locked block, for another one only with
 * a quorum of prevotes from the lock's round or a later one. `proposalFault` has checked that `polRound` is backed by them.
 */
export function lockAllows(locked: HeldValue | null, proposal: Pick<Proposal, 'blockHash' | 'polRound'>): boolean {
  return locked === null || locked.blockHash === proposal.blockHash || locked.round <= proposal.polRound;
}

/** Rule: a quorum of prevotes for a valid block in the current round, seen in time, locks it and precommits it. */
export function lockAndPrecommit(t: Transition): boolean {
  const { round, step, locked } = t.state;
  const bundle = blockBundle(roundOf(t, round), 'prevote');
  if (step !== 'prevote' || bundle === null || verdictOn(t, bundle.blockHash) !== 'valid') return false;
  const value = heldValue(t, round, bundle);
  // After a restart the lock may be in the log although the precommit is not.
  if (locked?.round !== round) t.effects.push({ type: 'persist', record: { type: 'lock', ...value } });
  t.state = { ...t.state, locked: value, valid: value };
  announceBundle(t, round, 'prevote');
  castVote(t, 'precommit', bundle.blockHash);
  return true;
}

/**
 * Rule: a quorum of prevotes for a valid block that comes too late to lock is still what this peer will propose. (The
 * paper adopts it in its own round only. Taking bundles of earlier rounds as well does not touch safety, since a valid
 * value is never prevoted for being one, and lets a resent bundle repair a loss.)
 */
export function adoptValidValue(t: Transition): boolean {
  const newest = newestPrevoteBundle(t.state);
  if (newest === null || newest.round > t.state.round) return false;
  if (newest.round === t.state.round && t.state.step !== 'precommit') return false;
  if (verdictOn(t, newest.bundle.blockHash) !== 'valid') return false;
  const value = heldValue(t, newest.round, newest.bundle);
  t.effects.push({ type: 'persist', record: { type: 'valid', ...value } });
  t.state = { ...t.state, valid: value };
  announceBundle(t, newest.round, 'prevote');
  return true;
}

function heldValue(
  t: Transition,
  round: number,
  bundle: { readonly blockHash: string; readonly votes: HeldValue['prevotes'] },
): HeldValue {
  const known = t.state.blocks.get(bundle.blockHash);
  if (known === undefined) throw new Error(`engine invariant: block ${bundle.blockHash} was judged but is not held`);
  return { round, block: known.block, blockHash: bundle.blockHash, prevotes: bundle.votes };
}

/** Rule: a quorum of nil prevotes settles the round: precommit nil. A lock stays. */
export function precommitNil(t: Transition): boolean {
  const quorum = roundOf(t, t.state.round).prevote.quorum;
  if (t.state.step !== 'prevote' || quorum === null || quorum.blockHash !== null) return false;
  castVote(t, 'precommit', null);
  return true;
}
