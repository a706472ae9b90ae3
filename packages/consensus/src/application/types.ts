import type { Candidate, Genesis, Hash, Hex, MemberRank } from '../chain/types.ts';
import type { LedgerDraft } from '../ledger/types.ts';

/** What an application sees of the block that it settles. All of it is the same on every peer. */
export interface SettlementContext<State> {
  readonly genesis: Genesis;
  readonly chainId: Hash;
  /** The slot that the settlement closes. */
  readonly slot: number;
  readonly term: number;
  readonly lastOfTerm: boolean;
  /** Seed of the current term (the chain id in the first term). */
  readonly seed: Hash;
  readonly chainTimeMs: number;
  /** Who composed the settlement block. */
  readonly composer: MemberRank;
  /** The candidate whose miner stands at the composer's place in the election list; null in the list's tail. */
  readonly winner: Candidate | null;
  /**
   * Bytes that contributions refer to by hash. Null where a certificate has decided the block and the bytes need not be
   * here any more: the application then takes the block's word for what only the bytes could show.
   */
  readonly blobs: Blobs | null;
  /** Members who have weight 0 and earn no reward. */
  readonly jailed: ReadonlySet<MemberRank>;
  /** Keys of contributions whose author has been proven to have signed two: they have no place in the settlement. */
  readonly barred: ReadonlySet<string>;
  readonly state: State;
}

/**
 * Content-addressed bytes: model updates and models, which blocks name by SHA-256. Adding to it changes no verdict, only
 * what can be had.
 */
export interface Blobs {
  get(hash: Hash): Uint8Array | null;
  /** Keeps the bytes; returns their hash. */
  add(bytes: Uint8Array): Hash;
}

/** A signed message of a member (announcement, meter reading, action, model update) that settlements consume. */
export interface Contribution {
  /** `kind/slot/rank`: a second, different contribution with one key is an equivocation. */
  readonly key: string;
  readonly kind: string;
  readonly author: MemberRank;
  /** Whose key has signed it: only a member answers for its own signatures. */
  readonly signedBy: 'member' | 'meter';
  /** The slot whose settlement block may hold it. */
  readonly dueInSlot: number;
  readonly bytes: Uint8Array;
  /** Where it is gossiped; `announcements` when left out. */
  readonly topic?: 'announcements' | 'updates';
  /** What a settlement names by its hash instead of holding it. */
  readonly blob?: { readonly hash: Hash; readonly bytes: Uint8Array };
}

/** Who has signed what, and for when. */
export type Statement = Pick<Contribution, 'key' | 'author' | 'signedBy' | 'dueInSlot'>;

export type StatementVerdict =
  | { readonly ok: true; readonly statement: Statement }
  | { readonly ok: false; readonly code: string; readonly reason: string };

export type ContributionVerdict =
  | { readonly ok: true; readonly contribution: Contribution }
  | { readonly ok: false; readonly code: string; readonly reason: string };

/**
 * What the consensus engine knows of PoEG, PoSOC or any other application: prepare, verify and execute a settlement.
 * All methods are pure and deterministic; nothing in them may use floating point.
 */
export interface Application<State = unknown> {
  readonly name: string;
  genesisState(genesis: Genesis): State;
  /** Canonical bytes of the application's state, as named leaves of the state root, in ascending key order. */
  encodeState(state: State): readonly { readonly key: string; readonly value: Uint8Array }[];
  decodeState(leaves: readonly { readonly key: string; readonly value: Uint8Array }[]): State;
  /**
   * Decodes, checks signature and form. `currentSlot` bounds which slots are acceptable (no far future, no past); null
   * accepts any.
   */
  checkContribution(
    genesis: Genesis,
    chainId: Hash,
    bytes: Uint8Array,
    currentSlot: number | null,
  ): ContributionVerdict;
  /**
   * What a contribution's author has signed of it, with the signature: evidence holds two of these, so they are short
   * (`MAX_CONTESTED_CONTRIBUTION_BYTES`) however long the contribution is. The contribution itself when left out.
   */
  statementOf?(bytes: Uint8Array): Uint8Array;
  /** Checks form and signature of what `statementOf` gives; as `checkContribution` when left out. */
  checkStatement?(genesis: Genesis, chainId: Hash, bytes: Uint8Array): StatementVerdict;
  /** Whether a contribution, which has been checked, may stand in the settlement of `slot` on top of `state`. */
  admits(genesis: Genesis, state: State, slot: number, contribution: Contribution): boolean;
  /** Keys of the contributions that a settlement's payload holds. Throws a `BlockRejection` when it cannot be read. */
  included(payload: Uint8Array): ReadonlySet<string>;
  /**
   * Keys of the contributions that member `rank` owes before `slot` may be closed early (`slotClock: "ready"`): as many
   * for each member of a slot, at most 4. Voters report these, and what enough of them report must be settled.
   */
  owed(genesis: Genesis, slot: number, rank: MemberRank): readonly string[];
  /** By the wall clock, milliseconds from genesis to the slot's end; `(slot + 1) * slot.lengthMs` when left out. */
  slotEndOffsetMs?(genesis: Genesis, slot: number): number;
  /**
   * Blobs without which a settlement can be neither composed (`payload` null) nor judged: who lacks one fetches it, and
   * proposes or votes for nothing until then. None when left out.
   */
  neededBlobs?(genesis: Genesis, slot: number, state: State, payload: Uint8Array | null): readonly Hash[];
  /** Blobs that a peer in this state should have, whatever it is asked to judge. */
  wantedBlobs?(genesis: Genesis, state: State): readonly Hash[];
  /** Blobs that a settlement lists or makes: peers keep those of their last heights, for others that lack them. */
  keptBlobs?(payload: Uint8Array): readonly Hash[];
  /** Composes the canonical settlement payload from the contributions held. */
  prepare(context: SettlementContext<State>, contributions: readonly Contribution[]): Uint8Array;
  /**
   * Checks the payload (form, signatures, slots, no member twice, canonical order) and executes it on the draft of the
   * ledger. Throws a `BlockRejection` that names the failed check. The candidates returned are the next term's draw
   * (only asked for when `lastOfTerm`).
   */
  execute(
    context: SettlementContext<State>,
    payload: Uint8Array,
    ledger: LedgerDraft,
  ): {
    readonly state: State;
    readonly candidates: readonly Candidate[];
    /** The first entry of the next election list is forced to this candidate (thesis 3.2.1, bootstrap); else null. */
    readonly first: number | null;
  };
  /** A settlement in words and numbers for people (JSON-safe: bigints as strings), for the API and the tables. */
  describe(context: SettlementContext<State>, payload: Uint8Array): unknown;
}

/** The meter and forecasting side of a peer, outside of the chain: what it wants to announce. Keys are the caller's. */
export interface ContributionSource {
  /**
   * Signed contributions that this member gossips during `slot`, in canonical bytes, given the application's state at its
   * start. The same for the same arguments. What takes longer is handed to the peer as a `contribute` event.
   */
  contributions(slot: number, state: unknown, blobs: Pick<Blobs, 'get'>): readonly Uint8Array[];
}

export type { Candidate, Genesis, Hash, Hex, MemberRank };
