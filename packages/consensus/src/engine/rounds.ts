import type { Hash, MemberRank } from '../chain/types.ts';
import { type EngineState, faultBound, newestPrevoteBundle, ROUND_WINDOW, type Transition } from './state.ts';

/** Remembers the highest round that a member has sent a message of. */
export function noteRound(t: Transition, member: MemberRank, round: number): void {
  if (round <= (t.state.highestRounds[member] as number)) return;
  t.state = { ...t.state, highestRounds: t.state.highestRounds.with(member, round) };
}

/**
 * The highest round that `f + 1` members have reached, one of them honest, if it is above the current one. (The paper
 * asks for `f + 1` messages of the same round; counting higher ones too needs less memory and catches up sooner.)
 */
export function jumpTarget(t: Transition): number | null {
  const reached = [...t.state.highestRounds].sort((a, b) => b - a)[faultBound(t.context)] as number;
  return reached > t.state.round ? reached : null;
}

/** Rounds near the current one, or near the one that the messages held make this peer jump to. */
export function isInWindow(t: Transition, round: number): boolean {
  const horizon = Math.max(t.state.round, jumpTarget(t) ?? 0);
  return round >= t.state.round - ROUND_WINDOW && round <= horizon + ROUND_WINDOW;
}

/** Drops what rounds left behind can no longer contribute, so that memory does not grow with the number of rounds. */
export function prune(state: EngineState): EngineState {
  const newest = newestPrevoteBundle(state)?.round;
  const rounds = new Map(
    [...state.rounds].filter(([round]) => round >= state.round - ROUND_WINDOW || round === newest),
  );
  const needed = new Set<Hash | null | undefined>([
    state.locked?.blockHash,
    state.valid?.blockHash,
    state.commit?.blockHash,
  ]);
  for (const [round, held] of rounds) {
    // Of the rounds left behind, late votes concern the last one; an older block is fetched in the rare case of need.
    if (round >= state.round - 1) needed.add(held.proposal?.proposal.blockHash);
    if (round > (state.valid?.round ?? -1)) needed.add(held.prevote.quorum?.blockHash);
  }
  return { ...state, rounds, blocks: new Map([...state.blocks].filter(([hash]) => needed.has(hash))) };
}
