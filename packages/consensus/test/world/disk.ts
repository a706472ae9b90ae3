import type { ChainReader, CommitRecord, StoredPeer, StoreWrite } from '../../src/peer/ports.ts';
import type { Rng } from './rng.ts';

/** Few, so that a peer that was away for a day finds nobody who still has what it missed. */
const BLOB_HEIGHTS = 20;

/**
 * A disk with a write cache: what was synced stays, what was not survives a crash as a prefix of any length. It keeps what
 * the real store keeps: committed heights, and a journal that is never rewritten during a height.
 */
export class SimulatedDisk implements ChainReader {
  readonly commits: CommitRecord[] = [];
  readonly #journal: Uint8Array[] = [];
  readonly #blobs = new Map<string, { readonly bytes: Uint8Array; readonly height: number }>();

  block(height: number): { block: Uint8Array; certificate: Uint8Array } | null {
    const commit = this.commits[height - 1];
    return commit === undefined ? null : { block: commit.block, certificate: commit.certificate };
  }

  blob(hash: string): Uint8Array | null {
    return this.#blobs.get(hash)?.bytes ?? null;
  }

  /** As the real store: those of the last heights, and what the state still refers to. */
  #keepBlobs({ height, blobs = [], wantedBlobs = [] }: CommitRecord): void {
    for (const { hash, bytes } of blobs) this.#blobs.set(hash, { bytes, height });
    for (const [hash, { height: since }] of this.#blobs)
      if (since <= height - BLOB_HEIGHTS && !wantedBlobs.includes(hash)) this.#blobs.delete(hash);
  }

  sync(writes: readonly StoreWrite[]): void {
    for (const write of writes) {
      if (write.type === 'journal') this.#journal.push(write.bytes);
      else {
        if (write.commit.height !== this.commits.length + 1)
          throw new Error(`commit of height ${write.commit.height} after ${this.commits.length}`);
        this.commits.push(write.commit);
        this.#keepBlobs(write.commit);
      }
    }
  }

  /** Power goes while `pending` was being written. */
  crash(pending: readonly StoreWrite[], rng: Rng): void {
    this.sync(pending.slice(0, rng.below(pending.length + 1)));
  }

  load(): StoredPeer {
    const last = this.commits.at(-1);
    return {
      head: last === undefined ? null : { state: last.state, certificate: last.certificate },
      journal: [...this.#journal],
      silentThrough: 0,
    };
  }
}
