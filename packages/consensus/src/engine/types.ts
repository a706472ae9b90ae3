import type { Block, Certificate, Hash, MemberRank, Proposal, Vote, VoteExtension, VoteType } from '../chain/types.ts';

/**
 * What the agreement engine is given for one height. Everything in it is fixed for the height, except
 * `judge`, which may answer `defer` now and otherwise later (see there).
 */
export interface HeightContext {
  readonly height: number;
  readonly members: number;
  readonly quorum: number;
  /** This peer's rank; null for a follower, who never votes. */
  readonly self: MemberRank | null;
  /** `proposer(height, round)` of protocol section 3. */
  proposer(round: number): MemberRank;
  /**
   * Runs every check of protocol section 5. `valid` and `invalid` are objective and final for a block hash.
   * `defer` means that the peer does not accept the block yet for a reason of its own (a slot closed too early by its
   * clock): no prevote now; the engine asks again on a `reconsider` event and votes nil when its propose timer ends.
   */
  judge(block: Block, blockHash: Hash): 'valid' | 'invalid' | 'defer';
  /** Signs a vote of this peer. Pure: deterministic signatures. */
  signVote(vote: {
    readonly type: VoteType;
    readonly height: number;
    readonly round: number;
    readonly blockHash: Hash | null;
    readonly timestampMs: number;
    readonly extension: VoteExtension | null;
  }): Vote;
  signProposal(proposal: {
    readonly height: number;
    readonly round: number;
    readonly blockHash: Hash;
    readonly polRound: number;
  }): Proposal;
  /** Extension of this peer's precommit for the block. */
  extend(block: Block, blockHash: Hash): VoteExtension;
  readonly timeouts: Timeouts;
}

/** All in milliseconds; a round's timeout is `base + round * step`. */
export interface Timeouts {
  readonly proposeMs: number;
  readonly prevoteMs: number;
  readonly precommitMs: number;
  readonly stepMs: number;
  /** How long a voter waits for a bundle before it broadcasts its own vote. */
  readonly collectMs: number;
  /** How often it resends what it sent until the height is decided. */
  readonly resendMs: number;
}

export type TimerName = 'propose' | 'prevote' | 'precommit' | 'collect-prevote' | 'collect-precommit' | 'resend';
export interface Timer {
  readonly name: TimerName;
  readonly height: number;
  readonly round: number;
}

/**
 * What happened. The peer has verified every signature and beacon share before an event reaches the engine; it has
 * decoded the block and computed its hash. The engine checks everything else (height, round, proposer, quorum, distinct voters).
 */
export type EngineEvent = {
  readonly nowMs: number;
} /** There is a reason to expect a block at this height (txPatience passed, or the clock passed the slot's end): start the round's timer. */ & (
  | { readonly type: 'block-wanted' }
  /** This peer has something to compose now; asks the engine to produce a `compose` effect if it is its turn and it has not proposed in this round. */
  | { readonly type: 'can-compose' }
  /** Answer to a `compose` effect. A null block means that the composer has nothing to propose (it may say `can-compose` again later). */
  | { readonly type: 'composed'; readonly round: number; readonly block: Block | null; readonly blockHash: Hash | null }
  | {
      readonly type: 'proposal';
      readonly proposal: Proposal;
      readonly block: Block;
      readonly polVotes: readonly Vote[];
    }
  | { readonly type: 'votes'; readonly votes: readonly Vote[] }
  /** A block that was fetched because of a `fetch-block` effect. */
  | { readonly type: 'block'; readonly block: Block; readonly blockHash: Hash }
  | { readonly type: 'reconsider' }
  | { readonly type: 'timer'; readonly timer: Timer }
);

/** A thing that must be on disk before anything after it in the list of effects is sent. */
export type LogRecord =
  | {
      readonly type: 'proposal';
      readonly proposal: Proposal;
      readonly block: Block;
      readonly polVotes: readonly Vote[];
    }
  | { readonly type: 'vote'; readonly vote: Vote }
  /** Written in the same record as the precommit that it justifies would be wrong to lose: the lock and what proves it. */
  | {
      readonly type: 'lock';
      readonly round: number;
      readonly block: Block;
      readonly blockHash: Hash;
      readonly prevotes: readonly Vote[];
    }
  | {
      readonly type: 'valid';
      readonly round: number;
      readonly block: Block;
      readonly blockHash: Hash;
      readonly prevotes: readonly Vote[];
    };

/** In order: a `persist` must be durable before any later `send`, `broadcast` or `decide` takes effect outside. */
export type EngineEffect =
  | { readonly type: 'persist'; readonly record: LogRecord }
  /** A vote over the direct stream to the round's proposer. */
  | { readonly type: 'send-vote'; readonly to: MemberRank; readonly vote: Vote }
  /** A bundle of `q` votes, or single votes (nil votes, fallback, resends). */
  | { readonly type: 'broadcast-votes'; readonly votes: readonly Vote[] }
  | {
      readonly type: 'broadcast-proposal';
      readonly proposal: Proposal;
      readonly block: Block;
      readonly polVotes: readonly Vote[];
    }
  | { readonly type: 'schedule'; readonly timer: Timer; readonly delayMs: number }
  | { readonly type: 'compose'; readonly round: number }
  /** `q` votes name a block that this peer does not have. */
  | { readonly type: 'fetch-block'; readonly blockHash: Hash }
  /** The height is decided; the engine ignores every later event of this height except that it keeps its state readable. */
  | { readonly type: 'decide'; readonly block: Block; readonly certificate: Certificate }
  /** A quorum of nil prevotes: no acceptable proposal came in time in the round. */
  | { readonly type: 'timed-out'; readonly votes: readonly Vote[] }
  /** Two signed messages of one member that contradict each other: the seam for evidence. */
  | { readonly type: 'conflict'; readonly first: Vote | Proposal; readonly second: Vote | Proposal };
