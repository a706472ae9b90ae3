import { BlockRejection } from '../application/rejection.ts';
import { batchHash, batchLength } from '../chain/transactions.ts';
import type { Hash, MemberRank, TransactionBatch } from '../chain/types.ts';
import { authenticateBatch } from '../composition/select-batches.ts';
import { accountIndexOf } from '../ledger/draft.ts';
import { MAX_GROUPED_BATCHES, type Message } from '../wire/messages.ts';
import type { Composer } from './composer.ts';
import type { Mempool, PoolRefusal } from './mempool.ts';
import type { Outbox } from './outbox.ts';
import type { Standing } from './standing.ts';

/** So many times the number of other members, in milliseconds, is the shortest time between two messages of batches. */
const TRANSACTIONS_PAUSE_MS = 10;
/** Encoded batches in one message at most, as far as one of them fits. */
const MAX_GROUPED_BYTES = 262_144;
/**
 * Heights after which a batch that only the composer was given is told to everybody: it has had time to travel, to wait
 * for the block under way, and to be in the one after that.
 */
const HEIGHTS_FOR_THE_COMPOSER = 4;
/**
 * Batches that everybody is told about at a time: enough for others to see that the composer leaves something out, and few
 * enough that a network which is behind because it is offered too much is not given all of that a second time.
 */
const MAX_TOLD_AT_ONCE = 128;

interface BatchGossipModules {
  readonly standing: Standing;
  readonly outbox: Outbox;
  readonly mempool: Mempool;
  readonly composer: Composer;
  /** How long a local batch may wait, while no block is made, before the others are told about it. */
  readonly resendMs: number;
  /** The round that this peer is in. */
  round(): number;
}

/** A batch of a local client that was handed to a composer or told to everybody, and when it is told to everybody next. */
interface Told {
  readonly batch: TransactionBatch;
  readonly hash: Hash;
  readonly dueHeight: number;
  /** Heights from the last time on. */
  readonly span: number;
}

/**
 * Takes signed transaction batches into the mempool, and hands those of local clients to the composer.
 *
 * Everybody gets every transaction in its block; told about it beforehand, each peer would receive, decode and hash it a
 * second time. So only who composes is told at first. A batch that does not get into a block within some heights, or waits
 * while no block is made at all, is told to everybody: then others report it, and the next composer must include it.
 */
export class BatchGossip {
  readonly #modules: BatchGossipModules;
  /** Batches of local clients that nobody has been told about, and when anybody was told last. */
  #untold: TransactionBatch[] = [];
  #toldMs = Number.NEGATIVE_INFINITY;
  /** By due height, since both grow together but for what was told again. */
  #told: Told[] = [];
  #composer: MemberRank | null = null;
  #enteredMs = Number.NEGATIVE_INFINITY;

  constructor(modules: BatchGossipModules) {
    this.#modules = modules;
  }

  /**
   * Of several batches, the last reason; `accept` when any of them was of use. `local`: they come from a client of this peer.
   * @throws BlockRejection when one of them must not be sent at all.
   */
  receive(batches: readonly TransactionBatch[], local: boolean): string {
    const verdicts = batches.map((batch) => this.#onBatch(batch, local));
    if (!verdicts.includes('accept')) return verdicts.at(-1) as string;
    this.#modules.composer.considerBatches();
    return 'accept';
  }

  /** Time to hand over what has come in meanwhile. */
  onTimer(): void {
    const { mempool, standing } = this.#modules;
    const batches = this.#untold.filter((batch) => mempool.has(batchHash(batch)));
    this.#untold = [];
    if (batches.length === 0) return;
    this.#toldMs = standing.nowMs;
    this.#handOver(batches);
    this.#remember(batches, HEIGHTS_FOR_THE_COMPOSER);
  }

  /**
   * A block was decided: a new composer is given all that waits here, and everybody what its predecessors have left
   * waiting for too long.
   */
  enterHeight(): void {
    const { mempool, standing } = this.#modules;
    this.#enteredMs = standing.nowMs;
    this.#told = this.#told.filter(({ hash }) => mempool.has(hash));
    const due = this.#told.filter(({ dueHeight }) => dueHeight <= standing.height).slice(0, MAX_TOLD_AT_ONCE);
    if (due.length > 0) {
      const isDue = new Set(due);
      this.#told = this.#told.filter((one) => !isDue.has(one));
      this.#broadcast(
        due.map(({ batch }) => batch),
        true,
      );
      for (const { batch, span } of due) this.#remember([batch], 2 * span);
    }
    this.onNewComposer();
  }

  /** Somebody else may be composing from now on. */
  onNewComposer(): void {
    const composer = this.#composerNow();
    if (composer === this.#composer) return;
    this.#composer = composer;
    this.#handOver(this.#told.map(({ batch }) => batch));
  }

  /** While no block is made, tells everybody about local transactions that wait. */
  resend(): void {
    const { mempool, standing, resendMs } = this.#modules;
    const stillMs = standing.nowMs - this.#enteredMs;
    // A clock that was set back must not silence this peer.
    if (stillMs >= 0 && stillMs < resendMs) return;
    this.#broadcast(mempool.overdueLocal(standing.nowMs, MAX_TOLD_AT_ONCE), true);
  }

  #onBatch(batch: TransactionBatch, local: boolean): string {
    const { standing, mempool, composer, resendMs } = this.#modules;
    const { rules, nowMs } = standing;
    if (accountIndexOf(rules.genesis, batch.sender) === undefined) return 'TRANSACTION_UNKNOWN_SENDER';
    const hash = batchHash(batch);
    // A signature costs more than all the rest together: it is checked only of what this peer would take.
    const isWanted = composer.wants(hash);
    const refusal = mempool.refusal(standing.nonceOf(batch.sender), batch, hash);
    if (refusal === 'known' || (refusal !== null && !isWanted)) return codeOf(refusal);
    const authentic = authenticateBatch(rules, batch);
    if (!authentic.ok) throw new BlockRejection('transactions', authentic.code, authentic.reason);
    if (isWanted) composer.supply(hash, batch);
    const nonce = standing.nonceOf(batch.sender);
    const verdict = mempool.add(standing.state, nonce, batch, hash, nowMs, local ? nowMs + resendMs : null);
    if (verdict !== 'added') return codeOf(verdict);
    if (local) this.#tell(batch);
    return 'accept';
  }

  /**
   * Hands on a batch that was handed in here: at once when it has been quiet, else together with what comes within the next
   * moment. A message costs its receiver the same whatever it holds, so none may get more of them for there being more
   * members.
   */
  #tell(batch: TransactionBatch): void {
    this.#untold.push(batch);
    if (this.#untold.length > 1) return;
    const { standing, outbox } = this.#modules;
    const pauseMs = TRANSACTIONS_PAUSE_MS * (standing.rules.genesis.members.length - 1);
    const waitMs = this.#toldMs + pauseMs - standing.nowMs;
    // A clock that was set back must not silence this peer.
    if (waitMs <= 0 || waitMs > pauseMs) this.onTimer();
    else outbox.timer('tell', waitMs);
  }

  #composerNow(): MemberRank {
    const { standing, round } = this.#modules;
    return standing.proposerOf(round());
  }

  #remember(batches: readonly TransactionBatch[], span: number): void {
    const dueHeight = this.#modules.standing.height + span;
    for (const batch of batches) this.#told.push({ batch, hash: batchHash(batch), dueHeight, span });
  }

  /** To who composes; to everybody when it is not connected. */
  #handOver(batches: readonly TransactionBatch[]): void {
    const { standing, outbox } = this.#modules;
    const composer = this.#composerNow();
    this.#composer = composer;
    if (composer === standing.self) return;
    if (!standing.live.has(composer)) this.#broadcast(batches, true);
    else for (const message of grouped(batches)) outbox.send(standing.keyOf(composer), 'batches', message);
  }

  #broadcast(batches: readonly TransactionBatch[], resend: boolean): void {
    for (const message of grouped(batches)) this.#modules.outbox.broadcast('transactions', message, resend);
  }
}

/** Few messages of many batches each. */
function grouped(batches: readonly TransactionBatch[]): Message[] {
  const messages: Message[] = [];
  let group: TransactionBatch[] = [];
  let bytes = 0;
  const close = (): void => {
    const [only] = group;
    if (group.length === 1 && only !== undefined) messages.push({ type: 'batch', batch: only });
    else if (group.length > 1) messages.push({ type: 'batches', batches: group });
    group = [];
    bytes = 0;
  };
  for (const batch of batches) {
    if (group.length === MAX_GROUPED_BATCHES || bytes + batchLength(batch) > MAX_GROUPED_BYTES) close();
    group.push(batch);
    bytes += batchLength(batch);
  }
  close();
  return messages;
}

function codeOf(refusal: PoolRefusal): string {
  return `TRANSACTION_${refusal.toUpperCase().replaceAll('-', '_')}`;
}
