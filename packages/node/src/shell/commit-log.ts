import type { Notice } from '@wattmesh/consensus';

/** Block timings that a peer remembers. */
const REMEMBERED_TIMINGS = 10_000;

export interface BlockTiming {
  /** Null unless this peer composed the block that was committed. */
  composedMs: number | null;
  /** When the block was durable. */
  committedMs: number;
  viaSync: boolean;
}

/** When blocks were composed and committed here, and who wants to know. */
export class CommitLog {
  readonly #nowMs: () => number;
  readonly #listeners = new Set<(height: number) => void>();
  readonly #timings = new Map<number, BlockTiming>();
  readonly #composedMs = new Map<string, number>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  take(notice: Notice): void {
    if (notice.type === 'composed') this.#composedMs.set(notice.blockHash, notice.atMs);
    if (notice.type !== 'committed') return;
    const { height, blockHash, viaSync } = notice;
    const composedMs = this.#composedMs.get(blockHash) ?? null;
    this.#timings.set(height, { composedMs, committedMs: this.#nowMs(), viaSync });
    this.#timings.delete(height - REMEMBERED_TIMINGS);
    this.#composedMs.clear();
    for (const listener of this.#listeners) listener(height);
  }

  timing(height: number): BlockTiming | null {
    return this.#timings.get(height) ?? null;
  }

  listen(listener: (height: number) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
