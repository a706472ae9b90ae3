/**
 * The things that peers sign, hash and agree on, as plain immutable data.
 *
 * Hashes, keys and signatures are lowercase hex strings in memory (so that `===`, map keys and JSON just work) and raw
 * bytes on the wire. Members appear by *rank*: their index in the genesis list, which is sorted by public key.
 */

/** Lowercase hex of a SHA-256 digest (32 bytes). */
export type Hash = string;
/** Lowercase hex of any other byte string; the length is stated where it is used. */
export type Hex = string;
/** Index of a member in the genesis list, which is sorted by public key. */
export type MemberRank = number;

/**
 * What a block is for (protocol section 4, "When blocks are made"): `transactions` carries transactions inside an open
 * slot, `closing` ends a slot (it may be empty), `settlement` settles the slot that has been closed.
 */
export type BlockKind = 'transactions' | 'closing' | 'settlement';

/** The part of a block that is hashed. It commits to every byte of the body through roots and hashes. */
export interface BlockHeader {
  readonly chainId: Hash;
  readonly height: number;
  /** Hash of the block at `height - 1`; the chain id at height 1. */
  readonly parentHash: Hash;
  readonly term: number;
  readonly slot: number;
  readonly kind: BlockKind;
  readonly composer: MemberRank;
  readonly composingRound: number;
  /** Milliseconds since the Unix epoch, by the rule of protocol section 4. */
  readonly chainTimeMs: number;
  /** SHA-256 of the encoded parent certificate; 64 zeros at height 1, which has none. */
  readonly certificateHash: Hash;
  /** Combined BLS signature (96 bytes) that seeds the term; present exactly in the first block of a term after the first. */
  readonly seedSignature: Hex | null;
  /** Merkle root over the transactions of all batches, in order. */
  readonly transactionsRoot: Hash;
  /** SHA-256 of the settlement payload; 64 zeros when the block has none. */
  readonly payloadHash: Hash;
  /** Merkle root over the hashes of the evidence, in order. */
  readonly evidenceRoot: Hash;
  /** Merkle root of the state after this block. */
  readonly stateRoot: Hash;
}

export interface Block {
  readonly header: BlockHeader;
  /** Certificate of `height - 1`; null at height 1. */
  readonly parentCertificate: Certificate | null;
  readonly batches: readonly TransactionBatch[];
  /** The application's settlement payload; empty unless `kind` is `settlement`. */
  readonly payload: Uint8Array;
  /** Proofs of misbehaviour. They are executed last: transactions and settlement do not depend on what they prove. */
  readonly evidence: readonly EvidenceItem[];
}

/** A nil prevote without what the timeout certificate around it says once. */
export interface NilPrevote {
  readonly voter: MemberRank;
  readonly timestampMs: number;
  readonly signature: Hex;
}

/**
 * What proves an offence (protocol section 6), with all that is needed to decide it besides the chain's own last blocks.
 * - `timeout`: `q` nil prevotes of one height and round, from distinct members in ascending rank.
 * - `votes`, `proposals`: two signed by one member in one place, for different block hashes.
 * - `contributions`: what a member has signed of two contributions under one key.
 * - `invalid-block`: a block and a proposal of it that its composer has signed. Invalid blocks that the block itself
 *   accuses stand in it as `omitted`, so that evidence does not nest.
 * - `omitted`: an invalid block's evidence by its hash; it stands in such proofs only.
 */
export type EvidenceItem =
  | { readonly type: 'timeout'; readonly height: number; readonly round: number; readonly votes: readonly NilPrevote[] }
  | { readonly type: 'votes'; readonly first: Vote; readonly second: Vote }
  | { readonly type: 'proposals'; readonly first: Proposal; readonly second: Proposal }
  | { readonly type: 'contributions'; readonly first: Uint8Array; readonly second: Uint8Array }
  | {
      readonly type: 'invalid-block';
      readonly proposal: Proposal;
      readonly block: Uint8Array;
      /** Bytes that the block names by hash, all or none: those that show what is wrong, if the block alone does not. */
      readonly blobs: readonly Uint8Array[];
    }
  | { readonly type: 'omitted'; readonly hash: Hash };

export type Asset = 'epos' | 'upos' | 'credit';

/** One thing that a member asks the ledger to do. Amounts are in 10^-6 tokens (EPOS, UPOS) or Wh (energy credits). */
export type Operation =
  | { readonly type: 'transfer'; readonly asset: Asset; readonly to: Hex; readonly amount: bigint }
  | { readonly type: 'stake'; readonly amount: bigint }
  | { readonly type: 'unstake'; readonly amount: bigint }
  | { readonly type: 'retire'; readonly amountWh: bigint };

/**
 * Up to 256 operations under one signature. Operation `k` is the transaction with nonce `firstNonce + k`; its id is
 * SHA-256 over the batch hash and `k`.
 */
export interface TransactionBatch {
  readonly chainId: Hash;
  /** Compressed public key (33 bytes) of the sender's account. */
  readonly sender: Hex;
  readonly firstNonce: number;
  readonly operations: readonly Operation[];
  readonly signature: Hex;
}

export type VoteType = 'prevote' | 'precommit';

/** What a precommit for a block says besides the block. */
export interface VoteExtension {
  /** BLS threshold share (96 bytes) over the term's last settlement block; null on every other block. */
  readonly beaconShare: Hex | null;
  /**
   * On a closing block: which of the contributions that are owed for the coming settlement the voter holds, as a bitmap
   * (see `heldBits`). Empty on every other block, and when it holds none.
   */
  readonly held: Hex;
  /** Batches that the voter has held for more than `inclusionDelayBlocks` and could execute next; at most 16. */
  readonly overdue: readonly OverdueBatch[];
}

/** A batch that a voter reports as waiting: enough to tell, from the parent's state alone, whether it is still due. */
export interface OverdueBatch {
  readonly hash: Hash;
  /** Index of the sender's account. */
  readonly account: number;
  readonly firstNonce: number;
}

export interface Vote {
  readonly type: VoteType;
  readonly height: number;
  readonly round: number;
  /** null votes for nil. */
  readonly blockHash: Hash | null;
  readonly timestampMs: number;
  /** Present exactly in a precommit for a block. */
  readonly extension: VoteExtension | null;
  readonly voter: MemberRank;
  /** ECDSA over the domain-tagged digest of all of the above and the chain id; 64 bytes, low-S. */
  readonly signature: Hex;
}

/** `q` precommits of one height, one round, one hash, from distinct members in ascending rank. */
export interface Certificate {
  readonly height: number;
  readonly round: number;
  readonly blockHash: Hash;
  readonly votes: readonly Vote[];
}

/** The signed announcement of a block for a round; the block's bytes travel beside it. */
export interface Proposal {
  readonly height: number;
  readonly round: number;
  readonly blockHash: Hash;
  /** -1, or the round whose `q` prevotes for the block travel with the proposal. */
  readonly polRound: number;
  readonly proposer: MemberRank;
  readonly signature: Hex;
}

/** A candidate of a draw: a coalition (PoEG) or a single EV (PoSOC). */
export interface Candidate {
  /** Ranks in ascending order. */
  readonly members: readonly MemberRank[];
  /** The member who composes blocks when the candidate is drawn. */
  readonly miner: MemberRank;
  /** The other members, the next-best first: who composes when the miner is dropped and the chain excludes miners. */
  readonly successors: readonly MemberRank[];
  /** Proof score in the application's integer unit (Wh for PoEG); negative counts as 0 in a draw. */
  readonly weight: bigint;
}

export interface GenesisMember {
  /** Compressed secp256k1 public key, 33 bytes: libp2p identity, ledger account and voter. */
  readonly publicKey: Hex;
  /** Compressed secp256k1 public key of the member's meter, 33 bytes. */
  readonly meterKey: Hex;
  /** BLS12-381 public key share (G1, 48 bytes) for the beacon. */
  readonly beaconKey: Hex;
  readonly role: 'prosumer' | 'ev';
  /** Opening balances. */
  readonly eposMicro: bigint;
  readonly uposMicro: bigint;
  /** Locked at genesis, part of no balance; 10^-6 EPOS. */
  readonly stakeMicro: bigint;
}

export interface Genesis {
  readonly chainName: string;
  /** Milliseconds since the Unix epoch. */
  readonly genesisTimeMs: number;
  /** Sorted by public key. */
  readonly members: readonly GenesisMember[];
  readonly quorum: number;
  /** BLS12-381 group key of the beacon (G1, 48 bytes); threshold is the quorum. */
  readonly beaconGroupKey: Hex;
  /** Accounts that are not members: the EDC first, then any other payer or load generator. Opening UPOS balance each. */
  readonly accounts: readonly { readonly publicKey: Hex; readonly uposMicro: bigint }[];
  readonly slot: {
    /** Real length of a slot with `clock: "wall"`. */
    readonly lengthMs: number;
    /** `wall`: a slot ends when chain time reaches its end. `ready`: as soon as its closing block is committed. */
    readonly clock: 'wall' | 'ready';
    /** What a slot stands for in the simulated world. */
    readonly simulatedHours: number;
    readonly slotsPerTerm: number;
  };
  readonly limits: {
    readonly maxBlockBytes: number;
    readonly maxTransactionsPerBlock: number;
    /** Smallest stake that a member must keep locked; 10^-6 EPOS. */
    readonly minStakeMicro: bigint;
    /** Blocks between an unstake and the release of the tokens; more than K. */
    readonly unbondingBlocks: number;
    /** Blocks after which a transaction that a peer holds counts as overdue (`D` in protocol section 5). */
    readonly inclusionDelayBlocks: number;
  };
  /** What provable misbehaviour costs (protocol section 6). */
  readonly penalties: {
    /** Whom a timeout certificate drops: the whole candidate (eq. 3.24), or its miner only. */
    readonly exclusion: 'coalition' | 'miner';
    /** Taken from the stake of who made no acceptable proposal in its round; 10^-6 EPOS. */
    readonly refusalPenaltyMicro: bigint;
    /** Part of the stake, unbonding included, that a proven offence costs; 10^-6. */
    readonly slashPpm: number;
    /** Blocks for which an offender has weight 0 and earns no reward; 0 for ever. */
    readonly jailBlocks: number;
    /** Blocks for which evidence is accepted (`K` in protocol section 6). */
    readonly evidenceBlocks: number;
  };
  /** Which application settles slots, and its own canonical parameter bytes (decoded by the application). */
  readonly application: { readonly name: 'poeg' | 'posoc'; readonly parameters: Uint8Array };
}
