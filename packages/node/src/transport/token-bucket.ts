/** Tokens that refill at a steady rate up to a capacity. Time comes in as an argument. */
export class TokenBucket {
  readonly #capacity: number;
  readonly #perSecond: number;
  #tokens: number;
  #atMs: number;

  constructor(capacity: number, perSecond: number, nowMs: number) {
    this.#capacity = capacity;
    this.#perSecond = perSecond;
    this.#tokens = capacity;
    this.#atMs = nowMs;
  }

  /** Takes `count` tokens if that many are there; takes none otherwise. */
  take(count: number, nowMs: number): boolean {
    // A clock that steps back must not drain the bucket.
    const elapsedMs = Math.max(0, nowMs - this.#atMs);
    this.#tokens = Math.min(this.#capacity, this.#tokens + (elapsedMs / 1000) * this.#perSecond);
    this.#atMs = nowMs;
    if (count > this.#tokens) return false;
    this.#tokens -= count;
    return true;
  }

  refill(): void {
    this.#tokens = this.#capacity;
  }
}
