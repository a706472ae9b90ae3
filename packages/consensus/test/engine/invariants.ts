import type { Certificate, Hash, MemberRank, Proposal, Vote } from '../../src/chain/types.ts';
import type { LogRecord } from '../../src/engine/index.ts';
import { HEIGHT, voteSignature } from './fake-chain.ts';

/**
 * Watches a simulated height from outside and notes what must never happen. It knows nothing of the engine's state: only
 * what was signed, written to a log, sent and decided.
 */
export class Invariants {
  readonly violations: string[] = [];
  readonly #quorum: number;
  readonly #honest: ReadonlySet<MemberRank>;
  readonly #signed = new Map<string, Vote>();
  readonly #proposed = new Map<string, Proposal>();
  /** Voters by `type/round/hash`, of all votes that anybody has ever signed. */
  readonly #voters = new Map<string, Set<MemberRank>>();
  /** Precommits for blocks by honest members, in the order in which they were signed. */
  readonly #precommits = new Map<MemberRank, Vote[]>();
  readonly #decided = new Map<MemberRank, Hash>();

  constructor(quorum: number, honest: readonly MemberRank[]) {
    this.#quorum = quorum;
    this.#honest = new Set(honest);
  }

  get decisions(): ReadonlyMap<MemberRank, Hash> {
    return this.#decided;
  }

  /** A vote of anybody has come into being. */
  existing(vote: Vote): void {
    const key = `${vote.type}/${vote.round}/${vote.blockHash}`;
    this.#voters.set(key, (this.#voters.get(key) ?? new Set()).add(vote.voter));
  }

  /** An honest member sends a vote: its own or somebody else's. */
  sends(sender: MemberRank, vote: Vote, log: readonly LogRecord[]): void {
    if (vote.voter !== sender) {
      if (this.#honest.has(vote.voter) && !this.#signed.has(placeOf(vote)))
        this.#note(`${sender} sends a vote that ${vote.voter} never signed`);
      return;
    }
    const key = placeOf(vote);
    const earlier = this.#signed.get(key);
    if (earlier !== undefined && JSON.stringify(earlier) !== JSON.stringify(vote))
      this.#note(`${sender} signed ${key} twice`);
    const logged = log.some((record) => record.type === 'vote' && JSON.stringify(record.vote) === JSON.stringify(vote));
    if (!logged) this.#note(`${sender} sends ${key} before it is in its log`);
    if (vote.type === 'precommit' && vote.blockHash !== null) {
      const locked = log.some(
        (record) => record.type === 'lock' && record.round === vote.round && record.blockHash === vote.blockHash,
      );
      if (!locked) this.#note(`${sender} sends ${key} without its lock in the log`);
    }
    if (earlier === undefined) {
      this.#signed.set(key, vote);
      this.existing(vote);
      this.#checkLock(vote);
    }
  }

  /** Protocol section 10, invariant 5. */
  #checkLock(vote: Vote): void {
    if (vote.blockHash === null) return;
    const precommits = this.#precommits.get(vote.voter) ?? [];
    if (vote.type === 'precommit') {
      if (this.#votersFor('prevote', vote.round, vote.blockHash) < this.#quorum)
        this.#note(`${placeOf(vote)} has no quorum of prevotes`);
      this.#precommits.set(vote.voter, [...precommits, vote]);
      return;
    }
    const lock = precommits.filter((earlier) => earlier.round < vote.round).at(-1);
    if (lock === undefined || lock.blockHash === vote.blockHash) return;
    for (let round = lock.round; round < vote.round; round++) {
      if (this.#votersFor('prevote', round, vote.blockHash) >= this.#quorum) return;
    }
    this.#note(`${placeOf(vote)} breaks the lock of round ${lock.round}`);
  }

  #votersFor(type: Vote['type'], round: number, hash: Hash): number {
    return this.#voters.get(`${type}/${round}/${hash}`)?.size ?? 0;
  }

  proposes(sender: MemberRank, proposal: Proposal, log: readonly LogRecord[]): void {
    const key = `proposal/${sender}/${proposal.round}`;
    const earlier = this.#proposed.get(key);
    if (earlier !== undefined && JSON.stringify(earlier) !== JSON.stringify(proposal))
      this.#note(`${sender} signed ${key} twice`);
    this.#proposed.set(key, proposal);
    const logged = log.some((record) => record.type === 'proposal' && record.proposal.blockHash === proposal.blockHash);
    if (!logged) this.#note(`${sender} sends ${key} before it is in its log`);
  }

  decides(member: MemberRank, blockHash: Hash, certificate: Certificate): void {
    const { votes } = certificate;
    const ascending = votes.every((vote, index) => index === 0 || vote.voter > (votes[index - 1] as Vote).voter);
    const uniform = votes.every(
      (vote) =>
        vote.type === 'precommit' &&
        vote.height === HEIGHT &&
        vote.round === certificate.round &&
        vote.blockHash === certificate.blockHash &&
        vote.signature === voteSignature(vote),
    );
    const fits = certificate.height === HEIGHT && certificate.blockHash === blockHash;
    if (votes.length !== this.#quorum || !ascending || !uniform || !fits)
      this.#note(`${member} decides on a bad certificate`);
    for (const [other, hash] of this.#decided) {
      if (hash !== blockHash) this.#note(`agreement: ${other} decides ${hash}, ${member} ${blockHash}`);
    }
    this.#decided.set(member, blockHash);
  }

  #note(violation: string): void {
    this.violations.push(violation);
  }
}

function placeOf(vote: Vote): string {
  return `${vote.type} ${vote.round} of ${vote.voter}`;
}
