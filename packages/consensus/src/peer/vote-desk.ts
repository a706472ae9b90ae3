import { isLastSlotOfTerm } from '../chain/slots.ts';
import type { Hash, Vote } from '../chain/types.ts';
import { verifyVote } from '../chain/votes.ts';
import type { EngineInput } from './agreement.ts';
import type { KnownBlocks } from './known-blocks.ts';
import type { Outbox } from './outbox.ts';
import type { Standing } from './standing.ts';

/** Blocks of one height of which this peer asks for a second proposal. */
const MAX_DOUBTED = 8;

interface VoteDeskModules {
  readonly standing: Standing;
  readonly outbox: Outbox;
  readonly blocks: KnownBlocks;
  /** The block that this peer was shown in a round; undefined for none. */
  shownIn(round: number): Hash | undefined;
  feed(input: EngineInput): void;
}

/**
 * Verifies votes before the engine sees them. Those that can only be verified with a block that is not here wait for it, and
 * those for another block than the one shown here raise a doubt.
 */
export class VoteDesk {
  readonly #modules: VoteDeskModules;
  /** Votes for blocks that this peer has not seen, at heights where it must know the block to check their extension. */
  #unplaced: Vote[] = [];
  /** Blocks of this height that others vote for in a round in which this peer was shown another one. */
  readonly #doubted = new Set<Hash>();

  constructor(modules: VoteDeskModules) {
    this.#modules = modules;
  }

  /** A bundle, or a member's own votes of two rounds: what one message can need. Each vote costs a signature check. */
  get mostVotes(): number {
    return Math.max(4, this.#modules.standing.rules.genesis.members.length);
  }

  enterHeight(): void {
    this.#unplaced = [];
    this.#doubted.clear();
  }

  /** Whether a vote waits for this block. */
  awaits(hash: Hash): boolean {
    return this.#unplaced.some((vote) => vote.blockHash === hash);
  }

  /** Votes of this height. @throws BlockRejection when one of them is not what its voter could have signed. */
  receive(votes: readonly Vote[]): string {
    const { standing, feed } = this.#modules;
    const usable: Vote[] = [];
    for (const vote of votes) {
      if (vote.height !== standing.height) return 'VOTES_MIXED_HEIGHTS';
      if (this.#awaitsBlock(vote)) {
        // Signed it must be all the same: what anybody can make up in anybody's name must neither be kept nor looked for.
        const seeding = vote.extension?.beaconShare == null ? null : this.#settlementSeeding(vote);
        verifyVote(standing.rules, vote, seeding);
        this.#keep(vote);
      } else {
        verifyVote(standing.rules, vote, this.#beaconOf(vote));
        usable.push(vote);
      }
    }
    for (const vote of usable) this.#compareProposals(vote);
    if (usable.length > 0) feed({ type: 'votes', votes: usable });
    return 'accept';
  }

  /** A block has come: hands on the votes that waited for it and are valid. */
  place(): void {
    const { standing, feed } = this.#modules;
    const placeable = this.#unplaced.filter((vote) => !this.#awaitsBlock(vote));
    if (placeable.length === 0) return;
    this.#unplaced = this.#unplaced.filter((vote) => this.#awaitsBlock(vote));
    const votes = placeable.filter((vote) => {
      try {
        verifyVote(standing.rules, vote, this.#beaconOf(vote));
        return true;
      } catch {
        return false;
      }
    });
    if (votes.length > 0) feed({ type: 'votes', votes });
  }

  /** Somebody votes for another block than the one that this peer was shown in the round: ask for the proposal of it. */
  #compareProposals({ type, round, blockHash, voter }: Vote): void {
    const { standing, outbox, blocks, shownIn } = this.#modules;
    const shown = shownIn(round);
    if (type !== 'prevote' || blockHash === null || shown === undefined || shown === blockHash) return;
    if (blocks.has(blockHash) || this.#doubted.size >= MAX_DOUBTED || this.#doubted.has(blockHash)) return;
    this.#doubted.add(blockHash);
    const message = { type: 'get-block', height: standing.height, hash: blockHash } as const;
    outbox.send(standing.keyOf(voter), 'request', message);
  }

  /** At the end of a term only the block tells whether a precommit must carry a beacon share. */
  #awaitsBlock(vote: Vote): boolean {
    const { standing, blocks } = this.#modules;
    if (vote.type !== 'precommit' || vote.blockHash === null || standing.state.phase !== 'closed') return false;
    return isLastSlotOfTerm(standing.rules.genesis, standing.state.slot) && !blocks.has(vote.blockHash);
  }

  #beaconOf(vote: Vote): { term: number; settlementHash: Hash } | null {
    const { standing, blocks } = this.#modules;
    const block = vote.blockHash === null ? undefined : blocks.get(vote.blockHash)?.block;
    const term = block === undefined || vote.type !== 'precommit' ? null : standing.beaconTermOf(block);
    return term === null || vote.blockHash === null ? null : { term, settlementHash: vote.blockHash };
  }

  /** What a precommit stands for if its block is the term's last settlement. */
  #settlementSeeding({ blockHash }: Vote): { term: number; settlementHash: Hash } | null {
    const { state } = this.#modules.standing;
    return blockHash === null ? null : { term: state.term + 1, settlementHash: blockHash };
  }

  #keep(vote: Vote): void {
    if (this.#unplaced.some((held) => held.voter === vote.voter && held.round === vote.round)) return;
    // One vote a voter, the newest round: enough to fetch and to place what decides, and bounded.
    this.#unplaced = [...this.#unplaced.filter((held) => held.voter !== vote.voter), vote];
    const { quorum, members } = this.#modules.standing.rules.genesis;
    const backers = this.#unplaced.filter((held) => held.blockHash === vote.blockHash).length;
    if (backers === members.length - quorum + 1 && vote.blockHash !== null) this.#modules.blocks.fetch(vote.blockHash);
  }
}
