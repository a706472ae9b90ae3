/** Messages waiting for one peer on one channel, bounded in bytes. */
export class SendQueue {
  readonly #maxBytes: number;
  readonly #whenFull: 'drop-oldest' | 'refuse';
  #messages: Uint8Array[] = [];
  #bytes = 0;
  #refused = false;

  /** @param whenFull `drop-oldest` for messages that supersede each other, `refuse` where the producer can wait. */
  constructor(maxBytes: number, whenFull: 'drop-oldest' | 'refuse') {
    this.#maxBytes = maxBytes;
    this.#whenFull = whenFull;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get length(): number {
    return this.#messages.length;
  }

  /** @returns whether the message is queued, and how many messages (older ones, or this one) were dropped. */
  push(message: Uint8Array): { queued: boolean; dropped: number } {
    if (this.#whenFull === 'refuse' && this.#bytes + message.byteLength > this.#maxBytes) {
      this.#refused = true;
      return { queued: false, dropped: 1 };
    }
    this.#messages.push(message);
    this.#bytes += message.byteLength;
    let dropped = 0;
    while (this.#bytes > this.#maxBytes) {
      this.#bytes -= this.#messages.shift()?.byteLength ?? 0;
      dropped += 1;
    }
    return { queued: true, dropped };
  }

  shift(): Uint8Array | undefined {
    const message = this.#messages.shift();
    if (message !== undefined) this.#bytes -= message.byteLength;
    return message;
  }

  /** @returns true once after a refusal, when the queue has fallen to half: producers may go on. */
  takeDrained(): boolean {
    if (!this.#refused || this.#bytes * 2 > this.#maxBytes) return false;
    this.#refused = false;
    return true;
  }

  /** @returns how many messages were thrown away. */
  clear(): number {
    const count = this.#messages.length;
    this.#messages = [];
    this.#bytes = 0;
    this.#refused = false;
    return count;
  }
}
