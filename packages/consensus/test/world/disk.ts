import type { ChainReader, CommitRecord, StoredPeer, StoreWrite } from '../../src/peer/ports.ts';
import type { Rng } from './rng.ts';

/**
 * A disk with a write cache: what was synced stays, what was not survives a crash as a prefix of any length. It keeps what
 * the real store keeps: committed heights, and a journal that is never rewritten during a height.
 */
export class SimulatedDisk implements ChainReader {
  readonly commits: CommitRecord[] = [];
  readonly #journal: Uint8Array[] = [];

  block(height: number): { block: Uint8Array; certificate: Uint8Array } | null {
    const commit = this.commits[height - 1];
    return commit === undefined ? null : { block: commit.block, certificate: commit.certificate };
  }

  state(height: number): Uint8Array | null {
    return this.commits[height - 1]?.state ?? null;
  }

  sync(writes: readonly StoreWrite[]): void {
    for (const write of writes) {
      if (write.type === 'journal') this.#journal.push(write.bytes);
      else {
        if (write.commit.height !== this.commits.length + 1)
          throw new Error(`commit of height ${write.commit.height} after ${this.commits.length}`);
        this.commits.push(write.commit);
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
