import { decodeCertificate } from '../chain/certificate.ts';
import type { ChainHistory } from '../chain/history.ts';
import { isLastSlotOfTerm } from '../chain/slots.ts';
import type { ChainRules, ChainState } from '../chain/state.ts';
import type { Block, Certificate, Hex, MemberRank } from '../chain/types.ts';
import { type ElectionEntry, electionListOf, proposerAt } from '../election/index.ts';
import type { Hearing } from '../evidence/finding.ts';
import { decodeState, genesisState } from '../execution/index.ts';
import { accountIndexOf } from '../ledger/draft.ts';
import { ChainMemory } from './chain-memory.ts';
import type { PeerModules, StoredPeer } from './ports.ts';

/**
 * Where a peer stands: its clock, its head and what follows from it, and who is connected. Its parts read it; the peer alone
 * moves it.
 */
export class Standing {
  readonly rules: ChainRules;
  /** Null for a follower. */
  readonly self: MemberRank | null;
  readonly #memory: ChainMemory;
  readonly #live = new Set<MemberRank>();
  #nowMs = 0;
  #slotSinceMs = 0;
  #state: ChainState;
  #certificate: Certificate | null;
  #list: readonly ElectionEntry[];

  /** @throws CodecError when the stored state or certificate cannot be decoded. */
  constructor(rules: ChainRules, { reader, signer }: PeerModules, head: StoredPeer['head']) {
    this.rules = rules;
    const rank = rules.genesis.members.findIndex(({ publicKey }) => publicKey === signer?.publicKey);
    this.self = rank < 0 ? null : rank;
    this.#memory = new ChainMemory(rules, reader);
    this.#state = head === null ? genesisState(rules) : decodeState(rules, head.state);
    this.#certificate = head === null ? null : decodeCertificate(head.certificate);
    this.#memory.add({ state: this.#state, certificate: this.#certificate });
    this.#list = electionListOf(rules, this.#state, this.#certificate);
  }

  /** This peer's own clock; it may jump. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** When this peer entered the slot, by its own clock. */
  get slotSinceMs(): number {
    return this.#slotSinceMs;
  }

  /** The state after the head. */
  get state(): ChainState {
    return this.#state;
  }

  /** The head's certificate; null at genesis. */
  get certificate(): Certificate | null {
    return this.#certificate;
  }

  /** Height that is being decided. */
  get height(): number {
    return this.#state.height + 1;
  }

  get list(): readonly ElectionEntry[] {
    return this.#list;
  }

  get history(): ChainHistory {
    return this.#memory;
  }

  get hearing(): Hearing {
    return { rules: this.rules, parent: this.#state, history: this.#memory };
  }

  /** Members that are connected, this peer included. */
  get live(): ReadonlySet<MemberRank> {
    return this.#live;
  }

  tick(nowMs: number): void {
    this.#nowMs = nowMs;
  }

  moveTo(state: ChainState, certificate: Certificate): void {
    this.#state = state;
    this.#certificate = certificate;
    this.#memory.add({ state, certificate });
    this.#list = electionListOf(this.rules, state, certificate);
  }

  enterSlot(): void {
    this.#slotSinceMs = this.#nowMs;
  }

  connected(member: MemberRank, up: boolean): void {
    if (up) this.#live.add(member);
    else this.#live.delete(member);
  }

  proposerOf(round: number): MemberRank {
    return proposerAt(this.#list, round);
  }

  /** The term that this block's precommits seed; null when they seed none. */
  beaconTermOf({ header: { kind, slot, term } }: Block): number | null {
    return kind === 'settlement' && isLastSlotOfTerm(this.rules.genesis, slot) ? term + 1 : null;
  }

  /** Next nonce of an account; 0 for one that does not exist. */
  nonceOf(sender: Hex): number {
    const index = accountIndexOf(this.rules.genesis, sender);
    return index === undefined ? 0 : (this.#state.ledger.accounts[index]?.nonce ?? 0);
  }

  keyOf(rank: MemberRank): Hex {
    return this.rules.genesis.members[rank]?.publicKey ?? '';
  }

  /** Public keys of the other members that are connected, in ascending order. */
  liveMembers(): readonly Hex[] {
    return [...this.#live]
      .filter((rank) => rank !== this.self)
      .map((rank) => this.keyOf(rank))
      .sort();
  }
}
