import { blockHash, decodeBlock, decodeCertificate, verifyCertificate } from '../../src/chain/index.ts';
import { isLastSlotOfTerm } from '../../src/chain/slots.ts';
import type { ChainRules } from '../../src/chain/state.ts';
import type { Hash, Proposal, Vote } from '../../src/chain/types.ts';
import { toHex } from '../../src/codec/index.ts';
import { electionListOf } from '../../src/election/index.ts';
import { decodeState, genesisState, stateRoot } from '../../src/execution/index.ts';
import { conservationFaults } from '../../src/ledger/conservation.ts';
import type { CommitRecord, Outgoing } from '../../src/peer/ports.ts';
import { verifyBlock } from '../../src/verification/index.ts';
import { decodeMessage } from '../../src/wire/messages.ts';

/** What protocol section 10 promises and a world has broken; the message starts with the invariant's number. */
export class InvariantViolation extends Error {}

/** Who has signed the bytes of a contribution, and in which place. */
export type ContributionReader = (bytes: Uint8Array) => { readonly key: string; readonly author: number };

interface SignedVote {
  readonly round: number;
  readonly hash: Hash | null;
}

/**
 * Watches everything that honest peers send and commit, from outside, and raises the first violation. It shares no code
 * with the engine's own bookkeeping: it looks at messages and committed bytes only.
 */
export class Monitors {
  readonly #rules: ChainRules;
  readonly #hashAt = new Map<number, Hash>();
  readonly #listAt = new Map<string, string>();
  readonly #signed = new Map<string, string>();
  readonly #prevotes = new Map<string, Set<number>>();
  readonly #locks = new Map<string, SignedVote[]>();
  readonly #shares = new Map<Hash, Set<number>>();
  readonly #latestTimestampMs = new Map<number, number>();
  readonly acknowledged = new Map<Hash, number>();

  readonly #signedBy: ContributionReader;

  constructor(rules: ChainRules, signedBy: ContributionReader) {
    this.#rules = rules;
    this.#signedBy = signedBy;
  }

  /** Every message that an honest peer has put on the network, before loss and delay. */
  sent(rank: number, outgoing: Outgoing): void {
    const message = decodeMessage(outgoing.bytes);
    if (message.type === 'proposal') {
      this.#onProposal(message.proposal);
      for (const vote of message.polVotes) this.#onVote(vote);
    }
    if (message.type === 'votes') for (const vote of message.votes) this.#onVote(vote);
    if (message.type === 'contribution') {
      const { key, author } = this.#signedBy(message.bytes);
      if (author === rank) this.#once(key, toHex(message.bytes), '2: an honest member signed two contributions');
    }
  }

  #onProposal(proposal: Proposal): void {
    this.#once(
      `proposal/${proposal.proposer}/${proposal.height}/${proposal.round}`,
      `${proposal.blockHash}/${proposal.polRound}`,
      '2: an honest member signed two proposals',
    );
  }

  #onVote(vote: Vote): void {
    const { type, voter, height, round, blockHash: hash } = vote;
    const isNew = this.#once(
      `${type}/${voter}/${height}/${round}`,
      String(hash),
      '2: an honest member signed two votes',
    );
    if (!isNew) return;
    this.#latestTimestampMs.set(height, Math.max(this.#latestTimestampMs.get(height) ?? 0, vote.timestampMs));
    if (type === 'prevote' && hash !== null) {
      const key = `${height}/${round}/${hash}`;
      this.#prevotes.set(key, (this.#prevotes.get(key) ?? new Set()).add(voter));
      this.#checkLock(vote, hash);
    }
    if (type === 'precommit' && hash !== null) {
      const key = `${voter}/${height}`;
      this.#locks.set(key, [...(this.#locks.get(key) ?? []), { round, hash }]);
      if (vote.extension?.beaconShare) this.#shares.set(hash, (this.#shares.get(hash) ?? new Set()).add(voter));
    }
  }

  /** Invariant 5: who precommitted another value before must be able to point at q prevotes from its lock's round or later. */
  #checkLock({ voter, height, round }: Vote, hash: Hash): void {
    const locks = (this.#locks.get(`${voter}/${height}`) ?? []).filter((lock) => lock.round < round);
    const lock = locks.sort((a, b) => b.round - a.round)[0];
    if (lock === undefined || lock.hash === hash) return;
    for (let r = lock.round; r < round; r += 1)
      if ((this.#prevotes.get(`${height}/${r}/${hash}`)?.size ?? 0) >= this.#rules.genesis.quorum) return;
    throw new InvariantViolation(
      `5: member ${voter} prevoted ${hash.slice(0, 8)} at ${height}/${round} against its lock of round ${lock.round}`,
    );
  }

  #once(key: string, value: string, what: string): boolean {
    const before = this.#signed.get(key);
    if (before === undefined) this.#signed.set(key, value);
    else if (before !== value) throw new InvariantViolation(`${what}: ${key}`);
    return before === undefined;
  }

  /** A height that became durable on an honest peer. */
  committed(rank: number, commit: CommitRecord, parentState: Uint8Array | null): void {
    const { height, blockHash: hash } = commit;
    const other = this.#hashAt.get(height);
    if (other !== undefined && other !== hash)
      throw new InvariantViolation(`1: two blocks at height ${height} (member ${rank})`);
    const isNew = other === undefined;
    this.#hashAt.set(height, hash);
    for (const id of commit.transactionIds) this.acknowledged.set(id, height);
    const certificate = decodeCertificate(commit.certificate);
    const state = decodeState(this.#rules, commit.state);
    const key = `${height}/${state.election.seed === null ? 'open' : state.election.seed}`;
    const list = JSON.stringify(electionListOf(this.#rules, state, certificate));
    const known = this.#listAt.get(key);
    if (known !== undefined && known !== list)
      throw new InvariantViolation(`6: two election lists after height ${height}`);
    this.#listAt.set(key, list);
    if (!isNew) return;
    this.#checkBlock(commit, parentState);
  }

  #checkBlock(commit: CommitRecord, parentState: Uint8Array | null): void {
    const rules = this.#rules;
    const { height } = commit;
    const block = decodeBlock(commit.block);
    if (blockHash(block.header) !== commit.blockHash)
      throw new InvariantViolation(`7: stored bytes of height ${height} have another hash`);
    const seeds = block.header.kind === 'settlement' && isLastSlotOfTerm(rules.genesis, block.header.slot);
    try {
      verifyCertificate(rules, decodeCertificate(commit.certificate), seeds ? block.header.term + 1 : null);
    } catch (error) {
      throw new InvariantViolation(`4: certificate of height ${height}: ${(error as Error).message}`);
    }
    const parent = parentState === null ? genesisState(rules) : decodeState(rules, parentState);
    const verdict = verifyBlock(rules, parent, block, commit.blockHash, commit.block.length);
    if (!verdict.ok)
      throw new InvariantViolation(`7: committed block ${height} fails its own checks: ${verdict.rejection.message}`);
    const state = decodeState(rules, commit.state);
    if (stateRoot(rules, state) !== stateRoot(rules, verdict.state))
      throw new InvariantViolation(`14: re-execution of height ${height} gives another state`);
    if (state.chainTimeMs < parent.chainTimeMs) throw new InvariantViolation(`11: chain time fell at height ${height}`);
    if (height > 1 && state.chainTimeMs > Math.max(parent.chainTimeMs, this.#latestTimestampMs.get(height - 1) ?? 0))
      throw new InvariantViolation(`11: chain time of height ${height} is ahead of every honest timestamp`);
    const [fault] = conservationFaults(state.ledger);
    if (fault !== undefined) throw new InvariantViolation(`15: ${fault} at height ${height}`);
    if (block.header.seedSignature !== null) {
      const signers = this.#shares.get(block.header.parentHash)?.size ?? 0;
      if (signers < rules.genesis.quorum)
        throw new InvariantViolation(`12: the seed of term ${block.header.term} after ${signers} shares`);
    }
  }

  get height(): number {
    return Math.max(0, ...this.#hashAt.keys());
  }

  /** Nothing that a client was told is committed may be missing from a chain that is at least as long. */
  checkAcknowledged(commits: readonly CommitRecord[]): void {
    const present = new Set(commits.flatMap(({ transactionIds }) => transactionIds));
    for (const [id, height] of this.acknowledged)
      if (height <= commits.length && !present.has(id))
        throw new InvariantViolation(`acknowledged transaction ${id} of height ${height} is lost`);
  }
}
