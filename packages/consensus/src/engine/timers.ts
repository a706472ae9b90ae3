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

/**
 * Rule: once a quorum has voted in the round, whatever for, or has left it behind, this peer waits no longer than the
 * timeout for the rest. (The paper counts votes of the round only and relies on every message being passed on. Here a
 * member that jumped over a round has no votes in it to resend, and a restarted one does not know the votes that let it
 * leave; counting who has left keeps the honest members from being parted between two rounds for good.)
 */
export function boundTheWait(t: Transition): boolean {
  const { round, step, highestRounds } = t.state;
  const held = roundOf(t, round);
  const isDue = (type: VoteType): boolean => {
    const done = highestRounds.filter((highest, voter) => highest > round || held[type].byVoter[voter] !== null).length;
    return done >= t.context.quorum && !held.timed.includes(type);
  };
  const type = step === 'prevote' && isDue('prevote') ? 'prevote' : isDue('precommit') ? 'precommit' : null;
  if (type === null) return false;
  updateRound(t, round, { timed: [...held.timed, type] });
  scheduleRoundTimer(t, type);
  return true;
}
