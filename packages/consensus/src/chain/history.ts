import type { ChainState } from './state.ts';
import type { Certificate } from './types.ts';

/** A state that the chain has gone through, and what decided it. */
export interface HistoryEntry {
  readonly state: ChainState;
  /** A verified certificate of the state's block; null at height 0. */
  readonly certificate: Certificate | null;
}

/**
 * The chain that a block follows, for what concerns earlier heights: evidence. What it answers is fixed by the chain, so
 * verdicts that rest on it are the same on every peer.
 */
export interface ChainHistory {
  /** The state after `height`. @throws Error when this peer cannot reproduce it, which is a damaged store. */
  at(height: number): HistoryEntry;
}

/** The history of a block's parent: what `history` knows, with the parent itself, whose certificate the block embeds. */
export function historyThrough(history: ChainHistory, parent: HistoryEntry): ChainHistory {
  return { at: (height) => (height === parent.state.height ? parent : history.at(height)) };
}
