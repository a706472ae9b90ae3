/** Messages that wait at most; who sent what does not fit sends it again. */
const MAX_WAITING = 2_000;
const MAX_WAITING_BYTES = 16 * 1024 * 1024;

/**
 * Where messages wait that are many and not urgent: transactions. One is worked off in each turn of the event loop, so
 * that proposals and votes, which are handled as they arrive, pass those that came before them. Without it a peer that is
 * offered more than it can verify verifies until every round has timed out, and decides nothing.
 */
export class PatientLane<T> {
  readonly #handle: (message: T) => void;
  readonly #bytesOf: (message: T) => number;
  #waiting: T[] = [];
  #next = 0;
  #bytes = 0;
  #isRunning = false;

  constructor(handle: (message: T) => void, bytesOf: (message: T) => number) {
    this.#handle = handle;
    this.#bytesOf = bytesOf;
  }

  /** False when there is no room: the message is not taken. */
  push(message: T): boolean {
    const bytes = this.#bytesOf(message);
    if (this.#waiting.length - this.#next >= MAX_WAITING || this.#bytes + bytes > MAX_WAITING_BYTES) return false;
    this.#waiting.push(message);
    this.#bytes += bytes;
    if (!this.#isRunning) {
      this.#isRunning = true;
      setImmediate(() => this.#turn());
    }
    return true;
  }

  #turn(): void {
    const message = this.#waiting[this.#next] as T;
    this.#next += 1;
    this.#bytes -= this.#bytesOf(message);
    if (this.#next === this.#waiting.length) {
      this.#waiting = [];
      this.#next = 0;
      this.#isRunning = false;
    } else setImmediate(() => this.#turn());
    this.#handle(message);
  }
}
