import type { Application, Blobs } from '../application/types.ts';
import type { SignatureScheme, ThresholdScheme } from '../crypto/ports.ts';
import type { LedgerState } from '../ledger/types.ts';
import type { Candidate, EvidenceItem, Genesis, Hash, MemberRank } from './types.ts';

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

/** An offence that has had its consequence. */
export interface Punished {
  /** What was punished (see `evidence/`): the same thing is not punished again. */
  readonly key: string;
  /** From this height on no evidence of it is accepted, so that it can be forgotten; null while its term lasts. */
  readonly forgetAt: number | null;
}

/** What became of an item of evidence. */
export interface EvidenceOutcome {
  readonly type: EvidenceItem['type'];
  /** Who was punished; null when nobody was. */
  readonly member: MemberRank | null;
  /** Why the item proves nothing, or nothing new; null when it did. */
  readonly fault: string | null;
  /** What was burned of the member's stake, 10^-6 EPOS. */
  readonly slashedMicro: bigint;
}

/** What the chain remembers of misbehaviour. */
export interface DisciplineState {
  /** By rank: the last height at which the member has weight 0 and earns nothing; 0 for who has never been jailed. */
  readonly jailedThrough: readonly number[];
  /** In the order in which it happened. */
  readonly punished: readonly Punished[];
  /** Of the evidence of the state's own block, in order. */
  readonly outcomes: readonly EvidenceOutcome[];
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
  readonly discipline: DisciplineState;
  /** The application's own state. */
  readonly app: unknown;
}
