import type { ContributionSource } from '../application/types.ts';
import type { BlockKind, Hash, Hex, MemberRank } from '../chain/types.ts';
import type { MemberSigner } from '../crypto/ports.ts';
import type { Timeouts } from '../engine/types.ts';

/** Gossip topics; every chain has its own set. */
export type Topic = 'transactions' | 'announcements' | 'proposals' | 'bundles' | 'evidence' | 'updates';
/** Direct streams to one member; `batches` carries transactions to who composes. */
export type Channel = 'votes' | 'sync' | 'request' | 'batches';

/** What the shell tells a peer. `nowMs` is the peer's own clock: nothing that peers must agree on depends on it alone. */
export type PeerEvent = { readonly nowMs: number } & (
  | { readonly type: 'start' }
  /** `from` is the authenticated other end of the connection: a member, or null for a configured follower. */
  | { readonly type: 'message'; readonly from: MemberRank | null; readonly sender: string; readonly bytes: Uint8Array }
  | { readonly type: 'connection'; readonly member: MemberRank; readonly up: boolean }
  | { readonly type: 'timer'; readonly id: string }
  /** A signed transaction batch handed in by a local client. */
  | { readonly type: 'submit'; readonly bytes: Uint8Array }
  /** A contribution of this member that took longer than the start of a slot, such as a model update. */
  | { readonly type: 'contribute'; readonly bytes: Uint8Array }
);

/** What happens to a block's bytes and certificate when it is committed: one atomic, synced batch. */
export interface CommitRecord {
  readonly height: number;
  readonly blockHash: Hash;
  readonly block: Uint8Array;
  readonly certificate: Uint8Array;
  /** The state after the block; see `encodeState`. */
  readonly state: Uint8Array;
  /** Ids of the block's transactions, in order. */
  readonly transactionIds: readonly Hash[];
  /** Bytes that the block lists or makes, as far as this peer has them: kept as long as the states of recent heights. */
  readonly blobs?: readonly { readonly hash: Hash; readonly bytes: Uint8Array }[];
  /** Hashes of blobs that the state refers to: kept however old they are. */
  readonly wantedBlobs?: readonly Hash[];
  /** Journal entries that must survive when the journal is started anew at this height. */
  readonly carry: readonly Uint8Array[];
}

export type StoreWrite =
  /** Append to the journal: a message that must not be signed twice, a lock, a valid value. */
  { readonly type: 'journal'; readonly bytes: Uint8Array } | { readonly type: 'commit'; readonly commit: CommitRecord };

/**
 * `afterWrites`: how many of its output's writes must be durable before it leaves; all of them when left out. What is sent
 * before a block is committed need not wait for the commit.
 */
export type Outgoing = { readonly bytes: Uint8Array; readonly afterWrites?: number } & (
  | { readonly type: 'broadcast'; readonly topic: Topic; readonly resend: boolean }
  | { readonly type: 'send'; readonly to: string; readonly channel: Channel }
);

/** What a shell may log, count or show. Never carries secrets. */
export type Notice =
  | {
      readonly type: 'committed';
      readonly height: number;
      readonly blockHash: Hash;
      readonly round: number;
      readonly viaSync: boolean;
      readonly transactions: number;
    }
  /** This peer has composed a block; `atMs` is when it began, by its own clock. */
  | {
      readonly type: 'composed';
      readonly height: number;
      readonly round: number;
      readonly kind: BlockKind;
      readonly blockHash: Hash;
      readonly atMs: number;
    }
  | { readonly type: 'round'; readonly height: number; readonly round: number }
  | {
      readonly type: 'refused';
      readonly what: string;
      readonly code: string;
      readonly sender: string;
      readonly reason: string;
    }
  | { readonly type: 'conflict'; readonly member: MemberRank; readonly height: number; readonly what: string }
  /** Something that can be punished has come to light here: by `member`, called `offence`. */
  | { readonly type: 'evidence'; readonly member: MemberRank; readonly offence: string }
  /** A committed block has punished `member`; `slashedMicro` of its stake were burned. */
  | {
      readonly type: 'punished';
      readonly member: MemberRank;
      readonly evidence: string;
      readonly height: number;
      readonly slashedMicro: string;
    }
  /** This peer must propose nothing yet: it lacks what the embedded certificate demands. */
  | { readonly type: 'lacking'; readonly height: number; readonly items: readonly string[] }
  | { readonly type: 'behind'; readonly height: number; readonly target: number }
  | { readonly type: 'sitting-out'; readonly height: number }
  /** After the loss of its disk this peer has learned from the others from which height on it may sign again. */
  | { readonly type: 'rejoined'; readonly silentThrough: number }
  /** Bytes that this peer lacked have come. */
  | { readonly type: 'blob'; readonly hash: Hash };

/**
 * Answer of a peer to one event. The shell starts the timers at once, makes the writes durable, and only then sends and
 * publishes the notices; outputs are released in the order in which they were produced. A message may leave as soon as the
 * writes that it names and all earlier messages have.
 */
export interface PeerOutput {
  readonly writes: readonly StoreWrite[];
  readonly sends: readonly Outgoing[];
  readonly timers: readonly { readonly id: string; readonly delayMs: number }[];
  readonly notices: readonly Notice[];
  /** For `message`: what to do with the gossiped bytes. For `submit`: whether the batch was taken. */
  readonly verdict: 'accept' | 'ignore' | 'reject';
  /** Why, when the verdict is not `accept`. */
  readonly code: string | null;
}

/** Reads committed (durable) blocks and states, for peers that are behind and to decide evidence. */
export interface ChainReader {
  block(height: number): { readonly block: Uint8Array; readonly certificate: Uint8Array } | null;
  /** Bytes kept by hash (see `CommitRecord.blobs`); a store that keeps none may leave it out. */
  blob?(hash: Hash): Uint8Array | null;
  /** Encoded state after `height`; null when it is not kept. At least those of the last `evidenceBlocks + 2` heights are. */
  state(height: number): Uint8Array | null;
}

/** What a peer finds on its disk when it starts. */
export interface StoredPeer {
  /** Null on a new chain. */
  readonly head: { readonly state: Uint8Array; readonly certificate: Uint8Array } | null;
  readonly journal: readonly Uint8Array[];
  /**
   * The peer signs nothing at heights up to this one, because it cannot know what it signed there before: the height
   * after the head when the journal is damaged, more when the store has lost blocks that it once had; 0 normally. Null when
   * nothing is left that would tell, as on a new disk: the peer asks the others (`Silence`).
   */
  readonly silentThrough: number | null;
}

export interface PeerOptions {
  readonly timeouts: Timeouts;
  /** How long an executable transaction may wait before the round's timer starts. */
  readonly txPatienceMs: number;
  readonly minBlockIntervalMs: number;
  /** With `slotClock: "ready"`: a slot is not closed before it is this old (pacing for people; 0 at full speed). */
  readonly slotPaceMs: number;
  /** With `slotClock: "ready"`: when members still owe something, the slot is closed after this long. */
  readonly readyTimeoutMs: number;
  /** One connected member a period is told this peer's height. */
  readonly statusMs: number;
  readonly syncTimeoutMs: number;
  readonly maxPoolTransactions: number;
}

export interface PeerModules {
  /** Null for a follower: it verifies and syncs, and never signs. */
  readonly signer: MemberSigner | null;
  readonly source: ContributionSource | null;
  readonly reader: ChainReader;
}

export type { Hex };
