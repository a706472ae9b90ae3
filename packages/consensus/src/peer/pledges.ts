import type { Contribution } from '../application/types.ts';
import { batchHash } from '../chain/transactions.ts';
import type { Hash, TransactionBatch } from '../chain/types.ts';
import { decodeMessage, encodeMessage, type Message } from '../wire/messages.ts';
import type { BlobPool } from './blob-pool.ts';
import type { ContributionPool } from './contribution-pool.ts';
import { encodeJournalEntry } from './journal.ts';
import type { Mempool } from './mempool.ts';
import type { Outbox } from './outbox.ts';
import type { OwnContributions } from './own-contributions.ts';
import type { ChainReader } from './ports.ts';
import type { Standing } from './standing.ts';

/** What a precommit says that its voter holds. */
export interface Reported {
  readonly contributions: readonly Contribution[];
  readonly batches: readonly { readonly hash: Hash; readonly batch: TransactionBatch }[];
}

interface PledgesModules {
  readonly standing: Standing;
  readonly outbox: Outbox;
  readonly contributions: ContributionPool;
  readonly mempool: Mempool;
  readonly blobs: Pick<BlobPool, 'add' | 'get'>;
  readonly reader: ChainReader;
  own(): Pick<OwnContributions, 'has' | 'holdsBlob'>;
}

interface Kept {
  /** As the journal holds it. */
  readonly entry: Uint8Array;
  /** Hash of the bytes that come with it, if any. */
  readonly blob: Hash | null;
  /** Whether somebody may still need it. */
  isOpen(): boolean;
}

/**
 * What others may come to need of this peer, and of nobody else: it is journalled before the vote that makes them rely on
 * it, and given out after a restart.
 *
 * - What a precommit reports. What f + 1 voters report must be in the next block, and only one of them need be correct: if
 *   that one forgot it in a crash, nobody could compose any more.
 * - Bytes that a block names which this peer locks. Whoever is locked can accept nothing else, and cannot judge the block
 *   again without them; a model that was made of them could be lost with them.
 */
export class Pledges {
  readonly #modules: PledgesModules;
  /** By key or hash. */
  readonly #kept = new Map<string, Kept>();

  constructor(modules: PledgesModules) {
    this.#modules = modules;
  }

  /** Journals what is reported for the first time. What this member has signed itself is in the journal already. */
  report({ contributions, batches }: Reported): void {
    const own = this.#modules.own();
    for (const contribution of contributions)
      if (!own.has(contribution.key)) this.#write(contribution.key, this.#contribution(contribution));
    for (const { hash, batch } of batches) this.#write(hash, this.#batch(hash, batch));
  }

  /** Journals bytes that a block of `height` names, unless they are on the disk in some other way. */
  lock(height: number, hashes: readonly Hash[]): void {
    const { blobs, reader } = this.#modules;
    const own = this.#modules.own();
    const journalled = new Set([...this.#kept.values()].map(({ blob }) => blob));
    for (const hash of hashes) {
      const bytes = blobs.get(hash);
      const isSafe = journalled.has(hash) || own.holdsBlob(hash) || (reader.blob?.(hash) ?? null) !== null;
      if (bytes !== null && !isSafe) this.#write(hash, this.#blob(height, hash, bytes));
    }
  }

  /** Takes a journalled report, before the first height is entered; what is of no use any more is let go. */
  recall(bytes: Uint8Array): void {
    const { standing, contributions, mempool, blobs } = this.#modules;
    const { rules, state, nowMs } = standing;
    const message = decodeMessage(bytes);
    if (message.type === 'contribution') {
      // Also of slots that the head has not reached again: a store that has lost its newest blocks catches up with them.
      const verdict = rules.application.checkContribution(rules.genesis, rules.chainId, message.bytes, null);
      if (!verdict.ok || verdict.contribution.dueInSlot < state.slot) return;
      const { key, blob } = verdict.contribution;
      contributions.add(verdict.contribution);
      if (blob !== undefined) blobs.add(blob.bytes);
      this.#kept.set(key, this.#contribution(verdict.contribution));
    }
    if (message.type === 'batch') {
      const { batch } = message;
      const hash = batchHash(batch);
      if (mempool.add(state, standing.nonceOf(batch.sender), batch, hash, nowMs, null) === 'added')
        this.#kept.set(hash, this.#batch(hash, batch));
    }
  }

  /** Takes journalled bytes, before the first height is entered. */
  recallBlob(height: number, bytes: Uint8Array): void {
    const { standing, blobs } = this.#modules;
    if (height <= standing.state.height) return;
    const hash = blobs.add(bytes);
    this.#kept.set(hash, this.#blob(height, hash, bytes));
  }

  /** Journal entries that the next height's journal must still hold. */
  carry(): readonly Uint8Array[] {
    for (const [key, kept] of this.#kept) if (!kept.isOpen()) this.#kept.delete(key);
    return [...this.#kept.values()].map(({ entry }) => entry);
  }

  #contribution({ bytes, blob, dueInSlot }: Contribution): Kept {
    const { standing } = this.#modules;
    const isOpen = (): boolean => dueInSlot >= standing.state.slot;
    return { entry: reportEntry({ type: 'contribution', bytes }), blob: blob?.hash ?? null, isOpen };
  }

  #batch(hash: Hash, batch: TransactionBatch): Kept {
    const isOpen = (): boolean => this.#modules.mempool.has(hash);
    return { entry: reportEntry({ type: 'batch', batch }), blob: null, isOpen };
  }

  #blob(height: number, hash: Hash, bytes: Uint8Array): Kept {
    const isOpen = (): boolean => height > this.#modules.standing.state.height;
    return { entry: encodeJournalEntry({ type: 'blob', height, bytes }), blob: hash, isOpen };
  }

  #write(key: string, kept: Kept): void {
    if (this.#kept.has(key)) return;
    this.#kept.set(key, kept);
    this.#modules.outbox.write({ type: 'journal', bytes: kept.entry });
  }
}

function reportEntry(message: Message): Uint8Array {
  return encodeJournalEntry({ type: 'reported', bytes: encodeMessage(message) });
}
