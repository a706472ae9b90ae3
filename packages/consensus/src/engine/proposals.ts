import type { Block, Hash, Proposal, Vote } from '../chain/types.ts';
import { lockAllows } from './locking.ts';
import { findBundle } from './round-votes.ts';
import { isInWindow, noteRound } from './rounds.ts';
import { type HeldValue, keepBlock, roundOf, type Transition, updateRound, verdictOn, wantedBlocks } from './state.ts';
import type { HeightContext } from './types.ts';
import { castVote, receiveVotes } from './votes.ts';

export type ProposalFault = 'height' | 'round' | 'proposer' | 'composing-round' | 'composer' | 'pol-votes';

/**
 * Why a proposal is not acceptable in form, or null (protocol section 4). A fresh block is composed in the proposal's
 * round by its proposer. A block proposed again was composed in an earlier round by that round's proposer, and the
 * quorum of prevotes that it got in `polRound` travels with it.
 */
export function proposalFault(
  context: HeightContext,
  proposal: Proposal,
  block: Block,
  polVotes: readonly Vote[],
): ProposalFault | null {
  const { round, polRound } = proposal;
  const { composer, composingRound } = block.header;
  if (proposal.height !== context.height || block.header.height !== context.height) return 'height';
  if (!Number.isSafeInteger(round) || !Number.isSafeInteger(polRound) || polRound < -1 || polRound >= round)
    return 'round';
  if (proposal.proposer !== context.proposer(round)) return 'proposer';
  if (!Number.isSafeInteger(composingRound) || composingRound < 0) return 'composing-round';
  if (polRound === -1 ? composingRound !== round : composingRound > polRound) return 'composing-round';
  if (composer !== context.proposer(composingRound)) return 'composer';
  return polRound === -1 || isProofOfLock(context, proposal, polVotes) ? null : 'pol-votes';
}

function isProofOfLock(context: HeightContext, proposal: Proposal, votes: readonly Vote[]): boolean {
  const matching = votes.filter(
    (vote) =>
      vote.type === 'prevote' &&
      vote.height === context.height &&
      vote.round === proposal.polRound &&
      vote.blockHash === proposal.blockHash &&
      vote.voter >= 0 &&
      vote.voter < context.members,
  );
  return findBundle(matching, context.quorum) !== null;
}

/** Takes the first acceptable proposal of a round near the current one; a second, different one is a conflict. */
export function receiveProposal(t: Transition, proposal: Proposal, block: Block, polVotes: readonly Vote[]): void {
  if (proposalFault(t.context, proposal, block, polVotes) !== null) return;
  const { round, blockHash } = proposal;
  noteRound(t, proposal.proposer, round);
  if (wantedBlocks(t.state).includes(blockHash)) keepBlock(t, blockHash, block);
  if (!isInWindow(t, round)) return;
  const held = roundOf(t, round);
  if (held.proposal === null) {
    updateRound(t, round, { proposal: { proposal, polVotes } });
    if (round >= t.state.round - 1) keepBlock(t, blockHash, block);
    receiveVotes(t, polVotes);
  } else if (held.proposal.proposal.blockHash !== blockHash && !held.proposalConflictReported) {
    updateRound(t, round, { proposalConflictReported: true });
    t.effects.push({ type: 'conflict', first: held.proposal.proposal, second: proposal });
  }
}

/** True while this peer can still propose in the current round. */
function isOwnTurn(t: Transition): boolean {
  const { context, state } = t;
  const isProposer = context.self !== null && context.proposer(state.round) === context.self;
  return isProposer && state.step === 'propose' && roundOf(t, state.round).proposal === null;
}

/** Asks the peer for a block if it is its turn, it has no valid value to propose again, and it is not being asked. */
export function askToCompose(t: Transition): void {
  if (!isOwnTurn(t) || t.state.valid !== null || t.state.composing) return;
  t.state = { ...t.state, composing: true };
  t.effects.push({ type: 'compose', round: t.state.round });
}

/** The peer's answer. Only a block that this peer would vote for itself is proposed. */
export function receiveComposed(t: Transition, round: number, block: Block | null, blockHash: Hash | null): void {
  if (round !== t.state.round) return;
  t.state = { ...t.state, composing: false };
  if (block === null || blockHash === null || !isOwnTurn(t)) return;
  const { height, composer, composingRound } = block.header;
  if (height !== t.context.height || composer !== t.context.self || composingRound !== round) return;
  // Judged before it is held: blocks that are not proposed must not pile up.
  if (t.context.judge(block, blockHash) === 'valid') propose(t, block, blockHash, null);
}

/** Rule: the proposer of a later round proposes its valid value again, with the prevotes that made it valid. */
export function proposeAgain(t: Transition): boolean {
  const { valid, round } = t.state;
  if (valid === null || valid.round >= round || !isOwnTurn(t)) return false;
  propose(t, valid.block, valid.blockHash, valid);
  return true;
}

function propose(t: Transition, block: Block, blockHash: Hash, valid: HeldValue | null): void {
  const polVotes = valid?.prevotes ?? [];
  const proposal = t.context.signProposal({
    height: t.context.height,
    round: t.state.round,
    blockHash,
    polRound: valid?.round ?? -1,
  });
  t.effects.push({ type: 'persist', record: { type: 'proposal', proposal, block, polVotes } });
  t.effects.push({ type: 'broadcast-proposal', proposal, block, polVotes });
  receiveProposal(t, proposal, block, polVotes);
}

/**
 * Rule: prevote on the current round's proposal, once this peer has judged the block. While it defers, it neither
 * accepts nor refuses; the propose timer ends that.
 */
export function prevoteOnProposal(t: Transition): boolean {
  const proposal = roundOf(t, t.state.round).proposal?.proposal;
  if (t.state.step !== 'propose' || proposal === undefined) return false;
  const verdict = verdictOn(t, proposal.blockHash);
  if (verdict === null || verdict === 'defer') return false;
  const accepts = verdict === 'valid' && lockAllows(t.state.locked, proposal);
  castVote(t, 'prevote', accepts ? proposal.blockHash : null);
  return true;
}
