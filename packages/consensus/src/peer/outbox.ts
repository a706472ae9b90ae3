import type { Message } from '../wire/messages.ts';
import { encodeMessage } from '../wire/messages.ts';
import type { Channel, Notice, Outgoing, PeerOutput, StoreWrite, Topic } from './ports.ts';

/** Collects what a peer wants done while it handles one event. */
export class Outbox {
  #writes: StoreWrite[] = [];
  #sends: Outgoing[] = [];
  #timers: { id: string; delayMs: number }[] = [];
  #notices: Notice[] = [];

  write(write: StoreWrite): void {
    this.#writes.push(write);
  }

  broadcast(topic: Topic, message: Message, resend = false): void {
    const afterWrites = this.#writes.length;
    this.#sends.push({ type: 'broadcast', topic, bytes: encodeMessage(message), resend, afterWrites });
  }

  send(to: string, channel: Channel, message: Message): void {
    this.#sends.push({ type: 'send', to, channel, bytes: encodeMessage(message), afterWrites: this.#writes.length });
  }

  timer(id: string, delayMs: number): void {
    this.#timers.push({ id, delayMs: Math.max(0, Math.ceil(delayMs)) });
  }

  notice(notice: Notice): void {
    this.#notices.push(notice);
  }

  take(verdict: PeerOutput['verdict'], code: string | null): PeerOutput {
    const output: PeerOutput = {
      writes: this.#writes,
      sends: this.#sends,
      timers: this.#timers,
      notices: this.#notices,
      verdict,
      code,
    };
    this.#writes = [];
    this.#sends = [];
    this.#timers = [];
    this.#notices = [];
    return output;
  }
}
