/**
 * Agreement on one block per height (protocol section 4), after Buchman, Kwon and Milosevic (2018), as a pure state
 * machine: `step(context, state, event)` returns the next state and the effects that the peer carries out. No socket,
 * timer, disk, clock or random source; what the peer holds of a height is in `EngineState`.
 *
 * Guarantees, for `n` members, quorum `q` and `b` Byzantine ones:
 * - no two honest peers decide different blocks of a height while `b < 2q - n`;
 * - an honest peer signs at most one proposal per round and one vote per round and type, also after a crash at any
 *   point, if every `persist` is durable before any other effect of its step and `restoreHeight` gets the log;
 * - the height decides once messages arrive in time, `b <= n - q`, and there is a reason to run it.
 *
 * Deviations from the paper:
 * - Votes for a block go to the round's proposer, who returns the bundle; a voter left without a bundle broadcasts.
 * - `q` votes for one hash in one message prove a quorum even where the peer had counted another vote of a double voter.
 * - A quorum of prevotes of any past round gives a valid value, not only one of the current round.
 * - Members that have left a round count among those whose votes in it a peer need not wait for.
 * - The jump to a higher round counts members at or above it; single messages more than `ROUND_WINDOW` rounds away only
 *   count for the jump.
 * - Round 0 waits for a reason to start. A block may be deferred, which is neither acceptance nor refusal.
 *
 * Persists: proposals, votes, locks and valid values, as `LogRecord`s; of one step all records come first.
 * Fails: `EngineError` from `restoreHeight` on a log that this peer cannot have written. `step` does not fail; what breaks
 * a rule is dropped, and two signed messages that contradict each other are reported by a `conflict` effect.
 *
 * The caller has checked every signature and beacon share, that a block has the hash it comes under (a proposal's
 * `blockHash` included), and the form of votes.
 */
export { startHeight, step } from './engine.ts';
export { EngineError } from './errors.ts';
export { restoreHeight } from './restore.ts';
export { type EngineState, type HeldValue, heldBlock, ROUND_WINDOW, type Step } from './state.ts';
export type * from './types.ts';
