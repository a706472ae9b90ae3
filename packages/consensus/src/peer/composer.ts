import type { Contribution } from '../application/types.ts';
import { chainTimeOf, settlementIsDue, slotEndMs } from '../chain/slots.ts';
import type { ChainRules, ChainState } from '../chain/state.ts';
import type { BlockKind, EvidenceItem, Hash, MemberRank, TransactionBatch } from '../chain/types.ts';
import { composeBlock } from '../composition/compose-block.ts';
import { barredContributions } from '../evidence/index.ts';
import { requiredBatches, requiredContributions } from '../inclusion/index.ts';
import type { Message } from '../wire/messages.ts';
import type { Accusations } from './accusations.ts';
import type { EngineInput } from './agreement.ts';
import { BlockSize } from './block-size.ts';
import type { ContributionPool } from './contribution-pool.ts';
import type { KnownBlocks } from './known-blocks.ts';
import type { Mempool } from './mempool.ts';
import type { Outbox } from './outbox.ts';
import type { PeerOptions } from './ports.ts';
import { mayClose, type SlotView, slotWakeUps } from './slot-policy.ts';
import type { Standing } from './standing.ts';

/** Batches that were asked for by hash and kept although the mempool had no place for them. */
const MAX_FETCHED_BATCHES = 64;
/** Things that one request round asks for. */
const MAX_REQUESTS = 32;
/** A block costs every peer about as much as some hundred transactions do. */
const BATCHES_WORTH_A_BLOCK = 256;
const PACE_FACTOR = 3;
const MAX_PACE_MS = 150;

interface ComposerModules {
  readonly standing: Standing;
  readonly outbox: Outbox;
  readonly options: PeerOptions;
  /** The rules with bytes to settle by. */
  readonly judging: ChainRules;
  readonly mempool: Mempool;
  readonly contributions: ContributionPool;
  readonly accusations: Accusations;
  readonly blocks: KnownBlocks;
  feed(input: EngineInput): void;
  /** Whether this peer catches up with others, and therefore has nothing to compose. */
  isCatchingUp(): boolean;
  /** Whether this event has decided enough heights. */
  hasDecidedEnough(): boolean;
}

/** Decides whether there is a reason for a block, of which kind, and when; and composes it when the engine says so. */
export class Composer {
  readonly #modules: ComposerModules;
  /** Overdue batches of other peers that this one asked for, in order to compose. */
  readonly #fetched = new Map<Hash, TransactionBatch | null>();
  #requests = 0;
  #lastCommitMs = Number.NEGATIVE_INFINITY;
  #composedAt: { readonly blockHash: Hash; readonly nowMs: number } | null = null;
  /** From the composition of this peer's last block until it was decided. */
  #ownHeightMs = 0;
  /** The state after which this peer has seen that a transaction waits, and has told its engine. */
  #considered: ChainState | null = null;

  readonly #size: BlockSize;

  constructor(modules: ComposerModules) {
    const { standing, options } = modules;
    this.#modules = modules;
    // Whoever waits longer for a proposal goes on to the next round.
    this.#size = new BlockSize(standing.rules.genesis.limits.maxTransactionsPerBlock, options.timeouts.proposeMs);
  }

  /** A block was decided: one that was agreed on here, first seen at `sinceMs`, or (null) one that was fetched. */
  onCommit(blockHash: Hash, transactions: number, sinceMs: number | null): void {
    const { nowMs } = this.#modules.standing;
    this.#lastCommitMs = nowMs;
    if (sinceMs !== null) this.#size.onDecided(transactions, nowMs - sinceMs);
    if (this.#composedAt?.blockHash === blockHash) this.#ownHeightMs = Math.max(0, nowMs - this.#composedAt.nowMs);
  }

  enterHeight(): void {
    this.#fetched.clear();
    this.#requests = 0;
  }

  /** Has itself woken when the slot may end, by the clock as it is now. */
  wakeUpInSlot(): void {
    const { standing, options, outbox } = this.#modules;
    const wakeUps = slotWakeUps(standing.rules, standing.state, options, this.#slotView());
    for (const [index, delayMs] of wakeUps.entries()) outbox.timer(`slot/${standing.state.slot}/${index}`, delayMs);
  }

  /** Whether this peer would end the slot now. */
  mayClose(): boolean {
    const { standing, options } = this.#modules;
    return standing.state.phase === 'open' && mayClose(standing.rules, standing.state, options, this.#slotView());
  }

  /** Whether this peer has asked for this batch, in order to compose, and has not got it yet. */
  wants(hash: Hash): boolean {
    return this.#fetched.get(hash) === null;
  }

  /** Takes an authentic batch that this peer wants, even if the mempool has no place for it. */
  supply(hash: Hash, batch: TransactionBatch): void {
    this.#fetched.set(hash, batch);
    this.consider();
  }

  /** Looks for a block to make, unless it is known already what this height waits for: a later batch changes nothing. */
  considerBatches(): void {
    if (this.#considered !== this.#modules.standing.state) this.consider();
  }

  /** Looks for a reason to make a block now or later, and tells the engine. */
  consider(): void {
    const { standing, outbox, options, mempool, feed, isCatchingUp, hasDecidedEnough } = this.#modules;
    const { rules, state, nowMs, height } = standing;
    if (isCatchingUp()) return;
    if (hasDecidedEnough()) {
      // A member that is its own quorum waits for nobody: without a pause it would go on for ever within this event.
      outbox.timer(`pause/${height}`, 0);
      return;
    }
    if (state.phase === 'closed' ? this.#settlementDue() : this.mayClose()) {
      feed({ type: 'reconsider' });
      feed({ type: 'block-wanted' });
      feed({ type: 'can-compose' });
      return;
    }
    if (state.phase === 'closed') {
      outbox.timer(`slot/${state.slot}/closed`, slotEndMs(rules, state.slot) - nowMs);
      return;
    }
    const sinceMs = mempool.waitingSinceMs(rules, state, (sender) => standing.nonceOf(sender));
    if (sinceMs === null) return;
    this.#considered = state;
    const impatientInMs = sinceMs + options.txPatienceMs - nowMs;
    if (impatientInMs <= 0) feed({ type: 'block-wanted' });
    else outbox.timer(`patience/${standing.height}`, impatientInMs);
    const pauseMs = Math.max(options.minBlockIntervalMs, this.#paceMs());
    const waitMs = Math.min(pauseMs, this.#lastCommitMs + pauseMs - nowMs);
    if (waitMs > 0) outbox.timer(`interval/${standing.height}`, waitMs);
    else feed({ type: 'can-compose' });
  }

  /** Answers the engine's `compose` with a block, or with none when there is no reason for one or something is missing. */
  compose(round: number): void {
    const { standing, outbox, judging, mempool, contributions, accusations, blocks, feed } = this.#modules;
    const { rules, state, certificate, self } = standing;
    const kind = this.#kindToCompose();
    const evidence = accusations.select();
    const required = kind === null ? [] : this.#required(kind, evidence);
    const batches =
      kind === null || kind === 'settlement' || required === null
        ? []
        : mempool.select(rules, state, required, certificate, this.#size.limit);
    const lacksBytes = kind === 'settlement' && !blocks.fetchBlobs(blocks.neededBlobs(null), null);
    if (
      kind === null ||
      required === null ||
      self === null ||
      lacksBytes ||
      (kind === 'transactions' && batches.length === 0)
    ) {
      feed({ type: 'composed', round, block: null, blockHash: null });
      return;
    }
    const content = {
      kind,
      composer: self,
      composingRound: round,
      parentCertificate: certificate,
      batches,
      contributions: kind === 'settlement' ? contributions.dueIn(state.slot) : [],
      evidence,
    };
    const { block, blockHash, state: after } = composeBlock(judging, state, content, standing.history);
    blocks.remember(block, blockHash).verdict = { ok: true, state: after };
    this.#composedAt = { blockHash, nowMs: standing.nowMs };
    outbox.notice({ type: 'composed', height: standing.height, round, kind, blockHash, atMs: standing.nowMs });
    feed({ type: 'composed', round, block, blockHash });
  }

  /**
   * How long after a block this peer composes no other one, so that a busy network does not spend its time on many small
   * blocks: some multiple of what its own last block took. Nothing when it is quiet, or when enough waits to fill a block.
   */
  #paceMs(): number {
    const waiting = this.#modules.mempool.batches;
    const members = this.#modules.standing.rules.genesis.members.length;
    if (waiting <= members || waiting >= BATCHES_WORTH_A_BLOCK) return 0;
    return Math.min(MAX_PACE_MS, PACE_FACTOR * this.#ownHeightMs);
  }

  /** After a closing block: whether this peer's clock allows the settlement (or, if chain time lags, another closing block). */
  #settlementDue(): boolean {
    const { rules, state, nowMs } = this.#modules.standing;
    return rules.genesis.slot.clock === 'ready' || nowMs >= slotEndMs(rules, state.slot);
  }

  #slotView(): SlotView {
    const { nowMs, slotSinceMs, live } = this.#modules.standing;
    return { nowMs, slotSinceMs, live, pool: this.#modules.contributions };
  }

  #kindToCompose(): BlockKind | null {
    const { standing, mempool } = this.#modules;
    const { rules, state, certificate } = standing;
    if (state.phase === 'open') {
      if (this.mayClose()) return 'closing';
      const sinceMs = mempool.waitingSinceMs(rules, state, (sender) => standing.nonceOf(sender));
      return sinceMs === null ? null : 'transactions';
    }
    if (!this.#settlementDue()) return null;
    return settlementIsDue(rules, state, chainTimeOf(state, certificate)) ? 'settlement' : 'closing';
  }

  /**
   * The batches that the embedded certificate demands of a block of this kind. Null when something that it demands is not
   * here: this peer asks those who reported it, and proposes nothing until it has come.
   */
  #required(kind: BlockKind, evidence: readonly EvidenceItem[]): readonly TransactionBatch[] | null {
    const { standing, outbox, options, mempool, contributions } = this.#modules;
    const { rules, state, certificate } = standing;
    const missing: string[] = [];
    const batches: TransactionBatch[] = [];
    if (kind === 'settlement') {
      const barred = barredContributions(standing.hearing, evidence);
      for (const key of requiredContributions(rules, state, certificate, barred))
        if (!this.#canSettle(contributions.get(key))) missing.push(key);
      this.#request(missing.slice(0, MAX_REQUESTS).map((key) => ({ type: 'get-contribution', key })));
    } else {
      for (const { hash } of requiredBatches(rules, state, certificate)) {
        const batch = mempool.get(hash) ?? this.#fetched.get(hash);
        if (batch) batches.push(batch);
        else if (missing.push(hash) <= MAX_FETCHED_BATCHES) this.#fetched.set(hash, null);
      }
      this.#request(missing.slice(0, MAX_REQUESTS).map((hash) => ({ type: 'get-batch', hash })));
    }
    if (missing.length === 0) return batches;
    outbox.notice({ type: 'lacking', height: standing.height, items: missing });
    outbox.timer(`require/${standing.height}`, options.syncTimeoutMs / 4);
    return null;
  }

  /**
   * Whether a required contribution is here in words that the settlement records. Its author may have told this peer other
   * ones than those who reported it: then theirs are asked for, and the two together convict it.
   */
  #canSettle(contribution: Contribution | undefined): boolean {
    const { rules, state } = this.#modules.standing;
    return contribution !== undefined && rules.application.admits(rules.genesis, state.app, state.slot, contribution);
  }

  /** Asks f + 1 members whose reports the certificate holds, other ones each time: one of them is honest. */
  #request(messages: readonly Message[]): void {
    const { standing, outbox } = this.#modules;
    const voters = (standing.certificate?.votes ?? [])
      .filter(({ extension }) => extension !== null && (extension.held !== '' || extension.overdue.length > 0))
      .map(({ voter }) => voter)
      .filter((voter) => voter !== standing.self && standing.live.has(voter));
    if (messages.length === 0 || voters.length === 0) return;
    const { members, quorum } = standing.rules.genesis;
    const count = Math.min(voters.length, members.length - quorum + 1);
    for (let k = 0; k < count; k += 1) {
      const voter = voters[(this.#requests + k) % voters.length] as MemberRank;
      for (const message of messages) outbox.send(standing.keyOf(voter), 'request', message);
    }
    this.#requests += count;
  }
}
