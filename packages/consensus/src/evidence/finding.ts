import type { ChainHistory } from '../chain/history.ts';
import type { ChainRules, ChainState } from '../chain/state.ts';
import type { MemberRank } from '../chain/types.ts';

/**
 * Why an item proves nothing. `_MALFORMED`: it contains what is no block, or nested evidence. `_OUT_OF_WINDOW`: it concerns
 * a height or slot that is too old, or has not come. `_NO_QUORUM`: not exactly `q` nil prevotes of distinct members in
 * ascending rank. `_BAD_SIGNATURE`: something in it is not signed by whom it names. `_NO_CONFLICT`: the two messages do not
 * contradict each other. `_NOT_THE_COMPOSER`: the proposal is not its composer's, or not of this block. `_BLOCK_IS_VALID`:
 * the block passes every check that can be repeated. `_OMITTED`: a hash in place of an item. `_PUNISHED`: it proves what
 * has had its consequence already.
 */
export type EvidenceFault =
  | 'EVIDENCE_MALFORMED'
  | 'EVIDENCE_OUT_OF_WINDOW'
  | 'EVIDENCE_NO_QUORUM'
  | 'EVIDENCE_BAD_SIGNATURE'
  | 'EVIDENCE_NO_CONFLICT'
  | 'EVIDENCE_NOT_THE_COMPOSER'
  | 'EVIDENCE_BLOCK_IS_VALID'
  | 'EVIDENCE_OMITTED'
  | 'EVIDENCE_PUNISHED';

/** What an item proves. */
export interface Finding {
  /** `refusal`: no acceptable proposal came from the member in its round. `offence`: it broke a rule with its signature. */
  readonly kind: 'refusal' | 'offence';
  readonly member: MemberRank;
  /** Names what was done: one thing is punished once. */
  readonly key: string;
  /** For a refusal: the term in which it happened. */
  readonly term: number | null;
}

export type Assessment =
  | { readonly ok: true; readonly finding: Finding }
  | { readonly ok: false; readonly fault: EvidenceFault; readonly reason: string };

/** Where evidence stands: in the block after `parent`. */
export interface Hearing {
  readonly rules: ChainRules;
  readonly parent: ChainState;
  /** Answers for every height up to the parent's. */
  readonly history: ChainHistory;
}

export function proven(finding: Finding): Assessment {
  return { ok: true, finding };
}

export function unproven(fault: EvidenceFault, reason: string): Assessment {
  return { ok: false, fault, reason };
}

/** Whether evidence about `height` may stand in the block after `parent`: of the last `K` heights, its own included. */
export function isInWindow({ rules, parent }: Hearing, height: number): boolean {
  const now = parent.height + 1;
  return height >= 1 && height <= now && height >= now - rules.genesis.penalties.evidenceBlocks;
}
