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
  readonly bytes: Uint8Array;
  readonly sinceMs: number;
  readonly sinceHeight: number;
  /** Handed in by a local client: this peer keeps telling the others about it. */
  readonly local: boolean;
}

export type PoolVerdict = 'added' | 'known' | 'stale' | 'too-far-ahead' | 'nonce-taken' | 'pool-full' | 'sender-full';

/**
 * Signed batches that wait for a block. Bounded in total and per sender, so that one account can neither crowd out the
 * others nor exhaust memory; of two batches that claim one nonce the first is kept.
 */
export class Mempool {
  readonly #maxTransactions: number;
  readonly #maxPerSender: number;
  readonly #bySender = new Map<Hex, Map<number, Pooled>>();
  readonly #hashes = new Set<Hash>();
  #transactions = 0;

  constructor(maxTransactions: number, accounts: number) {
    this.#maxTransactions = maxTransactions;
    this.#maxPerSender = Math.max(1_024, Math.ceil((4 * maxTransactions) / Math.max(4, accounts)));
  }

  /** Transactions (not batches) in the pool. */
  get size(): number {
    return this.#transactions;
  }

  has(hash: Hash): boolean {
    return this.#hashes.has(hash);
  }

  /** A waiting batch; undefined when it is not here. */
  get(hash: Hash): TransactionBatch | undefined {
    for (const own of this.#bySender.values())
      for (const pooled of own.values()) if (pooled.hash === hash) return pooled.batch;
    return undefined;
  }

  /**
   * Up to `max` batches that came in before `height` and whose nonce is the next of their sender, the oldest first; what
   * they can pay is not looked at.
   */
  waitingSince(
    height: number,
    nonceOf: (sender: Hex) => number,
    max: number,
  ): { batch: TransactionBatch; hash: Hash }[] {
    return [...this.#bySender]
      .map(([sender, own]) => own.get(nonceOf(sender)))
      .filter((pooled) => pooled !== undefined)
      .filter(({ sinceHeight }) => sinceHeight < height)
      .sort((a, b) => a.sinceHeight - b.sinceHeight || (a.hash < b.hash ? -1 : 1))
      .slice(0, max)
      .map(({ batch, hash }) => ({ batch, hash }));
  }

  /** Adds a batch whose signature and sender have been checked. */
  add(
    state: ChainState,
    accountNonce: number,
    batch: TransactionBatch,
    hash: Hash,
    bytes: Uint8Array,
    nowMs: number,
    local: boolean,
  ): PoolVerdict {
    if (this.#hashes.has(hash)) return 'known';
    const count = batch.operations.length;
    if (batch.firstNonce < accountNonce) return 'stale';
    if (batch.firstNonce + count > accountNonce + NONCE_WINDOW) return 'too-far-ahead';
    if (this.#transactions + count > this.#maxTransactions) return 'pool-full';
    const own = this.#bySender.get(batch.sender) ?? new Map<number, Pooled>();
    let queued = 0;
    for (const other of own.values()) {
      const otherCount = other.batch.operations.length;
      if (batch.firstNonce < other.batch.firstNonce + otherCount && other.batch.firstNonce < batch.firstNonce + count)
        return 'nonce-taken';
      queued += otherCount;
    }
    if (queued + count > this.#maxPerSender) return 'sender-full';
    own.set(batch.firstNonce, { batch, hash, bytes, sinceMs: nowMs, sinceHeight: state.height, local });
    this.#bySender.set(batch.sender, own);
    this.#hashes.add(hash);
    this.#transactions += count;
    return 'added';
  }

  /** What a block of this peer would hold: the required batches, then executable ones, within the chain's limits. */
  select(
    rules: ChainRules,
    parent: ChainState,
    required: readonly TransactionBatch[],
    certificate: Certificate | null,
  ): TransactionBatch[] {
    return selectBatches(rules, parent, this.#inOrder(), required, certificate);
  }

  /** Since when (this peer's clock) the oldest batch that could be executed now has waited; null when there is none. */
  waitingSinceMs(rules: ChainRules, state: ChainState, nonceOf: (sender: Hex) => number): number | null {
    let oldest: number | null = null;
    for (const [sender, own] of this.#bySender) {
      const next = own.get(nonceOf(sender));
      if (next === undefined || (oldest !== null && next.sinceMs >= oldest)) continue;
      if (checkBatch(rules, state, next.batch).ok) oldest = next.sinceMs;
    }
    return oldest;
  }

  /** Bytes of local batches that are older than `ageMs`, to be told to the others again. */
  overdueLocal(nowMs: number, ageMs: number): Uint8Array[] {
    const overdue: Uint8Array[] = [];
    for (const own of this.#bySender.values())
      for (const pooled of own.values())
        if (pooled.local && nowMs - pooled.sinceMs >= ageMs) overdue.push(pooled.bytes);
    return overdue;
  }

  /** Drops what a new head has executed or outdated. */
  prune(height: number, nonceOf: (sender: Hex) => number): void {
    for (const [sender, own] of this.#bySender) {
      const nonce = nonceOf(sender);
      for (const [firstNonce, pooled] of own) {
        if (firstNonce >= nonce && height - pooled.sinceHeight <= MAX_AGE_BLOCKS) continue;
        own.delete(firstNonce);
        this.#hashes.delete(pooled.hash);
        this.#transactions -= pooled.batch.operations.length;
      }
      if (own.size === 0) this.#bySender.delete(sender);
    }
  }

  /** Senders take turns (one batch each, by nonce), so that a full block is shared among them. */
  #inOrder(): TransactionBatch[] {
    const queues = [...this.#bySender.values()].map((own) =>
      [...own.values()].map(({ batch }) => batch).sort((a, b) => a.firstNonce - b.firstNonce),
    );
    const batches: TransactionBatch[] = [];
    for (let turn = 0; queues.some((queue) => turn < queue.length); turn += 1)
      for (const queue of queues) {
        const batch = queue[turn];
        if (batch !== undefined) batches.push(batch);
      }
    return batches;
  }
}
