import { MAX_BATCH_OPERATIONS } from '../chain/limits.ts';

/** Below this number of transactions a block costs mostly what every block costs. */
const SMALLEST = 256;

/**
 * How many transactions this peer puts into a block. When more is offered than the network can carry, blocks as large as the
 * chain allows take longer than a round waits; then the round changes, and the work is done in vain. So a block that took
 * longer than its time makes the next ones smaller in proportion, and full ones that took less make them larger again.
 *
 * Every peer measures every block that it has seen proposed, so that who composes next knows what the last one learned.
 */
export class BlockSize {
  readonly #most: number;
  readonly #targetMs: number;
  #limit: number;

  /** @param most what the chain allows. @param targetMs how long a block may take, from its proposal until it is decided. */
  constructor(most: number, targetMs: number) {
    this.#most = most;
    this.#targetMs = targetMs;
    this.#limit = most;
  }

  /** Transactions that the next block should hold at most, besides those that it must hold. */
  get limit(): number {
    return this.#limit;
  }

  /** A block of `transactions` was decided `tookMs` after it was proposed, by this peer's clock. */
  onDecided(transactions: number, tookMs: number): void {
    // A clock that was set back says nothing.
    if (tookMs < 0) return;
    if (tookMs > this.#targetMs) {
      if (transactions < SMALLEST) return;
      const fitting = Math.floor((transactions * this.#targetMs) / tookMs);
      this.#limit = Math.min(this.#limit, Math.max(SMALLEST, fitting));
    } else if (transactions + MAX_BATCH_OPERATIONS > this.#limit) {
      // Batches are not divided: one more of the largest would have been too much.
      // What it took grows with its size at most in proportion, so that twice the size still fits half of the time.
      this.#limit = Math.min(this.#most, Math.ceil(this.#limit * (2 * tookMs <= this.#targetMs ? 2 : 1.1)));
    }
  }
}
