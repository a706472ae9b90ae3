import { logRecordEncoder } from '../chain/log-codec.ts';
import type {
  Block,
  Certificate,
  EvidenceItem,
  Hash,
  Hex,
  MemberRank,
  Proposal,
  Vote,
  VoteExtension,
} from '../chain/types.ts';
import { proposalDigest, voteDigest } from '../chain/votes.ts';
import type { MemberSigner } from '../crypto/ports.ts';
import { beaconMessage } from '../election/index.ts';
import { type EngineState, restoreHeight, startHeight, step } from '../engine/index.ts';
import type { EngineEffect, EngineEvent, HeightContext, LogRecord, Timeouts } from '../engine/types.ts';
import { timeoutOf } from '../evidence/timeout.ts';
import type { Accusations } from './accusations.ts';
import type { ContributionPool } from './contribution-pool.ts';
import { encodeJournalEntry, heightOf } from './journal.ts';
import type { KnownBlocks } from './known-blocks.ts';
import type { Mempool } from './mempool.ts';
import type { Outbox } from './outbox.ts';
import type { Pledges } from './pledges.ts';
import { reportHeld, reportOverdue } from './reports.ts';
import type { Silence } from './silence.ts';
import type { Standing } from './standing.ts';

/** An event of the engine without its time, which is the peer's. */
export type EngineInput = EngineEvent extends infer E
  ? E extends { nowMs: number }
    ? Omit<E, 'nowMs'>
    : never
  : never;

interface AgreementModules {
  readonly standing: Standing;
  readonly outbox: Outbox;
  readonly blocks: KnownBlocks;
  readonly accusations: Accusations;
  readonly contributions: ContributionPool;
  readonly mempool: Mempool;
  readonly pledges: Pledges;
  readonly timeouts: Timeouts;
  readonly signer: MemberSigner | null;
  readonly silence: Pick<Silence, 'through'>;
  compose(round: number): void;
  /** A later round of the same height has begun: somebody else proposes now. */
  entered(round: number): void;
  decided(block: Block, certificate: Certificate): void;
}

/** Runs the engine of the height that is being decided: signs for it, carries out what it wants, and recalls what it signed. */
export class Agreement {
  readonly #modules: AgreementModules;
  /** What this peer signed at heights above its head, by height: it is sent again, never signed anew. */
  readonly #journal = new Map<number, LogRecord[]>();
  readonly #encodeRecord: (record: LogRecord) => Uint8Array;
  #context!: HeightContext;
  #engine!: EngineState;
  #inputs: EngineInput[] = [];
  #stepping = false;
  #decided: { readonly block: Block; readonly certificate: Certificate } | null = null;

  constructor(modules: AgreementModules) {
    this.#modules = modules;
    this.#encodeRecord = logRecordEncoder((block) => modules.blocks.bytesOf(block));
  }

  get round(): number {
    return this.#engine.round;
  }

  /** Whether this peer must not sign at the height that it is in. */
  get sitsOut(): boolean {
    return this.#modules.standing.height <= this.#modules.silence.through;
  }

  /** Whether this peer has signed, or may have signed, at heights that its chain has not reached (again). */
  get hasBeenFurther(): boolean {
    return this.#journal.size > 0 || this.sitsOut;
  }

  /** Whether this peer follows a height in which it has learned meanwhile that it may sign. */
  get mayTakePart(): boolean {
    return this.#context.self === null && this.#modules.standing.self !== null && !this.sitsOut;
  }

  /** Whether the engine still needs this block of the height. */
  needs(blockHash: Hash): boolean {
    const { locked, valid } = this.#engine;
    return locked?.blockHash === blockHash || valid?.blockHash === blockHash;
  }

  /** The block that this peer was shown in a round of this height; undefined for none. */
  shownIn(round: number): Hash | undefined {
    return this.#engine.rounds.get(round)?.proposal?.proposal.blockHash;
  }

  /** Whether a quorum has voted for this block, which is not here. */
  lacks(blockHash: Hash): boolean {
    return this.#engine.missing.includes(blockHash);
  }

  /** Takes a journalled record, before the first height is entered. */
  recall(record: LogRecord): void {
    if (heightOf(record) <= this.#modules.standing.state.height) return;
    const records = this.#journal.get(heightOf(record)) ?? [];
    this.#journal.set(heightOf(record), [...records, record]);
  }

  /** Journal entries that the next height's journal must still hold. */
  carry(): readonly Uint8Array[] {
    return [...this.#journal.values()].flat().map((record) => encodeJournalEntry({ type: 'engine', record }));
  }

  /** Begins the height after the head, or goes on with it where this peer left off. */
  enterHeight(): void {
    const { standing, outbox, blocks } = this.#modules;
    const records = this.#journal.get(standing.height) ?? [];
    this.#journal.delete(standing.height);
    this.#inputs = [];
    this.#context = this.#heightContext();
    if (this.sitsOut) outbox.notice({ type: 'sitting-out', height: standing.height });
    // Of a damaged journal some records may be left: they are not all that it signed, so the engine takes no part at all.
    if (records.length === 0 || this.sitsOut) {
      this.#engine = startHeight(this.#context);
      return;
    }
    for (const record of records) if (record.type !== 'vote') blocks.remember(record.block);
    const { state, effects } = restoreHeight(this.#context, records);
    this.#engine = state;
    for (const effect of effects) this.#apply(effect);
  }

  /** Tells the engine something. What it leads to is done before this returns, unless the engine is at work already. */
  feed(input: EngineInput): void {
    this.#inputs.push(input);
    if (this.#stepping) return;
    const { standing, outbox, decided, entered } = this.#modules;
    this.#stepping = true;
    try {
      for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) {
        const { state, effects } = step(this.#context, this.#engine, { ...next, nowMs: standing.nowMs } as EngineEvent);
        const isLater = state.round > this.#engine.round;
        this.#engine = state;
        if (isLater) {
          outbox.notice({ type: 'round', height: this.#context.height, round: state.round });
          entered(state.round);
        }
        for (const effect of effects) this.#apply(effect);
        if (this.#decided === null) continue;
        const { block, certificate } = this.#decided;
        this.#decided = null;
        decided(block, certificate);
      }
    } finally {
      this.#stepping = false;
    }
  }

  #apply(effect: EngineEffect): void {
    const { standing, outbox, blocks, accusations, pledges, compose } = this.#modules;
    switch (effect.type) {
      case 'persist': {
        const { record } = effect;
        if (record.type === 'lock' || record.type === 'valid')
          pledges.lock(record.block.header.height, blocks.neededBlobs(record.block));
        const bytes = encodeJournalEntry({ type: 'engine', record }, this.#encodeRecord);
        outbox.write({ type: 'journal', bytes });
        return;
      }
      case 'send-vote':
        outbox.send(standing.keyOf(effect.to), 'votes', { type: 'votes', votes: [effect.vote] });
        return;
      case 'broadcast-votes':
        outbox.broadcast('bundles', { type: 'votes', votes: effect.votes }, true);
        return;
      case 'broadcast-proposal': {
        const { proposal, polVotes } = effect;
        const block = blocks.remember(effect.block, proposal.blockHash).bytes;
        outbox.broadcast('proposals', { type: 'proposal', proposal, block, polVotes }, true);
        return;
      }
      case 'schedule': {
        const { name, height, round } = effect.timer;
        outbox.timer(`engine/${name}/${height}/${round}`, effect.delayMs);
        return;
      }
      case 'compose':
        compose(effect.round);
        return;
      case 'fetch-block':
        blocks.fetch(effect.blockHash);
        return;
      case 'decide':
        this.#decided = effect;
        return;
      case 'conflict': {
        const member = 'voter' in effect.first ? effect.first.voter : effect.first.proposer;
        const what = 'voter' in effect.first ? effect.first.type : 'proposal';
        outbox.notice({ type: 'conflict', member, height: effect.first.height, what });
        accusations.accuse(conflictOf(effect.first, effect.second));
        return;
      }
      case 'timed-out':
        accusations.accuse(timeoutOf(effect.votes));
    }
  }

  #heightContext(): HeightContext {
    const { standing, blocks, timeouts, signer } = this.#modules;
    const { genesis, chainId } = standing.rules;
    const self = standing.self as MemberRank;
    const sign = (digest: Hash): Hex => {
      if (signer === null) throw new Error('a follower was asked to sign');
      return signer.sign(digest);
    };
    return {
      height: standing.height,
      members: genesis.members.length,
      quorum: genesis.quorum,
      self: this.sitsOut ? null : standing.self,
      timeouts,
      proposer: (round) => standing.proposerOf(round),
      judge: (block, blockHash) => blocks.judge(block, blockHash),
      signVote: (vote) => {
        const unsigned = { ...vote, voter: self };
        return { ...unsigned, signature: sign(voteDigest(chainId, unsigned)) };
      },
      signProposal: (proposal) => {
        const unsigned = { ...proposal, proposer: self };
        return { ...unsigned, signature: sign(proposalDigest(chainId, unsigned)) };
      },
      extend: (block, blockHash) => this.#extend(block, blockHash),
    };
  }

  #extend(block: Block, blockHash: Hash): VoteExtension {
    const { standing, blocks, contributions, mempool, pledges, signer } = this.#modules;
    const term = standing.beaconTermOf(block);
    const message = term === null ? null : beaconMessage(standing.rules.chainId, term, blockHash);
    const verdict = blocks.get(blockHash)?.verdict;
    const { held, contributions: holds } = reportHeld(standing.hearing, block, contributions);
    const { overdue, batches } = verdict?.ok
      ? reportOverdue(standing.rules, verdict.state, mempool)
      : { overdue: [], batches: [] };
    pledges.report({ contributions: holds, batches });
    return {
      beaconShare: message === null ? null : (signer?.signBeaconShare(message) ?? null),
      held,
      overdue,
    };
  }
}

function conflictOf(first: Vote | Proposal, second: Vote | Proposal): EvidenceItem {
  if ('voter' in first && 'voter' in second) return { type: 'votes', first, second };
  return { type: 'proposals', first: first as Proposal, second: second as Proposal };
}
