import type { ChainRules, ChainState } from '../chain/state.ts';
import type { Certificate, Hash, Hex, TransactionBatch } from '../chain/types.ts';
import { checkBatch, selectBatches } from '../composition/select-batches.ts';

/** How far ahead of its account's nonce a batch may be and still be kept, in transactions. */
const NONCE_WINDOW = 8_192;
/** A batch that could not be executed for so many blocks is dropped. */
const MAX_AGE_BLOCKS = 2_000;

interface Pooled {
  readonly batch: TransactionBatch;
  readonly hash: Hash;
  readonly sinceMs: number;
  readonly sinceHeight: number;
  /** When a batch of a local client is told to the others again; null for what came from them. */
  resendAtMs: number | null;
}

/** What one sender has in the pool, by nonce. */
interface SenderQueue {
  pooled: Pooled[];
  transactions: number;
}

export type PoolRefusal = 'known' | 'stale' | 'too-far-ahead' | 'nonce-taken' | 'pool-full' | 'sender-full';
export type PoolVerdict = 'added' | PoolRefusal;

/**
 * Signed batches that wait for a block. Bounded in total and per sender, so that one account can neither crowd out the
 * others nor exhaust memory; of two batches that claim one nonce the first is kept.
 */
export class Mempool {
  readonly #maxTransactions: number;
  readonly #maxPerSender: number;
  readonly #bySender = new Map<Hex, SenderQueue>();
  readonly #hashes = new Set<Hash>();
  #transactions = 0;

  constructor(maxTransactions: number, accounts: number) {
    this.#maxTransactions = maxTransactions;
    // Twice its share and no more: fewer than a third of the members may be hostile, and must not fill the pool together.
    this.#maxPerSender = Math.max(1_024, Math.ceil((2 * maxTransactions) / Math.max(2, accounts)));
  }

  /** Transactions (not batches) in the pool. */
  get size(): number {
    return this.#transactions;
  }

  get batches(): number {
    return this.#hashes.size;
  }

  has(hash: Hash): boolean {
    return this.#hashes.has(hash);
  }

  /** A waiting batch; undefined when it is not here. */
  get(hash: Hash): TransactionBatch | undefined {
    if (!this.#hashes.has(hash)) return undefined;
    for (const { pooled } of this.#bySender.values()) for (const one of pooled) if (one.hash === hash) return one.batch;
    return undefined;
  }

  /**
   * Up to `max` batches that came in before `height` and whose nonce is the next of their sender, the oldest first; what
   * they can pay is not looked at. None that is about to be dropped: what is reported must stay.
   */
  waitingSince(
    height: number,
    nonceOf: (sender: Hex) => number,
    max: number,
  ): { batch: TransactionBatch; hash: Hash }[] {
    return [...this.#bySender]
      .map(([sender, { pooled }]) => {
        const nonce = nonceOf(sender);
        return pooled.find(({ batch }) => batch.firstNonce === nonce);
      })
      .filter((pooled) => pooled !== undefined)
      .filter(({ sinceHeight }) => sinceHeight < height && height - sinceHeight < MAX_AGE_BLOCKS / 2)
      .sort((a, b) => a.sinceHeight - b.sinceHeight || (a.hash < b.hash ? -1 : 1))
      .slice(0, max)
      .map(({ batch, hash }) => ({ batch, hash }));
  }

  /** Why the pool would not take a batch, whatever its signature; null when it would. Costs next to nothing. */
  refusal(accountNonce: number, batch: TransactionBatch, hash: Hash): PoolRefusal | null {
    if (this.#hashes.has(hash)) return 'known';
    const count = batch.operations.length;
    if (batch.firstNonce < accountNonce) return 'stale';
    if (batch.firstNonce + count > accountNonce + NONCE_WINDOW) return 'too-far-ahead';
    if (this.#transactions + count > this.#maxTransactions) return 'pool-full';
    const own = this.#bySender.get(batch.sender);
    const place = own === undefined ? 0 : placeOf(own.pooled, batch.firstNonce);
    const before = own?.pooled[place - 1];
    const after = own?.pooled[place];
    if (before !== undefined && endOf(before) > batch.firstNonce) return 'nonce-taken';
    if (after !== undefined && after.batch.firstNonce < batch.firstNonce + count) return 'nonce-taken';
    if ((own?.transactions ?? 0) + count > this.#maxPerSender) return 'sender-full';
    return null;
  }

  /** Adds a batch whose signature and sender have been checked; `resendAtMs` is null unless a local client handed it in. */
  add(
    state: ChainState,
    accountNonce: number,
    batch: TransactionBatch,
    hash: Hash,
    nowMs: number,
    resendAtMs: number | null,
  ): PoolVerdict {
    const refusal = this.refusal(accountNonce, batch, hash);
    if (refusal !== null) return refusal;
    const count = batch.operations.length;
    const own = this.#bySender.get(batch.sender) ?? { pooled: [], transactions: 0 };
    const place = placeOf(own.pooled, batch.firstNonce);
    const pooled: Pooled = { batch, hash, sinceMs: nowMs, sinceHeight: state.height, resendAtMs };
    if (place === own.pooled.length) own.pooled.push(pooled);
    else own.pooled.splice(place, 0, pooled);
    own.transactions += count;
    this.#bySender.set(batch.sender, own);
    this.#hashes.add(hash);
    this.#transactions += count;
    return 'added';
  }

  /** What a block of this peer would hold: the required batches, then executable ones, within the chain's limits and `atMost`. */
  select(
    rules: ChainRules,
    parent: ChainState,
    required: readonly TransactionBatch[] = [],
    certificate: Certificate | null = null,
    atMost?: number,
  ): TransactionBatch[] {
    return selectBatches(rules, parent, batchesOf(this.#inTurns()), required, certificate, atMost);
  }

  /** Since when (this peer's clock) the oldest batch that could be executed now has waited; null when there is none. */
  waitingSinceMs(rules: ChainRules, state: ChainState, nonceOf: (sender: Hex) => number): number | null {
    let oldest: number | null = null;
    for (const [sender, { pooled }] of this.#bySender) {
      const nonce = nonceOf(sender);
      const next = pooled[placeOf(pooled, nonce)];
      if (next === undefined || next.batch.firstNonce !== nonce) continue;
      if (oldest !== null && next.sinceMs >= oldest) continue;
      if (checkBatch(rules, state, next.batch).ok) oldest = next.sinceMs;
    }
    return oldest;
  }

  /** Up to `max` local batches that the others should be told about, the first of each sender first, each after twice the time of the last. */
  overdueLocal(nowMs: number, max: number): TransactionBatch[] {
    const overdue: TransactionBatch[] = [];
    for (const one of this.#inTurns()) {
      if (overdue.length === max) break;
      if (one.resendAtMs === null || nowMs < one.resendAtMs) continue;
      one.resendAtMs = nowMs + 2 * Math.max(1, one.resendAtMs - one.sinceMs);
      overdue.push(one.batch);
    }
    return overdue;
  }

  /** Drops what a new head has executed or outdated. */
  prune(height: number, nonceOf: (sender: Hex) => number): void {
    for (const [sender, own] of this.#bySender) {
      const nonce = nonceOf(sender);
      const kept = own.pooled.filter((one) => {
        if (one.batch.firstNonce >= nonce && height - one.sinceHeight <= MAX_AGE_BLOCKS) return true;
        this.#hashes.delete(one.hash);
        this.#transactions -= one.batch.operations.length;
        own.transactions -= one.batch.operations.length;
        return false;
      });
      if (kept.length === 0) this.#bySender.delete(sender);
      else if (kept.length < own.pooled.length) own.pooled = kept;
    }
  }

  /** Senders take turns (one batch each, by nonce), so that a full block is shared among them. */
  *#inTurns(): Generator<Pooled> {
    let queues = [...this.#bySender.values()].map(({ pooled }) => pooled);
    for (let turn = 0; queues.length > 0; turn += 1) {
      queues = queues.filter((queue) => turn < queue.length);
      for (const queue of queues) yield queue[turn] as Pooled;
    }
  }
}

function* batchesOf(pooled: Iterable<Pooled>): Generator<TransactionBatch> {
  for (const { batch } of pooled) yield batch;
}

function endOf({ batch }: Pooled): number {
  return batch.firstNonce + batch.operations.length;
}

/** Place of the first batch whose first nonce is at least `nonce`; mostly the end, so it is looked for from there. */
function placeOf(pooled: readonly Pooled[], nonce: number): number {
  const last = pooled.at(-1);
  if (last === undefined || last.batch.firstNonce < nonce) return pooled.length;
  let low = 0;
  let high = pooled.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((pooled[middle] as Pooled).batch.firstNonce < nonce) low = middle + 1;
    else high = middle;
  }
  return low;
}
