import { noise } from '@chainsafe/libp2p-noise';
import { identify } from '@libp2p/identify';
import type { Connection, ConnectionGater, Libp2p, PeerId, PrivateKey } from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { DEFAULT_REDIAL, Dialler, type RedialOptions } from './dialler.ts';
import { DirectStreams } from './direct-streams.ts';
import { GossipRouter, hasGossipStream, interceptGossipWrites } from './gossip-router.ts';
import { ConditionedLinks, type Direction, type LinkConditions } from './link-conditions.ts';
import { identityOfSecret, memberOfPeerId, peerIdOfMember } from './member-id.ts';
import { thriftyYamux } from './thrifty-yamux.ts';
import { invalidConfig, notStarted, TransportCore, type TransportScope } from './transport-core.ts';
import { TransportError } from './transport-error.ts';
import type { Channel, ConnectionHandler, MessageHandler, PeerStatus, Topic, TransportPort } from './transport-port.ts';

export interface Libp2pTransportOptions extends TransportScope {
  /** 32-byte secp256k1 secret of this member or follower. */
  readonly secretKey: Uint8Array;
  /** Multiaddr to listen on; TCP port 0 takes a free one. */
  readonly listen?: string;
  /** Where to dial whom: member id to multiaddr, without `/p2p/...`. */
  readonly addresses?: Readonly<Record<string, string>>;
  readonly redial?: Partial<RedialOptions>;
  readonly probe?: Partial<ProbeOptions>;
  readonly links?: LinkConditions;
  /** For timestamps and rates. */
  readonly nowMs?: () => number;
  /** For the jitter of redials. */
  readonly random?: () => number;
}

/** When a connection is given up. */
export interface ProbeOptions {
  /** How often an idle connection is probed, and how long an answer may take. */
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Gossip that has not come up by then on an open connection will not. */
  readonly setupMs: number;
  /** How often that is looked at, for new connections and for those that were up. */
  readonly watchMs: number;
  /** A connection begun within this time after another one was complete is a crossing, a later one a reconnection. */
  readonly crossingMs: number;
}

/** Tolerant: a peer that is starved of CPU, or paused for some seconds, is not gone. */
export const DEFAULT_PROBE: ProbeOptions = {
  intervalMs: 10_000,
  timeoutMs: 30_000,
  setupMs: 15_000,
  watchMs: 1_000,
  crossingMs: 2_000,
};

/** libp2p gives up an inbound handshake after this time. */
const ARRIVAL_LIMIT_MS = 10_000;
const SETUP_POLL_MS = 25;

/** `TransportPort` over libp2p: TCP, noise, yamux, one-hop gossipsub, direct streams. */
export class Libp2pTransport implements TransportPort {
  readonly self: string;
  readonly #options: Libp2pTransportOptions;
  readonly #probe: ProbeOptions;
  readonly #privateKey: PrivateKey;
  readonly #peerIds = new Map<string, PeerId>();
  /** When an inbound connection passed the gater that has not opened yet. */
  readonly #arrivingMs = new Map<string, number>();
  /** When connections were complete at this end. */
  readonly #openedMs = new WeakMap<Connection, number>();
  readonly #core: TransportCore;
  readonly #dialler: Dialler;
  #run: Running | null = null;
  #everStarted = false;

  /** @throws TransportError TRANSPORT_INVALID_CONFIG */
  constructor(options: Libp2pTransportOptions) {
    const { privateKey, member } = identityOfSecret(options.secretKey);
    this.self = member;
    this.#options = options;
    this.#probe = { ...DEFAULT_PROBE, ...options.probe };
    this.#privateKey = privateKey;
    this.#core = new TransportCore(member, options, options.nowMs ?? Date.now, (peer) => this.#disconnect(peer));
    for (const id of this.#core.ledger.ids()) this.#peerIds.set(id, peerIdOfMember(id));
    this.#dialler = new Dialler(
      { ...DEFAULT_REDIAL, ...options.redial },
      {
        self: member,
        log: this.#core.log,
        random: options.random ?? Math.random,
        isConnected: (peer) => this.#connectionTo(peer) !== undefined,
        isArriving: (peer) => Date.now() - (this.#arrivingMs.get(peer) ?? 0) < ARRIVAL_LIMIT_MS,
        backOffMs: (peer) => this.#core.guard.backOffMs(peer, this.#core.nowMs()),
        dial: async (peer, address, signal) => {
          if (this.#isSevered(peer)) throw new Error('the link is severed');
          await this.#run?.libp2p.dial(multiaddr(`${address}/p2p/${this.#peerIds.get(peer)}`), { signal });
        },
      },
    );
    for (const [peer, address] of Object.entries(options.addresses ?? {})) {
      if (peer !== member) this.setAddress(peer, address);
    }
  }

  /** Addresses on which this peer listens, with the port that was really taken; empty while stopped. */
  get listenAddresses(): readonly string[] {
    return (this.#run?.libp2p.getMultiaddrs() ?? []).map((address) => address.toString().replace(/\/p2p\/.*$/, ''));
  }

  /** Adds or corrects where a peer is dialled; takes effect at once. @throws TransportError TRANSPORT_UNKNOWN_MEMBER, TRANSPORT_INVALID_CONFIG */
  setAddress(peer: string, address: string): void {
    this.#core.assertKnown(peer);
    try {
      multiaddr(address);
    } catch {
      throw invalidConfig(`"${address}" is not a multiaddr such as /ip4/127.0.0.1/tcp/4001 (for ${peer})`);
    }
    this.#dialler.setAddress(peer, address);
  }

  /** Closes the connections of links that are severed now; call it after conditions have changed. */
  enforceLinks(): void {
    for (const peer of this.#peerIds.keys()) if (this.#isSevered(peer)) this.#disconnect(peer);
  }

  async start(): Promise<void> {
    if (this.#run !== null) return;
    const run = await this.#create();
    this.#run = run;
    this.#everStarted = true;
    try {
      await run.libp2p.start();
    } catch (error) {
      this.#run = null;
      await run.libp2p.stop();
      throw listenError(this.#listen, error);
    }
    run.gossip.subscribe();
    run.watchTimer = setInterval(() => this.#watch(run), this.#probe.watchMs);
    run.isOpen = true;
    this.#dialler.start();
  }

  async stop(): Promise<void> {
    const run = this.#run;
    if (run === null) return;
    this.#run = null;
    run.isOpen = false;
    this.#dialler.stop();
    if (run.setupTimer !== null) clearTimeout(run.setupTimer);
    if (run.watchTimer !== null) clearInterval(run.watchTimer);
    run.links?.stop();
    run.streams.stop();
    await run.libp2p.stop();
    for (const peer of this.#core.ledger.ids()) this.#core.ledger.setConnected(peer, false);
  }

  broadcast(topic: Topic, bytes: Uint8Array): void {
    this.#core.assertGossipSize(topic, bytes);
    const run = this.#running();
    if (run === null) return;
    const message = this.#core.envelopeFor(topic, bytes);
    if (message !== null) run.gossip.publish(message.topicIndex, message.envelope, bytes.byteLength);
  }

  send(to: string, channel: Channel, bytes: Uint8Array): boolean {
    this.#core.assertSendable(to, channel, bytes);
    const run = this.#running();
    if (run === null) return false;
    if (run.links === null) return run.streams.send(to, channel, bytes);
    this.#overLink(run, to, 'out', bytes.byteLength, () => run.streams.send(to, channel, bytes));
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
    return this.#core.ledger.statuses().map((status) => ({
      ...status,
      address: this.#connectionTo(status.member)?.remoteAddr.toString() ?? this.#dialler.address(status.member),
    }));
  }

  get #listen(): string {
    return this.#options.listen ?? '/ip4/127.0.0.1/tcp/0';
  }

  #running(): Running | null {
    if (!this.#everStarted) throw notStarted();
    return this.#run;
  }

  async #create(): Promise<Running> {
    const { intake, ledger, limits, log, nowMs } = this.#core;
    const links = this.#options.links === undefined ? null : new ConditionedLinks(this.#options.links, timer, nowMs);
    const streams = new DirectStreams(this.#options.chainId, limits, {
      ledger,
      log,
      connectionTo: (peer) => this.#connectionTo(peer),
      onFrame: (from, channel, bytes) =>
        this.#overLink(run, from, 'in', bytes.byteLength, () => intake.direct(from, channel, bytes)),
      onOversize: (from) => intake.oversize(from),
      onDrain: (member, channel) => this.#core.drained(member, channel),
    });
    const gossip = new GossipRouter(this.#options.chainId, limits, {
      admit: (from, topic, byteLength) => intake.admitGossip(from, topic, byteLength),
      judge: (from, topic, envelope, id) => intake.gossip(from, topic, envelope, id),
      arrive: (from, byteLength, deliver) => this.#overLink(run, from, 'in', byteLength, deliver),
      sent: (to, byteLength) => ledger.sent(to, byteLength),
    });
    let libp2p: Libp2p;
    try {
      libp2p = await this.#createLibp2p(gossip);
    } catch (error) {
      throw error instanceof TransportError ? error : listenError(this.#listen, error);
    }
    await streams.register(libp2p);
    libp2p.addEventListener('connection:open', ({ detail }) => this.#opened(run, detail));
    libp2p.addEventListener('peer:disconnect', ({ detail }) => {
      const peer = memberOfPeerId(detail);
      if (peer !== null) this.#lost(run, peer);
    });
    const run: Running = { libp2p, gossip, streams, links, isOpen: false, setupTimer: null, watchTimer: null };
    return run;
  }

  #createLibp2p(gossip: GossipRouter): Promise<Libp2p> {
    const { intervalMs, timeoutMs } = this.#probe;
    return createLibp2p({
      start: false,
      privateKey: this.#privateKey,
      addresses: { listen: [this.#listen] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [thriftyYamux()],
      connectionGater: this.#gater(),
      // All peers of an experiment may share one address and start in the same second.
      connectionManager: {
        maxConnections: 1_000,
        maxParallelDials: 200,
        maxIncomingPendingConnections: 500,
        inboundConnectionThreshold: 1_000,
        reconnectRetries: 0,
      },
      connectionMonitor: {
        pingInterval: intervalMs,
        pingTimeout: { minTimeout: timeoutMs, maxTimeout: 2 * timeoutMs },
      },
      services: { identify: identify(), gossip: gossip.service() },
    });
  }

  /** Decides about connections once the other side has proven its key. */
  #gater(): ConnectionGater {
    return {
      denyInboundEncryptedConnection: (peerId, socket) => {
        const peer = memberOfPeerId(peerId) ?? peerId.toString();
        const isDenied =
          this.#core.refuses(peer) || this.#isSevered(peer) || this.#isSuperfluous(peer, socket.timeline.open);
        if (!isDenied) this.#arrivingMs.set(peer, Date.now());
        return isDenied;
      },
    };
  }

  /** Whether a peer's inbound connection, begun at `begunMs`, is one too many. */
  #isSuperfluous(peer: string, begunMs: number): boolean {
    if (this.#run?.isOpen !== true) return true;
    const existing = this.#connectionTo(peer);
    // Dials cross: both sides keep the one of the lower id.
    if (existing === undefined) return this.#dialler.isDialling(peer) && this.self < peer;
    if (begunMs - (this.#openedMs.get(existing) ?? begunMs) < this.#probe.crossingMs) return true;
    // It dials although it was connected long ago: its end of the old connection is gone.
    existing.abort(new Error('replaced by a newer connection of the same peer'));
    return false;
  }

  #isSevered(peer: string): boolean {
    return this.#options.links?.condition(peer, 'out')?.severed === true;
  }

  #connectionTo(peer: string): Connection | undefined {
    const id = this.#peerIds.get(peer);
    if (id === undefined) return undefined;
    return this.#run?.libp2p.getConnections(id).find((connection) => connection.status === 'open');
  }

  #opened(run: Running, connection: Connection): void {
    const peer = memberOfPeerId(connection.remotePeer);
    if (peer === null || !this.#core.ledger.knows(peer)) {
      connection.abort(new Error('not a member'));
      return;
    }
    this.#openedMs.set(connection, Date.now());
    this.#arrivingMs.delete(peer);
    if (run.links !== null) {
      interceptGossipWrites(connection, (byteLength, write) => this.#overLink(run, peer, 'out', byteLength, write));
    }
    this.#pollSetup(run);
  }

  #lost(run: Running, peer: string): void {
    const wasUp = this.#core.ledger.isConnected(peer);
    run.streams.detach(peer);
    this.#core.ledger.setConnected(peer, false);
    if (!run.isOpen) return;
    if (wasUp) this.#dialler.wake(peer);
    else this.#dialler.retry(peer);
  }

  /** The router tells nobody when its streams and subscriptions are complete, so peers in setup are polled. */
  #pollSetup(run: Running): void {
    if (run.setupTimer !== null || !run.isOpen) return;
    run.setupTimer = setTimeout(() => {
      run.setupTimer = null;
      if (!run.isOpen) return;
      let isAnyoneLeft = false;
      const subscribers = run.gossip.subscribers();
      for (const [peer, id] of this.#peerIds) {
        if (this.#core.ledger.isConnected(peer) || this.#connectionTo(peer) === undefined) continue;
        if (this.#isUsable(run, id, subscribers)) this.#core.ledger.setConnected(peer, true);
        else isAnyoneLeft = true;
      }
      if (isAnyoneLeft) this.#pollSetup(run);
    }, SETUP_POLL_MS);
  }

  #isUsable(run: Running, id: PeerId, subscribers: ReadonlySet<string>): boolean {
    return subscribers.has(id.toString()) && run.libp2p.getConnections(id).some(hasGossipStream);
  }

  /** A connection whose gossip died stays open in libp2p for ever, deaf; it is closed so that it is made anew. */
  #watch(run: Running): void {
    const subscribers = run.gossip.subscribers();
    for (const [peer, id] of this.#peerIds) {
      const connection = this.#connectionTo(peer);
      if (connection === undefined || this.#isUsable(run, id, subscribers)) continue;
      const isUp = this.#core.ledger.isConnected(peer);
      const ageMs = Date.now() - (this.#openedMs.get(connection) ?? 0);
      if (!isUp && ageMs < this.#probe.setupMs) continue;
      this.#core.log({ code: 'TRANSPORT_GOSSIP_STALLED', member: peer, detail: isUp ? 'died' : 'never came up' });
      this.#disconnect(peer);
    }
    this.#pollSetup(run);
  }

  #disconnect(peer: string): void {
    const id = this.#peerIds.get(peer);
    // Without an id libp2p would list everybody's connections.
    if (id === undefined) return;
    for (const connection of this.#run?.libp2p.getConnections(id) ?? []) connection.abort(new Error('disconnected'));
  }

  #overLink(run: Running, peer: string, direction: Direction, byteLength: number, deliver: () => void): void {
    if (run.links === null) deliver();
    else
      run.links.pass(peer, direction, byteLength, deliver, () =>
        this.#core.ledger.dropped(peer, 'TRANSPORT_LINK_LOSS'),
      );
  }
}

interface Running {
  readonly libp2p: Libp2p;
  readonly gossip: GossipRouter;
  readonly streams: DirectStreams;
  readonly links: ConditionedLinks | null;
  isOpen: boolean;
  setupTimer: NodeJS.Timeout | null;
  watchTimer: NodeJS.Timeout | null;
}

function timer(delayMs: number, action: () => void): { cancel(): void } {
  const handle = setTimeout(action, delayMs);
  return { cancel: () => clearTimeout(handle) };
}

function listenError(listen: string, error: unknown): TransportError {
  const text = allMessages(error);
  return text.includes('EADDRINUSE')
    ? new TransportError('TRANSPORT_ADDRESS_IN_USE', `${listen} is in use; choose another port or stop its owner`, {
        listen,
      })
    : new TransportError('TRANSPORT_LISTEN_FAILED', `cannot listen on ${listen}: ${text}`, { listen });
}

function allMessages(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const inner = [...(error instanceof AggregateError ? error.errors : []), ...(error.cause ? [error.cause] : [])];
  return [error.message, ...inner.map(allMessages)].join('; ');
}
