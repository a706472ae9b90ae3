import { sha256Bytes } from '../../src/crypto/index.ts';
import type { ChainReader, CommitRecord, StoredPeer, StoreWrite } from '../../src/peer/ports.ts';
import type { Rng } from './rng.ts';

/** Few, so that a peer that was away for a day finds nobody who still has what it missed. */
const BLOB_HEIGHTS = 20;
const CHECKSUM_BYTES = 8;

function frameOf(bytes: Uint8Array): Uint8Array {
  return Uint8Array.of(...sha256Bytes(bytes).subarray(0, CHECKSUM_BYTES), ...bytes);
}

function isWhole(frame: Uint8Array): boolean {
  if (frame.length < CHECKSUM_BYTES) return false;
  const expected = sha256Bytes(frame.subarray(CHECKSUM_BYTES)).subarray(0, CHECKSUM_BYTES);
  return expected.every((byte, k) => byte === frame[k]);
}

/**
 * A disk with a write cache: what was synced stays, what was not survives a crash as a prefix of any length,
 * whose last entry may be torn. It keeps what
 * the real store keeps: committed heights, and a journal that is never rewritten during a height.
 */
export class SimulatedDisk implements ChainReader {
  readonly commits: CommitRecord[] = [];
  /** Frames as they lie on the disk: a checksum, then the entry. */
  #journal: Uint8Array[] = [];
  /** Up to this height the journal has lost entries; as the real store it never forgets that. Null on an empty disk. */
  #blindHeight: number | null = 0;
  readonly #blobs = new Map<string, { readonly bytes: Uint8Array; readonly height: number }>();

  block(height: number): { block: Uint8Array; certificate: Uint8Array } | null {
    const commit = this.commits[height - 1];
    return commit === undefined ? null : { block: commit.block, certificate: commit.certificate };
  }

  state(height: number): Uint8Array | null {
    return this.commits[height - 1]?.state ?? null;
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
      if (write.type === 'journal') this.#journal.push(frameOf(write.bytes));
      else {
        if (write.commit.height !== this.commits.length + 1)
          throw new Error(`commit of height ${write.commit.height} after ${this.commits.length}`);
        this.commits.push(write.commit);
        this.#keepBlobs(write.commit);
      }
    }
  }

  /** Power goes while `pending` was being written. `rots`: entries of the journal that were synced are lost as well. */
  crash(pending: readonly StoreWrite[], rng: Rng, rots = false): void {
    const survivors = rng.below(pending.length + 1);
    this.sync(pending.slice(0, survivors));
    if (rots) {
      // As the real store, nothing is kept of the journal of a disk that was lost once: the others are asked again.
      this.#journal = this.#blindHeight === null ? [] : this.#journal.slice(0, rng.below(this.#journal.length + 1));
      if (this.#blindHeight !== null) this.#blindHeight = this.commits.length + 1;
    }
    const torn = pending[survivors];
    if (torn?.type !== 'journal' || !rng.chance(0.5)) return;
    const frame = frameOf(torn.bytes);
    this.#journal.push(frame.subarray(0, rng.below(frame.length)));
  }

  /** Another disk, an empty one, in the place of this one. */
  wipe(): void {
    this.commits.length = 0;
    this.#journal = [];
    this.#blobs.clear();
    this.#blindHeight = null;
  }

  load(): StoredPeer {
    // The end of the log that a crash has torn was never acknowledged: it is cut off, as the real journal does.
    const torn = this.#journal.findIndex((frame) => !isWhole(frame));
    if (torn >= 0) this.#journal = this.#journal.slice(0, torn);
    const last = this.commits.at(-1);
    return {
      head: last === undefined ? null : { state: last.state, certificate: last.certificate },
      journal: this.#journal.map((frame) => frame.subarray(CHECKSUM_BYTES)),
      silentThrough: this.#blindHeight === null || this.#blindHeight > this.commits.length ? this.#blindHeight : 0,
    };
  }
}
