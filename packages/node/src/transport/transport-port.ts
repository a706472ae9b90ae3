/**
 * The peer's network, as the rest of the node sees it.
 *
 * Guarantees. Bytes go to members (and configured followers) only, over authenticated and encrypted connections.
 * A gossip message reaches the handler at most once per content within `dedupeWindowMs`, never at its own publisher;
 * what one connected peer accepts is offered to every other. Direct messages of one (sender, channel) arrive in the
 * order in which they were sent, each at most once. Every queue is bounded in bytes; what does not fit is dropped and
 * counted, never kept.
 *
 * Does not guarantee. Delivery: links fail, queues overflow, peers are away. Upper layers resend (votes, bundles) or
 * fetch (blocks). Truth: `from` is the authenticated member that handed the bytes over, not their author; signatures
 * inside the bytes are the upper layer's business.
 *
 * Persists nothing. Fails by throwing `TransportError` (see `transport-error.ts`) for wrong use and wrong
 * configuration, and by counting and logging under a code for everything that the network does.
 */
import type { TransportCode } from './transport-error.ts';

/** Gossip topics; the wire name also carries the chain id, so two chains on one host never mix. */
export const TOPICS = ['transactions', 'announcements', 'proposals', 'bundles', 'evidence', 'updates'] as const;
export type Topic = (typeof TOPICS)[number];

/** Direct channels; each is one ordered stream per peer and direction. */
export const CHANNELS = ['votes', 'sync', 'request', 'batches'] as const;
export type Channel = (typeof CHANNELS)[number];

/** Largest gossip message, without its envelope. */
export const MAX_GOSSIP_BYTES = 1_572_864;

/** Largest direct message by channel. */
export const MAX_FRAME_BYTES: Readonly<Record<Channel, number>> = {
  votes: 65_536,
  sync: 4_194_304,
  request: 65_536,
  batches: 1_572_864,
};

/**
 * What the upper layer thinks of a message.
 *
 * - `accept`: good; offered to peers that missed it.
 * - `ignore`: not now (for example ahead of us): not offered, not held against anyone, and a resend of the same bytes
 *   is delivered again.
 * - `reject`: provably bad; counts against the member that handed it to us, and so does every further copy of it.
 */
export type Verdict = 'accept' | 'ignore' | 'reject';

export interface InboundMessage {
  /** The member or follower whose authenticated connection brought the bytes. */
  readonly from: string;
  readonly via: 'gossip' | 'direct';
  /** A `Topic` for gossip, a `Channel` for direct messages. */
  readonly topic: string;
  /** The handler's own copy; it may be kept. */
  readonly bytes: Uint8Array;
}

export type MessageHandler = (message: InboundMessage) => Verdict | Promise<Verdict>;
export type ConnectionHandler = (member: string, up: boolean) => void;

export interface PeerStatus {
  readonly member: string;
  readonly role: 'member' | 'follower';
  /** True when both gossip and direct messages reach it. */
  readonly connected: boolean;
  /** Clock reading (ms) of the last change of `connected`; 0 when there was none. */
  readonly sinceMs: number;
  /** Address of the open connection, else the configured one, else `null`. */
  readonly address: string | null;
  /** Payload bytes and messages, without envelopes, frames and protocol overhead. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly messagesIn: number;
  readonly messagesOut: number;
  /** Messages to or from this peer that were dropped, and why. */
  readonly dropped: number;
  readonly droppedByCode: Readonly<Partial<Record<TransportCode, number>>>;
}

export interface TransportPort {
  /** This peer's id: hex of its 33-byte compressed secp256k1 public key. */
  readonly self: string;
  /** Listens and starts connecting. @throws TransportError TRANSPORT_ADDRESS_IN_USE, TRANSPORT_LISTEN_FAILED */
  start(): Promise<void>;
  /** Closes every socket and stops all work; a process with nothing else to do then ends. Safe to call twice. */
  stop(): Promise<void>;
  /**
   * Gossips to every connected peer, one hop, never to self.
   *
   * Bytes seen before behave as follows, so that "broadcast whatever made me act" is cheap and "resend until decided"
   * works: accepted over gossip, first broadcast: nothing is sent (peers that missed it are repaired by gossip's own
   * IHAVE/IWANT exchange); received directly, ignored, or new: published; broadcast here before: published again,
   * under a fresh resend tag so that no cache on the way swallows it. Receivers that accepted it are not told twice.
   *
   * @throws TransportError TRANSPORT_MESSAGE_TOO_LARGE, TRANSPORT_NOT_STARTED
   */
  broadcast(topic: Topic, bytes: Uint8Array): void;
  /**
   * Sends to one member over its ordered stream of that channel.
   *
   * @returns true if queued. False if the member is not connected (dropped, counted) or, on any channel but `votes`, if
   * the queue is full (dropped, counted: stop producing until `onDrain`). A full `votes` queue drops its oldest
   * entries instead, because the newest vote is the one that matters.
   * @throws TransportError TRANSPORT_MESSAGE_TOO_LARGE, TRANSPORT_UNKNOWN_MEMBER, TRANSPORT_NOT_STARTED
   */
  send(to: string, channel: Channel, bytes: Uint8Array): boolean;
  /** Sets the one consumer of messages; a later call replaces it. Messages that arrive without one are ignored. */
  onMessage(handler: MessageHandler): void;
  /** Adds a listener for members going up (gossip and direct both usable) and down. */
  onConnection(handler: ConnectionHandler): void;
  /** Adds a listener called when a queue that had refused a message has room again. */
  onDrain(handler: (member: string, channel: Channel) => void): void;
  /** All members and followers but self, ordered by id. */
  peers(): readonly PeerStatus[];
}
