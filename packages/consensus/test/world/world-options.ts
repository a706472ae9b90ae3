import type { ContributionSource } from '../../src/application/types.ts';
import type { MisbehaviourChoice, MisbehaviourKit, PeerLike } from '../../src/misbehaviour/index.ts';
import type { Outgoing } from '../../src/peer/ports.ts';
import type { WorldChain } from './genesis.ts';
import type { ContributionReader } from './monitors.ts';

/** Hostility of a world's first phase; the second phase has none of it. */
export interface Weather {
  readonly loss: number;
  readonly duplicate: number;
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
  /** Probability of a delay ten times as long. */
  readonly straggler: number;
  readonly maxDiskMs: number;
  /** Crashes a virtual second, over all peers. */
  readonly crashesPerSecond: number;
  readonly maxDownMs: number;
  /** Peers are cut into two groups for a while, so many times a virtual second. */
  readonly partitionsPerSecond: number;
  readonly maxPartitionMs: number;
  /** Each peer's clock is off by up to this. */
  readonly maxSkewMs: number;
  /** A clock jumps, ahead or back, so many times a virtual second over all peers. */
  readonly jumpsPerSecond: number;
  readonly maxJumpMs: number;
}

export const FAIR: Weather = {
  loss: 0,
  duplicate: 0,
  minDelayMs: 1,
  maxDelayMs: 20,
  straggler: 0,
  maxDiskMs: 5,
  crashesPerSecond: 0,
  maxDownMs: 0,
  partitionsPerSecond: 0,
  maxPartitionMs: 0,
  maxSkewMs: 0,
  jumpsPerSecond: 0,
  maxJumpMs: 0,
};

/** What the members of a world do besides agreeing: the application's side of it. */
export interface WorldLife {
  chain(options: {
    readonly seed: string;
    readonly members: number;
    readonly quorum?: number;
    readonly clock: 'wall' | 'ready';
    readonly slotMs: number;
    readonly genesisTimeMs: number;
  }): WorldChain;
  source(chain: WorldChain, seed: string, rank: number): ContributionSource;
  readonly signedBy: ContributionReader;
  /** What a member signs in the slot that it is in, some time after the slot has begun; null for nothing. */
  later?(chain: WorldChain, seed: string, rank: number, peer: PeerLike): Uint8Array | null;
}

/** What is wrong with a member of a world; it wraps what an honest one is given. */
export interface WorldFault {
  readonly rank: number;
  /** Messages that it does not send. */
  withholds?(outgoing: Outgoing, peer: PeerLike): boolean;
  /** What it announces, and when. */
  source?(source: ContributionSource): ContributionSource;
  /** Stands between the peer and the world. */
  wrap?(peer: PeerLike, kit: MisbehaviourKit): PeerLike;
}

export interface WorldOptions {
  /** Default: prosumers of a PoEG chain. */
  readonly life?: WorldLife;
  readonly faults?: readonly WorldFault[];
  readonly slotPaceMs?: number;
  readonly seed: string;
  readonly members: number;
  readonly clock: 'wall' | 'ready';
  readonly slotMs: number;
  readonly weather: Weather;
  /** Virtual length of the hostile phase. */
  readonly stormMs: number;
  /** Transactions that clients submit during the storm. */
  readonly transactions: number;
  readonly quorum?: number;
  /** How some members misbehave, by rank; they do so together. */
  readonly misbehaving?: Readonly<Record<number, readonly MisbehaviourChoice[]>>;
  /** Rank of the member whose journal loses synced entries in each crash, and knows it. */
  readonly rottingDisk?: number;
  /** Rank of the member that comes back with an empty disk from half of its crashes. */
  readonly lostDisk?: number;
}
