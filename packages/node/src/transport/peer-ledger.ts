import type { TransportCode } from './transport-error.ts';
import type { ConnectionHandler, PeerStatus } from './transport-port.ts';

type Counters = {
  connected: boolean;
  sinceMs: number;
  address: string | null;
  bytesIn: number;
  bytesOut: number;
  messagesIn: number;
  messagesOut: number;
  dropped: number;
  droppedByCode: Partial<Record<TransportCode, number>>;
};

/** What is known and counted about every configured peer, and who is told when one goes up or down. */
export class PeerLedger {
  readonly #peers = new Map<string, Counters & { readonly role: 'member' | 'follower' }>();
  readonly #listeners: ConnectionHandler[] = [];
  readonly #nowMs: () => number;

  constructor(members: Iterable<string>, followers: Iterable<string>, self: string, nowMs: () => number) {
    this.#nowMs = nowMs;
    const roles = new Map<string, 'member' | 'follower'>();
    for (const id of followers) roles.set(id, 'follower');
    for (const id of members) roles.set(id, 'member');
    roles.delete(self);
    for (const id of [...roles.keys()].sort()) {
      this.#peers.set(id, {
        role: roles.get(id) ?? 'follower',
        connected: false,
        sinceMs: 0,
        address: null,
        bytesIn: 0,
        bytesOut: 0,
        messagesIn: 0,
        messagesOut: 0,
        dropped: 0,
        droppedByCode: {},
      });
    }
  }

  ids(): string[] {
    return [...this.#peers.keys()];
  }

  knows(peer: string): boolean {
    return this.#peers.has(peer);
  }

  isConnected(peer: string): boolean {
    return this.#peers.get(peer)?.connected ?? false;
  }

  onConnection(handler: ConnectionHandler): void {
    this.#listeners.push(handler);
  }

  /** Records a change and tells the listeners; repeating the present state does nothing. */
  setConnected(peer: string, up: boolean): void {
    const entry = this.#peers.get(peer);
    if (entry === undefined || entry.connected === up) return;
    entry.connected = up;
    entry.sinceMs = this.#nowMs();
    for (const listener of this.#listeners) listener(peer, up);
  }

  setAddress(peer: string, address: string | null): void {
    const entry = this.#peers.get(peer);
    if (entry !== undefined) entry.address = address;
  }

  received(peer: string, byteLength: number): void {
    const entry = this.#peers.get(peer);
    if (entry === undefined) return;
    entry.messagesIn += 1;
    entry.bytesIn += byteLength;
  }

  sent(peer: string, byteLength: number): void {
    const entry = this.#peers.get(peer);
    if (entry === undefined) return;
    entry.messagesOut += 1;
    entry.bytesOut += byteLength;
  }

  dropped(peer: string, code: TransportCode, count = 1): void {
    const entry = this.#peers.get(peer);
    if (entry === undefined) return;
    entry.dropped += count;
    entry.droppedByCode[code] = (entry.droppedByCode[code] ?? 0) + count;
  }

  statuses(): PeerStatus[] {
    return [...this.#peers].map(([member, { droppedByCode, ...entry }]) => ({
      member,
      ...entry,
      droppedByCode: { ...droppedByCode },
    }));
  }
}
