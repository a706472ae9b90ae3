import type { ChainHistory } from '../../src/chain/history.ts';
import { blockHash, decodeBlock, decodeCertificate, verifyCertificate } from '../../src/chain/index.ts';
import { heldIndices } from '../../src/chain/reports.ts';
import { isLastSlotOfTerm } from '../../src/chain/slots.ts';
import type { ChainRules, ChainState } from '../../src/chain/state.ts';
import type { Block, Hash, Proposal, Vote } from '../../src/chain/types.ts';
import { toHex } from '../../src/codec/index.ts';
import { electionListOf } from '../../src/election/index.ts';
import { decodeState, stateRoot } from '../../src/execution/index.ts';
import { conservationFaults } from '../../src/ledger/conservation.ts';
import { ChainMemory } from '../../src/peer/chain-memory.ts';
import { decodeJournalEntry } from '../../src/peer/journal.ts';
import type { ChainReader, CommitRecord, Outgoing, PeerOutput, StoreWrite } from '../../src/peer/ports.ts';
import { verifyBlock } from '../../src/verification/index.ts';
import { decodeMessage, type Message } from '../../src/wire/messages.ts';
import { type Act, BundleMonitor } from './bundle-monitor.ts';
import { type Draw, drawOf } from './draw-monitor.ts';
import { InvariantViolation } from './violation.ts';

function accusesBlocks(block: Uint8Array): boolean {
  try {
    return decodeBlock(block).evidence.some(({ type }) => type === 'invalid-block');
  } catch {
    return false; // a liar may send what is no block
  }
}

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
  readonly #signedInTheCalm = new Set<string>();
  readonly #prevotes = new Map<string, Set<number>>();
  readonly #locks = new Map<string, SignedVote[]>();
  readonly #shares = new Map<Hash, Set<number>>();
  readonly #latestTimestampMs = new Map<number, number>();
  readonly #dueAt = new Map<Hash, number>();
  readonly acknowledged = new Map<Hash, number>();

  readonly #signedBy: ContributionReader;
  readonly #corrupt: ReadonlySet<number>;
  readonly #lostDisk: number | undefined;
  readonly #held = new Map<Hash, Map<number, Set<number>>>();
  readonly #penalised = new Set<string>();
  readonly #termAt = new Map<number, number>();
  #timelyFrom = Number.POSITIVE_INFINITY;
  /** Corrupt members who have accused another one's block in one of theirs. */
  readonly #accusers = new Set<number>();
  #watching = false;
  /** Corrupt members that were seen to break a rule with their signature while `watchOffenders` was on. */
  readonly offenders = new Set<number>();

  /** What the chain has drawn, for invariant 13. */
  readonly draws: Draw[] = [];
  /** Invariant 16. */
  readonly bundles: BundleMonitor;
  /** What a peer does when it writes this. */
  readonly #acts = new WeakMap<StoreWrite, { readonly act: Act; readonly viaSync: boolean }>();

  constructor(
    rules: ChainRules,
    signedBy: ContributionReader,
    corrupt: ReadonlySet<number>,
    timely: { readonly deliveryMs: number; readonly repairMs: number },
    lostDisk?: number,
  ) {
    this.#rules = rules;
    this.#signedBy = signedBy;
    this.#corrupt = corrupt;
    this.#lostDisk = lostDisk;
    const { members, quorum } = rules.genesis;
    // Who loses its disk may have acted on what nobody else has seen: it is one of the b that the invariant leaves out.
    const forgetful = new Set(lostDisk === undefined ? corrupt : [...corrupt, lostDisk]);
    this.bundles = new BundleMonitor({ members: members.length, quorum, corrupt: forgetful, ...timely });
  }

  /** From this height on the network is timely: no honest member may be penalised for it. */
  timelyFrom(height: number): void {
    this.#timelyFrom = height;
  }

  watchOffenders(): void {
    this.#watching = true;
  }

  /**
   * An honest member calls a block invalid; `composer` reads "member 3". A wrong state root proves nothing of a block that
   * accuses other blocks: they are left out of the proof, and the root rests on them.
   */
  refused(rank: number, composer: string, code: string, reason: string): void {
    const offender = Number(composer.split(' ')[1]);
    if (!this.#corrupt.has(offender))
      throw new InvariantViolation(`3: member ${rank} calls an honest block of ${composer} invalid: ${reason}`);
    const isProvable = code !== 'BLOCK_WRONG_STATE_ROOT' || !this.#accusers.has(offender);
    if (this.#watching && isProvable) this.offenders.add(offender);
  }

  /** Every message that a peer has put on the network, before loss and delay. Null for what is no message. */
  sent(rank: number, outgoing: Outgoing): Message | null {
    const message = this.#corrupt.has(rank) ? readable(outgoing.bytes) : decodeMessage(outgoing.bytes);
    if (message !== null) this.#look(rank, message);
    return message;
  }

  #look(rank: number, message: Message): void {
    if (message.type === 'proposal') {
      this.#onProposal(message.proposal);
      if (this.#corrupt.has(rank) && accusesBlocks(message.block)) this.#accusers.add(rank);
      for (const vote of message.polVotes) this.#onVote(vote);
    }
    if (message.type === 'votes') for (const vote of message.votes) this.#onVote(vote);
    if (message.type === 'contribution') {
      const { key, author } = this.#signedBy(message.bytes);
      if (author === rank) this.#once(rank, key, toHex(message.bytes), '2: an honest member signed two contributions');
    }
  }

  /**
   * What a peer has signed and is about to write, before anything of it is sent. A peer may decide with its own vote and
   * crash before it sends the vote: the others then have the block from its disk.
   */
  signed(rank: number, { writes, notices }: Pick<PeerOutput, 'writes' | 'notices'>): void {
    const synced = new Set(notices.flatMap((one) => (one.type === 'committed' && one.viaSync ? [one.height] : [])));
    for (const write of writes) {
      if (write.type === 'commit') {
        const { height, certificate } = write.commit;
        const { round, blockHash } = decodeCertificate(certificate);
        this.#acts.set(write, { act: { type: 'precommit', height, round, blockHash }, viaSync: synced.has(height) });
        this.bundles.decided(rank, height);
        continue;
      }
      const entry = decodeJournalEntry(write.bytes);
      if (entry?.type !== 'engine' || entry.record.type === 'proposal') continue;
      if (entry.record.type !== 'vote') {
        const { round, blockHash, block } = entry.record;
        this.#acts.set(write, {
          act: { type: 'prevote', height: block.header.height, round, blockHash },
          viaSync: false,
        });
        continue;
      }
      const { vote } = entry.record;
      this.bundles.arrived(rank, [vote]);
      if (vote.blockHash !== null && vote.extension?.beaconShare) this.#countShare(vote.blockHash, rank);
    }
  }

  /** What a peer was about to write lies on its disk. */
  durable(nowMs: number, rank: number, writes: readonly StoreWrite[]): void {
    for (const write of writes) {
      const known = this.#acts.get(write);
      if (known !== undefined) this.bundles.acted(nowMs, rank, known.act, known.viaSync);
    }
  }

  /** A message was delivered to a peer, which did not refuse it. */
  arrived(rank: number, message: Message): void {
    if (message.type === 'votes') this.bundles.arrived(rank, message.votes);
    if (message.type === 'proposal') this.bundles.arrived(rank, message.polVotes);
  }

  #countShare(hash: Hash, voter: number): void {
    this.#shares.set(hash, (this.#shares.get(hash) ?? new Set()).add(voter));
  }

  #onProposal(proposal: Proposal): void {
    this.#once(
      proposal.proposer,
      `proposal/${proposal.proposer}/${proposal.height}/${proposal.round}`,
      `${proposal.blockHash}/${proposal.polRound}`,
      '2: an honest member signed two proposals',
      proposal.height > this.height,
    );
  }

  #onVote(vote: Vote): void {
    const { type, voter, height, round, blockHash: hash } = vote;
    if (type === 'precommit' && hash !== null) this.#noteHeld(vote, hash);
    // A liar's wrapper signs more than its peer writes down.
    if (vote.extension?.beaconShare && hash !== null) this.#countShare(hash, voter);
    const isNew = this.#once(
      voter,
      `${type}/${voter}/${height}/${round}`,
      String(hash),
      '2: an honest member signed two votes',
      height > this.height,
    );
    if (this.#corrupt.has(voter)) {
      if (type === 'prevote' && hash !== null) this.#countPrevote(height, round, hash, voter);
      return;
    }
    if (!isNew) return;
    this.#latestTimestampMs.set(height, Math.max(this.#latestTimestampMs.get(height) ?? 0, vote.timestampMs));
    if (type === 'prevote' && hash !== null) {
      this.#countPrevote(height, round, hash, voter);
      this.#checkLock(vote, hash);
    }
    if (type === 'precommit' && hash !== null) {
      const key = `${voter}/${height}`;
      this.#locks.set(key, [...(this.#locks.get(key) ?? []), { round, hash }]);
    }
  }

  #countPrevote(height: number, round: number, hash: Hash, voter: number): void {
    const key = `${height}/${round}/${hash}`;
    this.#prevotes.set(key, (this.#prevotes.get(key) ?? new Set()).add(voter));
  }

  #noteHeld({ voter, extension }: Vote, hash: Hash): void {
    if (this.#corrupt.has(voter)) return;
    const reports = this.#held.get(hash) ?? new Map<number, Set<number>>();
    for (const index of heldIndices(extension?.held ?? ''))
      reports.set(index, (reports.get(index) ?? new Set()).add(voter));
    this.#held.set(hash, reports);
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

  /**
   * `isInTime`: whether honest peers still listen to the height; what comes later they do not compare. Of two statements
   * that were made in the storm, one may have been lost: then nobody can hold it against the other.
   */
  #once(member: number, key: string, value: string, what: string, isInTime = true): boolean {
    const before = this.#signed.get(key);
    if (before === undefined) {
      this.#signed.set(key, value);
      if (this.#watching) this.#signedInTheCalm.add(key);
    } else if (before !== value) {
      if (!this.#corrupt.has(member)) throw new InvariantViolation(`${what}: ${key}`);
      if (this.#watching && isInTime && this.#signedInTheCalm.has(key)) this.offenders.add(member);
    }
    return before === undefined;
  }

  /** Invariant 9: an honest peer has taken a transaction in fair weather; the last height at which it may be committed. */
  promised(id: Hash, dueHeight: number): void {
    this.#dueAt.set(id, Math.min(this.#dueAt.get(id) ?? Number.POSITIVE_INFINITY, dueHeight));
  }

  /** A height that became durable on an honest peer. */
  committed(rank: number, commit: CommitRecord, reader: ChainReader): void {
    const { height, blockHash: hash } = commit;
    const other = this.#hashAt.get(height);
    if (other !== undefined && other !== hash)
      throw new InvariantViolation(`1: two blocks at height ${height} (member ${rank})`);
    const isNew = other === undefined;
    this.#hashAt.set(height, hash);
    for (const id of commit.transactionIds) {
      this.acknowledged.set(id, height);
      const due = this.#dueAt.get(id) ?? Number.POSITIVE_INFINITY;
      if (height > due) throw new InvariantViolation(`9: a transaction due at height ${due} is committed at ${height}`);
    }
    const certificate = decodeCertificate(commit.certificate);
    const state = decodeState(this.#rules, commit.state);
    const key = `${height}/${state.election.seed === null ? 'open' : state.election.seed}`;
    const list = JSON.stringify(electionListOf(this.#rules, state, certificate));
    const known = this.#listAt.get(key);
    if (known !== undefined && known !== list)
      throw new InvariantViolation(`6: two election lists after height ${height}`);
    this.#listAt.set(key, list);
    if (!isNew) return;
    const { header } = decodeBlock(commit.block);
    this.#termAt.set(height, header.term);
    const draw = header.term === state.term ? null : drawOf(this.#rules, state, certificate, [...this.#corrupt]);
    if (draw !== null) this.draws.push(draw);
    this.#checkPenalties(commit, state);
    this.#checkBlock(commit, new ChainMemory(this.#rules, reader));
  }

  #checkBlock(commit: CommitRecord, history: ChainHistory): void {
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
    const parent = history.at(height - 1).state;
    const state = decodeState(rules, commit.state);
    if (state.chainTimeMs < parent.chainTimeMs) throw new InvariantViolation(`11: chain time fell at height ${height}`);
    if (height > 1 && state.chainTimeMs > Math.max(parent.chainTimeMs, this.#latestTimestampMs.get(height - 1) ?? 0))
      throw new InvariantViolation(`11: chain time of height ${height} is ahead of every honest timestamp`);
    if (block.header.kind === 'settlement') this.#checkInclusion(block, state);
    const [fault] = conservationFaults(state.ledger);
    if (fault !== undefined) throw new InvariantViolation(`15: ${fault} at height ${height}`);
    if (block.header.seedSignature !== null) {
      const signers = this.#shares.get(block.header.parentHash)?.size ?? 0;
      if (signers < rules.genesis.quorum)
        throw new InvariantViolation(`12: the seed of term ${block.header.term} after ${signers} shares`);
    }
    // Last, because it finds in its own way much of what the others find.
    const verdict = verifyBlock(rules, parent, block, commit.blockHash, commit.block.length, history);
    if (!verdict.ok)
      throw new InvariantViolation(`7: committed block ${height} fails its own checks: ${verdict.rejection.message}`);
    if (stateRoot(rules, state) !== stateRoot(rules, verdict.state))
      throw new InvariantViolation(`14: re-execution of height ${height} gives another state`);
  }

  /** Invariants 3 and 15: only those at fault are slashed, and a refusal costs its miner once a term. */
  #checkPenalties({ height, block }: CommitRecord, { discipline }: ChainState): void {
    const { evidence } = decodeBlock(block);
    discipline.outcomes.forEach(({ type, member, fault }, k) => {
      if (member === null) return;
      if (fault !== null) throw new InvariantViolation(`3: member ${member} is punished by what proves nothing`);
      const item = evidence[k];
      if (item?.type !== 'timeout') {
        if (!this.#corrupt.has(member))
          throw new InvariantViolation(`3: honest member ${member} is slashed at height ${height} for ${type}`);
        return;
      }
      // Who has lost its disk lets its turn pass until it has rejoined.
      const isExcused = this.#corrupt.size > 0 || member === this.#lostDisk;
      if (item.height >= this.#timelyFrom && !isExcused)
        throw new InvariantViolation(
          `3: honest member ${member} is penalised for height ${item.height}, in fair weather`,
        );
      const key = `${this.#termAt.get(item.height) ?? this.#termAt.get(height)}/${member}`;
      if (this.#penalised.has(key)) throw new InvariantViolation(`15: two refusal penalties for term/member ${key}`);
      this.#penalised.add(key);
    });
  }

  /** Invariant 10: what `2(n - q) + 1` honest members report for one closing block is in its settlement. */
  #checkInclusion(block: Block, state: ChainState): void {
    const { genesis, application } = this.#rules;
    const n = genesis.members.length;
    const included = application.included(block.payload);
    for (const [index, voters] of this.#held.get(block.header.parentHash) ?? []) {
      if (voters.size < 2 * (n - genesis.quorum) + 1) continue;
      const key = application.owed(genesis, block.header.slot, index % n)[Math.floor(index / n)] ?? '';
      const isBarred = state.discipline.punished.some((one) => one.key === `contributions/${key}`);
      if (!included.has(key) && !isBarred)
        throw new InvariantViolation(`10: ${voters.size} honest members held ${key}, which is not settled`);
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

/** Corrupt members may send anything. */
function readable(bytes: Uint8Array): Message | null {
  try {
    return decodeMessage(bytes);
  } catch {
    return null;
  }
}
