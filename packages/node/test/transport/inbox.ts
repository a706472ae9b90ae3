import type { InboundMessage, TransportPort, Verdict } from '../../src/transport/transport-port.ts';

const PATIENCE_MS = 15_000;

/** Records what a transport delivers, answers with a verdict, and lets a test wait for what it expects. */
export class Inbox {
  readonly messages: InboundMessage[] = [];
  readonly connections: { member: string; up: boolean }[] = [];
  verdict: (message: InboundMessage) => Verdict | Promise<Verdict> = () => 'accept';
  readonly #port: TransportPort;
  readonly #watchers = new Set<() => void>();

  constructor(port: TransportPort) {
    this.#port = port;
    port.onMessage((message) => {
      this.messages.push(message);
      this.#changed();
      return this.verdict(message);
    });
    port.onConnection((member, up) => {
      this.connections.push({ member, up });
      this.#changed();
    });
    port.onDrain(() => this.#changed());
  }

  texts(via?: 'gossip' | 'direct'): string[] {
    return this.messages.filter((m) => via === undefined || m.via === via).map((m) => textOf(m.bytes));
  }

  count(text: string): number {
    return this.texts().filter((other) => other === text).length;
  }

  connectedTo(member: string): boolean {
    return this.#port.peers().some((peer) => peer.member === member && peer.connected);
  }

  dropped(member: string, code: string): number {
    const peer = this.#port.peers().find((status) => status.member === member);
    return (peer?.droppedByCode as Record<string, number> | undefined)?.[code] ?? 0;
  }

  /** Resolves when the condition holds after a delivery or a connection change; fails with `what` if it never does. */
  until(what: string, condition: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        if (!condition()) return;
        finish();
        resolve();
      };
      const finish = (): void => {
        clearTimeout(deadline);
        this.#watchers.delete(check);
      };
      const deadline = setTimeout(() => {
        finish();
        reject(new Error(`never happened: ${what}; got ${JSON.stringify(this.texts().slice(-5))}`));
      }, PATIENCE_MS);
      this.#watchers.add(check);
      check();
    });
  }

  received(text: string): Promise<void> {
    return this.until(`delivery of "${text}"`, () => this.count(text) > 0);
  }

  up(member: string): Promise<void> {
    return this.until(`connection to ${member}`, () => this.connectedTo(member));
  }

  down(member: string): Promise<void> {
    return this.until(`loss of ${member}`, () => !this.connectedTo(member));
  }

  #changed(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
