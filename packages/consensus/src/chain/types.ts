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
}

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
  };
  /** Which application settles slots, and its own canonical parameter bytes (decoded by the application). */
  readonly application: { readonly name: 'poeg' | 'posoc'; readonly parameters: Uint8Array };
}
