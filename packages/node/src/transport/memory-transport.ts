/**
 * A network in memory with the same port and the same rules as the real one, for tests.
 *
 * Deterministic: time is virtual, everything in flight is one queue in the order of sending, and peers are visited in
 * the order of their ids. Differences from libp2p: an offer of an accepted message (IHAVE) reaches everyone at once
 * instead of a sample per heartbeat, and a connection is made as soon as both ends allow it.
 */
import { envelopeId } from './gossip-window.ts';
import { ConditionedLinks, type Direction, type LinkConditions } from './link-conditions.ts';
import { SendQueue } from './send-queue.ts';
import { notStarted, TransportCore, type TransportScope } from './transport-core.ts';
import {
  CHANNELS,
  type Channel,
  type ConnectionHandler,
  type MessageHandler,
  type PeerStatus,
  TOPICS,
  type Topic,
  type TransportPort,
  type Verdict,
} from './transport-port.ts';

export interface MemoryTransportOptions extends TransportScope {
  readonly self: string;
  readonly links?: LinkConditions;
}

interface Alarm {
  readonly atMs: number;
  readonly order: number;
  readonly action: () => void;
}

/** The wires and the clock that memory transports share. */
export class MemoryNetwork {
  readonly #transports = new Map<string, MemoryTransport>();
  readonly #cuts = new Set<string>();
  readonly #flights: (() => void)[] = [];
  readonly #alarms = new Set<Alarm>();
  readonly #idleWaiters: (() => void)[] = [];
  #isDraining = false;
  #alarmsMade = 0;
  #nowMs = 1;

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Adds a peer; it joins when started. @throws TransportError TRANSPORT_INVALID_CONFIG */
  transport(options: MemoryTransportOptions): MemoryTransport {
    const transport = new MemoryTransport(this, options);
    this.#transports.set(options.self, transport);
    return transport;
  }

  /** Cuts or restores the wire between two peers; both notice at once. */
  setCut(a: string, b: string, isCut: boolean): void {
    if (isCut) this.#cuts.add(pair(a, b));
    else this.#cuts.delete(pair(a, b));
    this.refresh();
  }

  /** Moves virtual time on, running what falls due on the way. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await this.idle();
    for (;;) {
      const due = [...this.#alarms].filter((alarm) => alarm.atMs <= endMs);
      const next = due.sort((x, y) => x.atMs - y.atMs || x.order - y.order)[0];
      if (next === undefined) break;
      this.#alarms.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.action();
      await this.idle();
    }
    this.#nowMs = endMs;
    this.refresh();
    await this.idle();
  }

  /** Resolves when nothing is in flight. */
  idle(): Promise<void> {
    if (this.#flights.length === 0 && !this.#isDraining) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Puts a delivery on the wire. */
  fly(deliver: () => void): void {
    this.#flights.push(deliver);
    if (this.#isDraining) return;
    this.#isDraining = true;
    setImmediate(() => this.#drain());
  }

  schedule(delayMs: number, action: () => void): { cancel(): void } {
    this.#alarmsMade += 1;
    const alarm = { atMs: this.#nowMs + delayMs, order: this.#alarmsMade, action };
    this.#alarms.add(alarm);
    return { cancel: () => void this.#alarms.delete(alarm) };
  }

  /** @returns the running peers that `transport` can see, by id. */
  neighbours(transport: MemoryTransport): MemoryTransport[] {
    return [...this.#transports.values()]
      .filter((other) => other !== transport && transport.isLinkedTo(other))
      .sort((x, y) => (x.self < y.self ? -1 : 1));
  }

  isCut(a: string, b: string): boolean {
    return this.#cuts.has(pair(a, b));
  }

  /** Brings every pair's connection in line with what both ends and the wire allow. */
  refresh(): void {
    const all = [...this.#transports.values()].sort((x, y) => (x.self < y.self ? -1 : 1));
    for (const one of all) {
      for (const other of all) if (one !== other) one.consider(other);
    }
  }

  #drain(): void {
    // What a delivery puts on the wire joins the end of the same queue.
    for (let next = this.#flights.shift(); next !== undefined; next = this.#flights.shift()) next();
    this.#isDraining = false;
    for (const waiter of this.#idleWaiters.splice(0)) waiter();
  }
}

/** `TransportPort` over a `MemoryNetwork`. */
export class MemoryTransport implements TransportPort {
  readonly self: string;
  readonly #network: MemoryNetwork;
  readonly #options: MemoryTransportOptions;
  readonly #core: TransportCore;
  readonly #queues = new Map<string, { queue: SendQueue; isFlying: boolean }>();
  /** When each envelope id may be seen again: the memory of a gossip router. */
  readonly #seenUntilMs = new Map<string, number>();
  #links: ConditionedLinks | null = null;
  #state: 'new' | 'running' | 'stopped' = 'new';
  #isPaused = false;
  #heldGossipBytes = 0;
  readonly #held: (() => void)[] = [];

  /** Use `MemoryNetwork.transport`. */
  constructor(network: MemoryNetwork, options: MemoryTransportOptions) {
    this.self = options.self;
    this.#network = network;
    this.#options = options;
    this.#core = new TransportCore(
      options.self,
      options,
      () => network.nowMs,
      () => network.refresh(),
    );
    for (const peer of this.#core.ledger.ids()) {
      for (const channel of CHANNELS) {
        const whenFull = channel === 'votes' ? 'drop-oldest' : 'refuse';
        const queue = new SendQueue(this.#core.limits.queueBytes[channel], whenFull);
        this.#queues.set(`${channel}:${peer}`, { queue, isFlying: false });
      }
    }
  }

  async start(): Promise<void> {
    if (this.#state === 'running') return;
    this.#state = 'running';
    this.#seenUntilMs.clear();
    const { links } = this.#options;
    if (links !== undefined) {
      this.#links = new ConditionedLinks(
        links,
        (delayMs, action) => this.#network.schedule(delayMs, action),
        this.#core.nowMs,
      );
    }
    this.#network.refresh();
  }

  async stop(): Promise<void> {
    if (this.#state !== 'running') return;
    this.#state = 'stopped';
    this.#links?.stop();
    this.#links = null;
    this.#held.length = 0;
    this.#network.refresh();
  }

  /** Stops taking in anything without closing connections, as SIGSTOP does; senders' queues fill up. */
  setPaused(isPaused: boolean): void {
    this.#isPaused = isPaused;
    this.#heldGossipBytes = 0;
    if (!isPaused) for (const arrival of this.#held.splice(0)) this.#network.fly(arrival);
  }

  broadcast(topic: Topic, bytes: Uint8Array): void {
    this.#core.assertGossipSize(topic, bytes);
    if (!this.#isRunning()) return;
    const message = this.#core.envelopeFor(topic, bytes);
    if (message === null) return;
    this.#remember(routerKey(message.topicIndex, message.envelope));
    for (const other of this.#network.neighbours(this)) {
      this.#core.ledger.sent(other.self, bytes.byteLength);
      this.#gossipTo(other, message.topicIndex, message.envelope);
    }
  }

  send(to: string, channel: Channel, bytes: Uint8Array): boolean {
    this.#core.assertSendable(to, channel, bytes);
    if (!this.#isRunning()) return false;
    const copy = bytes.slice();
    if (this.#links === null) return this.#enqueue(to, channel, copy);
    this.#overLink(to, 'out', copy.byteLength, () => void this.#enqueue(to, channel, copy));
    return true;
  }

  onMessage(handler: MessageHandler): void {
    this.#core.intake.setHandler(handler);
  }

  onConnection(handler: ConnectionHandler): void {
    this.#core.ledger.onConnection(handler);
  }

  onDrain(handler: (member: string, channel: Channel) => void): void {
    this.#core.onDrain(handler);
  }

  peers(): readonly PeerStatus[] {
    return this.#core.ledger.statuses();
  }

  isLinkedTo(other: MemoryTransport): boolean {
    return this.#core.ledger.isConnected(other.self);
  }

  /** Opens or closes this end of the connection to `other`. */
  consider(other: MemoryTransport): void {
    const isPossible = this.#canReach(other) && other.#canReach(this) && !this.#core.refuses(other.self);
    const isUp = isPossible && !other.#core.refuses(this.self);
    if (!isUp) {
      for (const channel of CHANNELS) {
        const lost = this.#queues.get(`${channel}:${other.self}`)?.queue.clear() ?? 0;
        if (lost > 0) this.#core.ledger.dropped(other.self, 'TRANSPORT_NOT_CONNECTED', lost);
      }
    }
    this.#core.ledger.setAddress(other.self, isUp ? `/memory/${other.self}` : null);
    this.#core.ledger.setConnected(other.self, isUp);
  }

  #canReach(other: MemoryTransport): boolean {
    const sameChain = this.#options.chainId === other.#options.chainId;
    return this.#state === 'running' && sameChain && !this.#network.isCut(this.self, other.self);
  }

  #isRunning(): boolean {
    if (this.#state === 'new') throw notStarted();
    return this.#state === 'running';
  }

  #enqueue(to: string, channel: Channel, bytes: Uint8Array): boolean {
    const box = this.#queues.get(`${channel}:${to}`);
    if (box === undefined || !this.#core.ledger.isConnected(to)) {
      this.#core.ledger.dropped(to, 'TRANSPORT_NOT_CONNECTED');
      return false;
    }
    const { queued, dropped } = box.queue.push(bytes);
    if (dropped > 0) this.#core.ledger.dropped(to, 'TRANSPORT_QUEUE_FULL', dropped);
    this.#launch(to, channel, box);
    return queued;
  }

  /** One message of a channel flies at a time; the next leaves when it has landed. */
  #launch(to: string, channel: Channel, box: { queue: SendQueue; isFlying: boolean }): void {
    if (box.isFlying || box.queue.length === 0) return;
    box.isFlying = true;
    const other = this.#network.neighbours(this).find(({ self }) => self === to);
    const land = (): void => {
      box.isFlying = false;
      const bytes = box.queue.shift();
      if (bytes !== undefined && other !== undefined && this.isLinkedTo(other)) {
        this.#core.ledger.sent(to, bytes.byteLength);
        other.#overLink(this.self, 'in', bytes.byteLength, () => other.#core.intake.direct(this.self, channel, bytes));
      }
      if (box.queue.takeDrained()) this.#core.drained(to, channel);
      this.#launch(to, channel, box);
    };
    this.#network.fly(() => (other === undefined ? land() : other.#take(land)));
  }

  #gossipTo(other: MemoryTransport, topicIndex: number, envelope: Uint8Array): void {
    if (other.#isPaused) {
      other.#heldGossipBytes += envelope.byteLength;
      if (other.#heldGossipBytes > this.#core.limits.gossipBufferBytes) {
        this.#core.ledger.dropped(other.self, 'TRANSPORT_QUEUE_FULL');
        return;
      }
    }
    this.#overLink(other.self, 'out', envelope.byteLength, () => {
      this.#network.fly(() =>
        other.#take(() => {
          if (!this.isLinkedTo(other)) return;
          other.#overLink(this.self, 'in', envelope.byteLength, () => other.#hear(this.self, topicIndex, envelope));
        }),
      );
    });
  }

  #hear(from: string, topicIndex: number, envelope: Uint8Array): void {
    const topic = TOPICS[topicIndex] as Topic;
    if (this.#state !== 'running' || !this.#core.intake.admitGossip(from, topic, envelope.byteLength)) return;
    if (!this.#remember(routerKey(topicIndex, envelope))) return;
    const conclude = (verdict: Verdict): void => {
      if (verdict === 'accept') this.#network.fly(() => this.#offer(from, topicIndex, envelope));
    };
    const verdict = this.#core.intake.gossip(from, topic, envelope);
    if (typeof verdict === 'string') conclude(verdict);
    else void verdict.then(conclude);
  }

  /** IHAVE and IWANT: whoever has not seen it gets it. */
  #offer(from: string, topicIndex: number, envelope: Uint8Array): void {
    for (const other of this.#network.neighbours(this)) {
      if (other.self !== from && !other.#hasSeen(routerKey(topicIndex, envelope))) {
        this.#gossipTo(other, topicIndex, envelope);
      }
    }
  }

  #take(arrival: () => void): void {
    if (this.#isPaused) this.#held.push(arrival);
    else arrival();
  }

  #overLink(peer: string, direction: Direction, byteLength: number, deliver: () => void): void {
    if (this.#links === null) deliver();
    else
      this.#links.pass(peer, direction, byteLength, deliver, () =>
        this.#core.ledger.dropped(peer, 'TRANSPORT_LINK_LOSS'),
      );
  }

  #hasSeen(id: string): boolean {
    return (this.#seenUntilMs.get(id) ?? 0) > this.#network.nowMs;
  }

  /** @returns false if the id was remembered already. */
  #remember(id: string): boolean {
    if (this.#hasSeen(id)) return false;
    this.#seenUntilMs.set(id, this.#network.nowMs + this.#core.limits.dedupeWindowMs);
    return true;
  }
}

function routerKey(topicIndex: number, envelope: Uint8Array): string {
  return Buffer.from(envelopeId(topicIndex, envelope)).toString('base64');
}

function pair(a: string, b: string): string {
  return a < b ? `${a}|${b}` : `${b}|${a}`;
}
