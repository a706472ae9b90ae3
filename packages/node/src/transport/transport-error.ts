/** Why a call failed or a message, a connection or a dial was refused. The code doubles as log field and metric label. */
export type TransportCode =
  /** Wrong key, member id, address or limit in the configuration. */
  | 'TRANSPORT_INVALID_CONFIG'
  /** Another process listens on the configured port. */
  | 'TRANSPORT_ADDRESS_IN_USE'
  /** The listen address cannot be used for another reason. */
  | 'TRANSPORT_LISTEN_FAILED'
  /** The installed gossip library lacks a seam that this layer needs. */
  | 'TRANSPORT_GOSSIP_INCOMPATIBLE'
  /** The installed stream multiplexer lacks a seam that this layer needs. */
  | 'TRANSPORT_MUXER_INCOMPATIBLE'
  /** Used before `start()`. */
  | 'TRANSPORT_NOT_STARTED'
  /** `send` or `setAddress` for an id that is neither member nor follower. */
  | 'TRANSPORT_UNKNOWN_MEMBER'
  /** A message of ours is larger than its topic or channel allows. */
  | 'TRANSPORT_MESSAGE_TOO_LARGE'
  /** A key that is neither member nor follower tried to connect. */
  | 'TRANSPORT_NOT_A_MEMBER'
  /** A peer that is serving its back-off time tried to connect. */
  | 'TRANSPORT_BACKED_OFF'
  /** A connection whose gossip streams did not come up or died; closed so that it is made anew. */
  | 'TRANSPORT_GOSSIP_STALLED'
  /** A dial failed; it is tried again. */
  | 'TRANSPORT_DIAL_FAILED'
  /** A stream to a connected peer could not be opened; it is tried again. */
  | 'TRANSPORT_STREAM_FAILED'
  /** Dropped: the peer is not connected. */
  | 'TRANSPORT_NOT_CONNECTED'
  /** Dropped: the outbound queue was full. */
  | 'TRANSPORT_QUEUE_FULL'
  /** Dropped: more messages or bytes than the inbound limits allow. */
  | 'TRANSPORT_RATE_LIMITED'
  /** Dropped: an inbound message larger than its topic or channel allows. */
  | 'TRANSPORT_OVERSIZE'
  /** Dropped: gossip bytes without a valid envelope or on an unknown topic. */
  | 'TRANSPORT_MALFORMED'
  /** The upper layer rejected a message. */
  | 'TRANSPORT_REJECTED'
  /** A peer used up its patience (rejected, malformed, excess) and was disconnected for the back-off time. */
  | 'TRANSPORT_PENALISED'
  /** The upper layer's handler threw; the message counts as ignored. */
  | 'TRANSPORT_HANDLER_FAILED'
  /** Dropped by the configured link conditions (loss, block or a full simulated link). */
  | 'TRANSPORT_LINK_LOSS';

/** An error of this layer: `code` for machines, `details` for logs, `message` for people. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
  readonly code: TransportCode;
  readonly details: Readonly<Record<string, string | number>>;

  constructor(code: TransportCode, message: string, details: Readonly<Record<string, string | number>> = {}) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

/** One thing worth a log line. The node writes it through its logger; it never contains keys or payloads. */
export interface TransportEvent {
  readonly code: TransportCode;
  readonly member?: string;
  readonly detail?: string;
}

export type TransportLog = (event: TransportEvent) => void;
