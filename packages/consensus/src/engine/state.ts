import type { Block, Certificate, Hash, Proposal, Vote, VoteType } from '../chain/types.ts';
import { type Bundle, emptyRoundVotes, type RoundVotes } from './round-votes.ts';
import type { EngineEffect, HeightContext } from './types.ts';

/**
 * How many rounds before and after the current one a peer keeps single votes and proposals of. Beyond it only complete
 * bundles and, per voter, the highest round heard of are used.
 */
export const ROUND_WINDOW = 8;

export type Step = 'propose' | 'prevote' | 'precommit';

/** A locked or valid value: a block and the `quorum` prevotes of `round` that made it so. */
export interface HeldValue {
  readonly round: number;
  readonly block: Block;
  readonly blockHash: Hash;
  readonly prevotes: readonly Vote[];
}

export interface KnownBlock {
  readonly block: Block;
  /** `unjudged` until the first rule needs to know; `defer` is asked again after a `reconsider` event. */
  readonly verdict: 'unjudged' | 'valid' | 'invalid' | 'defer';
}

export interface RoundState {
  /** The first acceptable proposal of the round; its block is in `EngineState.blocks`. */
  readonly proposal: { readonly proposal: Proposal; readonly polVotes: readonly Vote[] } | null;
  readonly proposalConflictReported: boolean;
  readonly prevote: RoundVotes;
  readonly precommit: RoundVotes;
  /** Types of which this peer has broadcast the bundle. */
  readonly announced: readonly VoteType[];
  /** Types whose timeout has been scheduled. */
  readonly timed: readonly VoteType[];
}

/** One peer's view of one height. Plain immutable data; `step` returns a new one. */
export interface EngineState {
  readonly height: number;
  /** False until there is a reason to run round timers (protocol section 4). */
  readonly started: boolean;
  readonly resending: boolean;
  readonly round: number;
  readonly step: Step;
  readonly locked: HeldValue | null;
  readonly valid: HeldValue | null;
  readonly rounds: ReadonlyMap<number, RoundState>;
  readonly blocks: ReadonlyMap<Hash, KnownBlock>;
  /** Highest round that each member has sent a message of, by rank; -1 for none. */
  readonly highestRounds: readonly number[];
  /** A `compose` effect of the current round waits for its answer. */
  readonly composing: boolean;
  /** Blocks asked for with `fetch-block` and not received yet. */
  readonly missing: readonly Hash[];
  /** `quorum` precommits for a block, which decide as soon as the block is known. */
  readonly commit: Certificate | null;
  readonly decision: { readonly block: Block; readonly certificate: Certificate } | null;
}

/** One step in the making: `state` is replaced piece by piece and never written to. */
export interface Transition {
  readonly context: HeightContext;
  readonly nowMs: number;
  state: EngineState;
  readonly effects: EngineEffect[];
}

export function emptyState(context: HeightContext): EngineState {
  return {
    height: context.height,
    started: false,
    resending: false,
    round: 0,
    step: 'propose',
    locked: null,
    valid: null,
    rounds: new Map(),
    blocks: new Map(),
    highestRounds: new Array<number>(context.members).fill(-1),
    composing: false,
    missing: [],
    commit: null,
    decision: null,
  };
}

/** The Byzantine members that liveness tolerates: `f = n - q`. */
export function faultBound(context: HeightContext): number {
  return context.members - context.quorum;
}

export function roundOf(t: Transition, round: number): RoundState {
  return (
    t.state.rounds.get(round) ?? {
      proposal: null,
      proposalConflictReported: false,
      prevote: emptyRoundVotes(t.context.members),
      precommit: emptyRoundVotes(t.context.members),
      announced: [],
      timed: [],
    }
  );
}

export function updateRound(t: Transition, round: number, change: Partial<RoundState>): void {
  const rounds = new Map(t.state.rounds).set(round, { ...roundOf(t, round), ...change });
  t.state = { ...t.state, rounds };
}

export function keepBlock(t: Transition, blockHash: Hash, block: Block): void {
  if (t.state.blocks.has(blockHash)) return;
  const blocks = new Map(t.state.blocks).set(blockHash, { block, verdict: 'unjudged' });
  t.state = { ...t.state, blocks, missing: t.state.missing.filter((hash) => hash !== blockHash) };
}

/** This peer's verdict on a block that it holds, asked for once; null when it does not hold the block. */
export function verdictOn(t: Transition, blockHash: Hash): 'valid' | 'invalid' | 'defer' | null {
  const known = t.state.blocks.get(blockHash);
  if (known === undefined) return null;
  if (known.verdict !== 'unjudged') return known.verdict;
  const verdict = t.context.judge(known.block, blockHash);
  t.state = { ...t.state, blocks: new Map(t.state.blocks).set(blockHash, { block: known.block, verdict }) };
  return verdict;
}

/** The round's bundle of prevotes or precommits if it is for a block; null if there is none or it is for nil. */
export function blockBundle(round: RoundState, type: VoteType): (Bundle & { readonly blockHash: Hash }) | null {
  const quorum = round[type].quorum;
  return quorum === null || quorum.blockHash === null ? null : { blockHash: quorum.blockHash, votes: quorum.votes };
}

/** The bundle of prevotes with the highest round above the valid value's: what the next valid value can come from. */
export function newestPrevoteBundle(
  state: EngineState,
): { readonly round: number; readonly bundle: Bundle & { readonly blockHash: Hash } } | null {
  let newest: { readonly round: number; readonly bundle: Bundle & { readonly blockHash: Hash } } | null = null;
  for (const [round, held] of state.rounds) {
    const bundle = blockBundle(held, 'prevote');
    if (bundle !== null && round > (newest?.round ?? state.valid?.round ?? -1)) newest = { round, bundle };
  }
  return newest;
}

/** Blocks that a bundle names, that a rule waits for, and that this peer does not hold. */
export function wantedBlocks(state: EngineState): readonly Hash[] {
  const named = [state.commit?.blockHash, newestPrevoteBundle(state)?.bundle.blockHash];
  return [...new Set(named)].filter((hash) => hash !== undefined && !state.blocks.has(hash)) as Hash[];
}

/** A block of this height that the peer can serve to others; null when it does not hold it. */
export function heldBlock(state: EngineState, blockHash: Hash): Block | null {
  return state.blocks.get(blockHash)?.block ?? null;
}
