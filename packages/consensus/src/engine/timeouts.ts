import type { VoteType } from '../chain/types.ts';
import { prevoteOnProposal } from './proposals.ts';
import { resend } from './resend.ts';
import { enterRound } from './round-change.ts';
import { roundOf, type Transition } from './state.ts';
import { scheduleResend } from './timers.ts';
import type { Timer } from './types.ts';
import { castVote } from './votes.ts';

/** A timer that ran out. One of another height, round or step is stale and does nothing. */
export function receiveTimer(t: Transition, timer: Timer): void {
  const { self, height } = t.context;
  const { step, round } = t.state;
  if (timer.height !== height) return;
  if (timer.name === 'resend') {
    t.state = { ...t.state, resending: false };
    scheduleResend(t);
    resend(t);
    return;
  }
  if (timer.round !== round || self === null) return;
  if (timer.name === 'propose' && step === 'propose') {
    // After a restart the timer may come before any rule has seen the proposal.
    if (!prevoteOnProposal(t)) castVote(t, 'prevote', null);
  } else if (timer.name === 'prevote' && step === 'prevote') castVote(t, 'precommit', null);
  else if (timer.name === 'precommit') enterRound(t, round + 1);
  else if (timer.name === 'collect-prevote') broadcastUncollected(t, 'prevote');
  else if (timer.name === 'collect-precommit') broadcastUncollected(t, 'precommit');
}

function broadcastUncollected(t: Transition, type: VoteType): void {
  const held = roundOf(t, t.state.round)[type];
  const own = t.context.self === null ? null : held.byVoter[t.context.self];
  if (own !== null && own !== undefined && held.quorum === null)
    t.effects.push({ type: 'broadcast-votes', votes: [own] });
}
