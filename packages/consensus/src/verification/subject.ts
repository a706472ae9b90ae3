import { BlockRejection, type CheckName, type RejectionCode } from '../application/rejection.ts';
import type { ChainHistory } from '../chain/history.ts';
import type { ChainRules, ChainState } from '../chain/state.ts';
import type { Block, Hash } from '../chain/types.ts';

/** What every check is given: the block, what it claims to be, and the state that it claims to follow. */
export interface Subject {
  readonly rules: ChainRules;
  readonly parent: ChainState;
  readonly block: Block;
  readonly blockHash: Hash;
  /** Length of the block's encoding. */
  readonly blockBytes: number;
  /** The chain up to the parent. */
  readonly history: ChainHistory;
  /** The block stands in a proof: accusations of other blocks are left out of it, and so is what follows from them. */
  readonly inProof: boolean;
}

/** Throws the rejection unless `holds`. `found` is only asked for when it does not. */
export function ensure(holds: boolean, check: CheckName, code: RejectionCode, found: () => string): asserts holds {
  if (!holds) throw new BlockRejection(check, code, found());
}

/** Whether the first block of a new term is due, the one that carries the term's seed. */
export function opensTerm({ parent }: Pick<Subject, 'parent'>): boolean {
  return parent.election.seed === null;
}
