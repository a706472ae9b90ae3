import { decide, fetchMissing, receiveBlock, reconsiderBlocks } from './decision.ts';
import { adoptValidValue, lockAndPrecommit, precommitNil } from './locking.ts';
import { askToCompose, prevoteOnProposal, proposeAgain, receiveComposed, receiveProposal } from './proposals.ts';
import { begin, beginOnMessages, jumpAhead } from './round-change.ts';
import { type EngineState, emptyState, type Transition } from './state.ts';
import { receiveTimer } from './timeouts.ts';
import { boundTheWait } from './timers.ts';
import type { EngineEffect, EngineEvent, HeightContext } from './types.ts';
import { announceCollected, receiveVotes } from './votes.ts';

/** Does what it stands for if its condition holds, and tells whether it did. */
type Rule = (t: Transition) => boolean;

/** In order of precedence; after each one that fires the list is read from its head again. */
const VOTER_RULES: readonly Rule[] = [
  decide,
  jumpAhead,
  beginOnMessages,
  lockAndPrecommit,
  adoptValidValue,
  proposeAgain,
  prevoteOnProposal,
  precommitNil,
  announceCollected,
  boundTheWait,
  fetchMissing,
];

/** A follower watches for a decision and signs nothing. */
const FOLLOWER_RULES: readonly Rule[] = [decide, jumpAhead, fetchMissing];

/** The state of a height of which nothing has happened yet. Nothing is scheduled: an idle chain makes no rounds. */
export function startHeight(context: HeightContext): EngineState {
  return emptyState(context);
}

/**
 * One event. Pure: `state` is left as it is, and equal arguments give equal results as long as `context.judge` answers
 * the same. The effects hold everything to persist first, then everything else in order.
 * After the decision nothing changes any more.
 */
export function step(
  context: HeightContext,
  state: EngineState,
  event: EngineEvent,
): { readonly state: EngineState; readonly effects: readonly EngineEffect[] } {
  if (state.decision !== null) return { state, effects: [] };
  const t: Transition = { context, nowMs: event.nowMs, state, effects: [] };
  receive(t, event);
  const rules = context.self === null ? FOLLOWER_RULES : VOTER_RULES;
  while (t.state.decision === null && rules.some((rule) => rule(t)));
  return { state: t.state, effects: persistFirst(t.effects) };
}

function receive(t: Transition, event: EngineEvent): void {
  switch (event.type) {
    case 'block-wanted':
      begin(t);
      break;
    case 'can-compose':
      askToCompose(t);
      break;
    case 'composed':
      receiveComposed(t, event.round, event.block, event.blockHash);
      break;
    case 'proposal':
      receiveProposal(t, event.proposal, event.block, event.polVotes);
      break;
    case 'votes':
      receiveVotes(t, event.votes);
      break;
    case 'block':
      receiveBlock(t, event.block, event.blockHash);
      break;
    case 'reconsider':
      reconsiderBlocks(t);
      break;
    case 'timer':
      receiveTimer(t, event.timer);
      break;
  }
}

/** One write to the log per step, and nothing leaves before it: every message of the step may depend on its records. */
function persistFirst(effects: readonly EngineEffect[]): readonly EngineEffect[] {
  const isRecord = (effect: EngineEffect): boolean => effect.type === 'persist';
  return [...effects.filter(isRecord), ...effects.filter((effect) => !isRecord(effect))];
}
