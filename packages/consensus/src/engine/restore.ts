import type { Vote } from '../chain/types.ts';
import { EngineError } from './errors.ts';
import { proposalFault, receiveProposal } from './proposals.ts';
import { ownVotes, resend } from './resend.ts';
import { type EngineState, emptyState, type HeldValue, keepBlock, roundOf, type Transition } from './state.ts';
import { scheduleCollect, scheduleResend, scheduleRoundTimer } from './timers.ts';
import type { EngineEffect, HeightContext, LogRecord } from './types.ts';
import { receiveVotes } from './votes.ts';

/**
 * Rebuilds a height from this peer's log, in the order in which it was written. The effects send the stored bytes again
 * and restart the timers; nothing is signed here, and later nothing that conflicts with a record. An empty log gives the
 * state of `startHeight` and no effects.
 *
 * @throws EngineError `ENGINE_LOG_INCONSISTENT` if the records are not one peer's of this height.
 */
export function restoreHeight(
  context: HeightContext,
  records: readonly LogRecord[],
): { readonly state: EngineState; readonly effects: readonly EngineEffect[] } {
  const t: Transition = { context, nowMs: 0, state: emptyState(context), effects: [] };
  if (records.length === 0) return { state: t.state, effects: [] };
  t.state = { ...t.state, started: true, round: Math.max(...records.map(roundOfRecord)) };
  records.forEach((record, index) => {
    const reason = inconsistency(t, record) ?? restoreRecord(t, record);
    if (reason !== null)
      throw new EngineError('ENGINE_LOG_INCONSISTENT', { height: context.height, recordIndex: index, reason });
  });
  const own = ownVotes(t, t.state.round);
  const last = own.at(-1);
  t.state = { ...t.state, step: last?.type ?? 'propose' };
  if (last === undefined) scheduleRoundTimer(t, 'propose');
  for (const vote of own) if (vote.blockHash !== null) scheduleCollect(t, vote);
  scheduleResend(t);
  resend(t);
  return { state: t.state, effects: t.effects };
}

function roundOfRecord(record: LogRecord): number {
  if (record.type === 'proposal') return record.proposal.round;
  return record.type === 'vote' ? record.vote.round : record.round;
}

/** Why a record cannot be the next one of this peer's log; null if it can. */
function inconsistency(t: Transition, record: LogRecord): string | null {
  const { self, height } = t.context;
  switch (record.type) {
    case 'vote': {
      const { vote } = record;
      if (vote.height !== height || vote.voter !== self) return 'is a vote of another height or member';
      const earlier = roundOf(t, vote.round)[vote.type].byVoter[vote.voter];
      if (earlier !== null && earlier?.blockHash !== vote.blockHash)
        return `contradicts an earlier ${vote.type} of round ${vote.round}`;
      return isUnlockedPrecommit(t.state.locked, vote)
        ? 'is a precommit for a block without the lock that belongs before it'
        : null;
    }
    case 'proposal': {
      const { proposal } = record;
      if (proposal.height !== height || proposal.proposer !== self) return 'is a proposal of another height or member';
      if (proposalFault(t.context, proposal, record.block, record.polVotes) !== null)
        return 'is a proposal that breaks the rules';
      const earlier = roundOf(t, proposal.round).proposal?.proposal;
      return earlier !== undefined && earlier.blockHash !== proposal.blockHash
        ? `contradicts an earlier proposal of round ${proposal.round}`
        : null;
    }
    case 'lock':
    case 'valid':
      return record.block.header.height === height ? null : `is a ${record.type} record of another height`;
  }
}

function isUnlockedPrecommit(locked: HeldValue | null, vote: Vote): boolean {
  if (vote.type !== 'precommit' || vote.blockHash === null) return false;
  return locked === null || locked.round !== vote.round || locked.blockHash !== vote.blockHash;
}

function restoreRecord(t: Transition, record: LogRecord): null {
  if (record.type === 'vote') receiveVotes(t, [record.vote]);
  else if (record.type === 'proposal') receiveProposal(t, record.proposal, record.block, record.polVotes);
  else {
    const { round, block, blockHash, prevotes } = record;
    const value: HeldValue = { round, block, blockHash, prevotes };
    keepBlock(t, blockHash, block);
    receiveVotes(t, prevotes);
    const isNewer = round >= (t.state.valid?.round ?? -1);
    t.state = {
      ...t.state,
      locked: record.type === 'lock' ? value : t.state.locked,
      valid: isNewer ? value : t.state.valid,
    };
  }
  return null;
}
