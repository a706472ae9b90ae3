import type { Blobs } from '../application/types.ts';
import type { ChainHistory } from '../chain/history.ts';
import type { ChainRules } from '../chain/state.ts';
import type { MemberRank } from '../chain/types.ts';
import type { MemberSigner } from '../crypto/ports.ts';
import type { PeerView } from '../peer/peer.ts';
import type { PeerEvent, PeerModules, PeerOutput } from '../peer/ports.ts';

/** A peer as whoever runs it sees it: events in, outputs out. */
export interface PeerLike {
  readonly view: PeerView;
  readonly blobs: Pick<Blobs, 'get'>;
  readonly history: ChainHistory;
  handle(event: PeerEvent): PeerOutput;
}

/** What a misbehaviour may use: everything that its member has, its real signing keys included, and no meter's key. */
export interface MisbehaviourKit {
  readonly rules: ChainRules;
  readonly rank: MemberRank;
  readonly signer: MemberSigner;
  /** Members who misbehave together, this one included. */
  readonly accomplices: readonly MemberRank[];
}

/** One choice that a misbehaviour leaves open. */
export type ParameterSchema =
  | { readonly kind: 'choice'; readonly values: readonly string[]; readonly fallback: string; readonly what: string }
  | {
      readonly kind: 'integer';
      readonly min: number;
      readonly max: number;
      readonly fallback: number;
      readonly what: string;
    };

export type Parameters = Readonly<Record<string, string | number>>;

/**
 * How a member breaks the protocol. It stands around an honest peer: it may change what the peer is built from and every
 * event and output; the peer itself does not know of it.
 */
export interface Misbehaviour {
  readonly name: string;
  readonly description: string;
  readonly parameters: Readonly<Record<string, ParameterSchema>>;
  /** Changes the peer's ports, such as what it announces. */
  modules?(modules: PeerModules, kit: MisbehaviourKit, parameters: Parameters): PeerModules;
  /** Stands between the peer and its shell. */
  wrap?(peer: PeerLike, kit: MisbehaviourKit, parameters: Parameters): PeerLike;
}

/** A misbehaviour by name, as configurations and scenarios give it. */
export interface MisbehaviourChoice {
  readonly name: string;
  readonly parameters?: Parameters;
}
