import type { Vote, VoteType } from '../chain/types.ts';
import { roundOf, type Transition, updateRound } from './state.ts';
import type { Timer } from './types.ts';

/** Schedules a timeout of the current round: `base + round * step`. */
export function scheduleRoundTimer(t: Transition, name: 'propose' | VoteType): void {
  const { timeouts, height } = t.context;
  const base = { propose: timeouts.proposeMs, prevote: timeouts.prevoteMs, precommit: timeouts.precommitMs }[name];
  const round = t.state.round;
  t.effects.push({ type: 'schedule', timer: { name, height, round }, delayMs: base + round * timeouts.stepMs });
}

/** Schedules the end of this voter's patience with the proposer that collects its vote. */
export function scheduleCollect(t: Transition, vote: Vote): void {
  const timer: Timer = { name: `collect-${vote.type}`, height: vote.height, round: vote.round };
  t.effects.push({ type: 'schedule', timer, delayMs: t.context.timeouts.collectMs });
}

/** Starts the height's one chain of resend timers; their round is always 0. */
export function scheduleResend(t: Transition): void {
  if (t.state.resending) return;
  t.state = { ...t.state, resending: true };
  const timer: Timer = { name: 'resend', height: t.context.height, round: 0 };
  t.effects.push({ type: 'schedule', timer, delayMs: t.context.timeouts.resendMs });
}

/** Rule: a quorum of votes of any kind bounds how long this peer waits for the rest of the round. */
export function boundTheWait(t: Transition): boolean {
  const held = roundOf(t, t.state.round);
  const due = (type: VoteType): boolean => held[type].total >= t.context.quorum && !held.timed.includes(type);
  const type = t.state.step === 'prevote' && due('prevote') ? 'prevote' : due('precommit') ? 'precommit' : null;
  if (type === null) return false;
  updateRound(t, t.state.round, { timed: [...held.timed, type] });
  scheduleRoundTimer(t, type);
  return true;
}
