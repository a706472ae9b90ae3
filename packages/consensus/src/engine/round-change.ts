import { askToCompose } from './proposals.ts';
import { jumpTarget, prune } from './rounds.ts';
import { faultBound, type Transition } from './state.ts';
import { scheduleResend, scheduleRoundTimer } from './timers.ts';

/** Rule: `f + 1` members are in a higher round. */
export function jumpAhead(t: Transition): boolean {
  const target = jumpTarget(t);
  if (target === null) return false;
  enterRound(t, target);
  return true;
}

/** Rule: a proposal, or votes of `f + 1` members, are a reason to start the timers of an idle height. */
export function beginOnMessages(t: Transition): boolean {
  if (t.state.started) return false;
  const heard = t.state.highestRounds.filter((round) => round >= 0).length;
  const proposed = [...t.state.rounds.values()].some((round) => round.proposal !== null);
  if (heard <= faultBound(t.context) && !proposed) return false;
  begin(t);
  return true;
}

export function begin(t: Transition): void {
  if (t.state.started || t.context.self === null) return;
  t.state = { ...t.state, started: true };
  scheduleRoundTimer(t, 'propose');
  scheduleResend(t);
}

/** Starts a later round: its proposer is asked for a block unless it has a valid value to propose again. */
export function enterRound(t: Transition, round: number): void {
  t.state = prune({ ...t.state, round, step: 'propose', composing: false });
  if (t.context.self === null) return;
  t.state = { ...t.state, started: true };
  scheduleRoundTimer(t, 'propose');
  scheduleResend(t);
  askToCompose(t);
}
