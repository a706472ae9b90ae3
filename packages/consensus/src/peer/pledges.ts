import type { Contribution } from '../application/types.ts';
import { batchHash } from '../chain/transactions.ts';
import type { Hash, TransactionBatch } from '../chain/types.ts';
import { decodeMessage, encodeMessage, type Message } from '../wire/messages.ts';
import type { BlobPool } from './blob-pool.ts';
import type { ContributionPool } from './contribution-pool.ts';
import { encodeJournalEntry } from './journal.ts';
import type { Mempool } from './mempool.ts';
import type { Outbox } from './outbox.ts';
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
  readonly blobs: Pick<BlobPool, 'add'>;
}

/**
 * What this peer has said in a precommit that it holds: it is journalled before the vote is sent, and given out after a
 * restart. What f + 1 voters report must be in the next block, and only one of them need be correct: if that one forgot it
 * in a crash, nobody could compose any more.
 */
export class Pledges {
  readonly #modules: PledgesModules;
  /** By key or hash, as a journal entry. */
  readonly #kept = new Map<string, Uint8Array>();

  constructor(modules: PledgesModules) {
    this.#modules = modules;
  }

  /** Journals what is reported for the first time. This member's own contributions are in the journal already. */
  report({ contributions, batches }: Reported): void {
    const { self } = this.#modules.standing;
    for (const { key, author, bytes } of contributions)
      if (author !== self) this.#keep(key, { type: 'contribution', bytes });
    for (const { hash, batch } of batches) this.#keep(hash, { type: 'batch', batch });
  }

  /** Takes a journalled report, before the first height is entered; what is of no use any more is let go. */
  recall(bytes: Uint8Array): void {
    const { standing, contributions, mempool, blobs } = this.#modules;
    const { rules, state, nowMs } = standing;
    const message = decodeMessage(bytes);
    const entry = encodeJournalEntry({ type: 'reported', bytes });
    if (message.type === 'contribution') {
      const verdict = rules.application.checkContribution(rules.genesis, rules.chainId, message.bytes, state.slot);
      if (!verdict.ok) return;
      const { key, blob } = verdict.contribution;
      contributions.add(verdict.contribution);
      if (blob !== undefined) blobs.add(blob.bytes);
      this.#kept.set(key, entry);
    }
    if (message.type === 'batch') {
      const { batch } = message;
      const hash = batchHash(batch);
      if (mempool.add(state, standing.nonceOf(batch.sender), batch, hash, nowMs, null) === 'added')
        this.#kept.set(hash, entry);
    }
  }

  /** Journal entries that the next height's journal must still hold: of what is in no block yet. */
  carry(): readonly Uint8Array[] {
    const { standing, contributions, mempool } = this.#modules;
    const { slot } = standing.state;
    const isOpen = (key: string): boolean => mempool.has(key) || (contributions.get(key)?.dueInSlot ?? -1) >= slot;
    for (const key of this.#kept.keys()) if (!isOpen(key)) this.#kept.delete(key);
    return [...this.#kept.values()];
  }

  #keep(key: string, message: Message): void {
    if (this.#kept.has(key)) return;
    const entry = encodeJournalEntry({ type: 'reported', bytes: encodeMessage(message) });
    this.#kept.set(key, entry);
    this.#modules.outbox.write({ type: 'journal', bytes: entry });
  }
}
