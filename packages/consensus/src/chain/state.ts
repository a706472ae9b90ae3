import type { Application, Blobs } from '../application/types.ts';
import type { SignatureScheme, ThresholdScheme } from '../crypto/ports.ts';
import type { LedgerState } from '../ledger/types.ts';
import type { Candidate, Genesis, Hash, MemberRank } from './types.ts';

/** Everything that the rules of one chain need: fixed for the life of a peer. */
export interface ChainRules {
  readonly genesis: Genesis;
  readonly chainId: Hash;
  readonly application: Application;
  readonly signatures: SignatureScheme;
  readonly threshold: ThresholdScheme;
  /** Where the application finds bytes that blocks name by hash; left out, certified blocks are taken at their word. */
  readonly blobs?: Blobs;
}

/** What decides who composes in the current term (protocol section 3). */
export interface ElectionState {
  /** Fixed by the last settlement of the previous term; empty in the first term (uniform list). */
  readonly candidates: readonly Candidate[];
  /** Index of a candidate that is forced to the head of the list (bootstrap, thesis 3.2.1); else null. */
  readonly first: number | null;
  /**
   * The term's seed. Null from the term's last settlement of the previous term until the first block of the term has
   * carried the combined signature: a peer then takes it from the certificate that decided that settlement.
   */
  readonly seed: Hash | null;
  /** Proposers moved to the end of the list for the rest of the term, in order. */
  readonly demoted: readonly MemberRank[];
}

/** The replicated state after a block. Its Merkle root stands in the block's header. */
export interface ChainState {
  readonly height: number;
  /** The chain id at height 0. */
  readonly blockHash: Hash;
  readonly chainTimeMs: number;
  readonly term: number;
  readonly slot: number;
  /** `closed` between a closing block and its settlement. */
  readonly phase: 'open' | 'closed';
  readonly election: ElectionState;
  readonly ledger: LedgerState;
  /** The application's own state. */
  readonly app: unknown;
}
