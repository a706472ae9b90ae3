import type { Hash, MemberRank, Vote, VoteType } from '../../src/chain/types.ts';
import { type FakeBlock, fakeBlock, fakeProposal, fakeVote } from './fake-chain.ts';
import type { Rng } from './rng.ts';

/**
 * `silent`: the members are down. `split`: all of them equivocate in concert, one story for each half of the honest
 * members. `random`: double votes, equivocating proposals and selective relaying by chance.
 */
export type Strategy = 'silent' | 'split' | 'random';

export type Message =
  | {
      readonly type: 'proposal';
      readonly proposal: ReturnType<typeof fakeProposal>;
      readonly block: FakeBlock;
      readonly polVotes: readonly Vote[];
    }
  | { readonly type: 'votes'; readonly votes: readonly Vote[] };

export interface AdversaryWorld {
  readonly rng: Rng;
  readonly members: number;
  readonly quorum: number;
  readonly honest: readonly MemberRank[];
  readonly byzantine: readonly MemberRank[];
  proposer(round: number): MemberRank;
  send(to: MemberRank, message: Message): void;
}

const VOTE_TYPES: readonly VoteType[] = ['prevote', 'precommit'];

/** All Byzantine members under one mind. It signs with their keys only, and otherwise passes on what it has seen. */
export class Adversary {
  readonly #world: AdversaryWorld;
  readonly #strategy: Strategy;
  readonly #sides: ReadonlyMap<MemberRank, number>;
  /** Per round: the block that it shows to either side; null is nil. */
  readonly #stories = new Map<number, readonly [FakeBlock | null, FakeBlock | null]>();
  readonly #seenBlocks = new Map<Hash, FakeBlock>();
  readonly #seenVotes: Vote[] = [];
  readonly #joined = new Set<number>();

  constructor(world: AdversaryWorld, strategy: Strategy) {
    this.#world = world;
    this.#strategy = strategy;
    const offset = world.rng.int(2);
    this.#sides = new Map(world.honest.map((rank, index) => [rank, (index + offset) % 2]));
  }

  /** The half of the honest members that a member is in; Byzantine members are in the first. */
  sideOf(rank: MemberRank): number {
    return this.#sides.get(rank) ?? 0;
  }

  /** Round 0 needs no message to begin. */
  begin(): void {
    this.#join(0);
  }

  sees(message: Message): void {
    if (this.#strategy === 'silent') return;
    if (message.type === 'proposal') {
      this.#seenBlocks.set(message.block.blockHash, message.block);
      this.#join(message.proposal.round, message.block);
    } else {
      for (const vote of message.votes) {
        this.#seenVotes.push(vote);
        this.#join(vote.round);
      }
    }
    if (this.#strategy === 'random') this.#meddle(message);
  }

  #join(round: number, shown: FakeBlock | null = null): void {
    if (this.#strategy === 'silent' || this.#joined.has(round)) return;
    const proposer = this.#world.proposer(round);
    const own = this.#world.byzantine.includes(proposer);
    if (!own && shown === null) return;
    this.#joined.add(round);
    const story = own
      ? ([fakeBlock(proposer, round, 'left'), fakeBlock(proposer, round, 'right')] as const)
      : ([shown, null] as const);
    this.#stories.set(round, story);
    for (const block of story) if (block !== null) this.#seenBlocks.set(block.blockHash, block);
    if (this.#strategy !== 'split' && this.#world.rng.chance(0.3)) return;
    for (const to of this.#world.honest) {
      const block = story[this.sideOf(to) as 0 | 1];
      if (own && block !== null) {
        this.#world.send(to, {
          type: 'proposal',
          proposal: fakeProposal(proposer, round, block.blockHash),
          block,
          polVotes: [],
        });
      }
      for (const type of VOTE_TYPES) {
        const votes = this.#world.byzantine.map((rank) => fakeVote(type, rank, round, block?.blockHash ?? null));
        this.#world.send(to, { type: 'votes', votes });
      }
    }
  }

  #meddle(message: Message): void {
    const { rng, honest, byzantine } = this.#world;
    if (rng.chance(0.3)) {
      const round = message.type === 'proposal' ? message.proposal.round : (message.votes[0]?.round ?? 0);
      const hashes: (Hash | null)[] = [null, ...this.#seenBlocks.keys()];
      const vote = fakeVote(
        rng.pick(VOTE_TYPES),
        rng.pick(byzantine),
        round + rng.int(2),
        rng.pick(hashes),
        rng.int(5000),
      );
      this.#seenVotes.push(vote);
      this.#world.send(rng.pick(honest), { type: 'votes', votes: [vote] });
    }
    if (rng.chance(0.05))
      this.#world.send(rng.pick(honest), { type: 'votes', votes: this.#seenVotes.slice(-this.#world.members) });
    if (rng.chance(0.05)) this.#proposeAgain();
  }

  /** Proposes an old block again where a Byzantine member has the turn and the prevotes allow it. */
  #proposeAgain(): void {
    const { rng, honest, byzantine, quorum } = this.#world;
    const seen = this.#seenVotes.filter((vote) => vote.type === 'prevote' && vote.blockHash !== null);
    if (seen.length === 0) return;
    const { round: polRound, blockHash } = rng.pick(seen);
    const round = polRound + 1 + rng.int(3);
    const proposer = this.#world.proposer(round);
    const block = this.#seenBlocks.get(blockHash as Hash);
    if (!byzantine.includes(proposer) || block === undefined) return;
    const fitting = seen.filter((vote) => vote.round === polRound && vote.blockHash === blockHash);
    const polVotes = [...new Map(fitting.map((vote) => [vote.voter, vote])).values()].slice(0, quorum);
    const proposal = fakeProposal(proposer, round, block.blockHash, polRound);
    this.#world.send(rng.pick(honest), { type: 'proposal', proposal, block, polVotes });
  }
}
