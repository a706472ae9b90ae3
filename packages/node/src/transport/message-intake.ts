import { contentKeyOfId, contentOf, envelopeId, type GossipWindow } from './gossip-window.ts';
import type { InboundGuard } from './inbound-guard.ts';
import type { PeerLedger } from './peer-ledger.ts';
import type { TransportCode, TransportLog } from './transport-error.ts';
import { PATIENCE_COST } from './transport-limits.ts';
import {
  type Channel,
  type InboundMessage,
  MAX_FRAME_BYTES,
  MAX_GOSSIP_BYTES,
  type MessageHandler,
  TOPICS,
  type Topic,
  type Verdict,
} from './transport-port.ts';

/**
 * The way of a message from the network to the upper layer, common to every transport: size, rate, duplicate, handler,
 * verdict, and what it costs the peer that brought it.
 */
export class MessageIntake {
  readonly #guard: InboundGuard;
  readonly #window: GossipWindow;
  readonly #ledger: PeerLedger;
  readonly #nowMs: () => number;
  readonly #log: TransportLog;
  readonly #penalise: (peer: string) => void;
  #handler: MessageHandler = () => 'ignore';

  /** @param penalise called when a peer's patience is used up: disconnect it and refuse it while it is in back-off. */
  constructor(
    parts: { guard: InboundGuard; window: GossipWindow; ledger: PeerLedger },
    shell: { nowMs: () => number; log: TransportLog; penalise: (peer: string) => void },
  ) {
    this.#guard = parts.guard;
    this.#window = parts.window;
    this.#ledger = parts.ledger;
    this.#nowMs = shell.nowMs;
    this.#log = shell.log;
    this.#penalise = shell.penalise;
  }

  setHandler(handler: MessageHandler): void {
    this.#handler = handler;
  }

  /**
   * Whether the topic and rate of an envelope allow looking at it. Refusals are counted and charged.
   *
   * Only what may be asked for again is refused here. A message that is bad in itself goes on to `gossip`, so that
   * routers remember it and do not fetch it a second time.
   */
  admitGossip(from: string, topic: string, byteLength: number): boolean {
    if (!isTopic(topic)) return this.#refuse(from, 'TRANSPORT_MALFORMED', PATIENCE_COST.malformed);
    if (!this.#guard.admit(from, topic, byteLength, this.#nowMs())) {
      return this.#refuse(from, 'TRANSPORT_RATE_LIMITED', PATIENCE_COST.excess);
    }
    return true;
  }

  /** Takes an admitted envelope to the handler unless its content was seen. `id` is its `envelopeId`, if known. */
  gossip(from: string, topic: Topic, envelope: Uint8Array, id?: Uint8Array): Verdict | Promise<Verdict> {
    const content = contentOf(envelope);
    if (content === null) {
      this.#refuse(from, 'TRANSPORT_MALFORMED', PATIENCE_COST.malformed);
      return 'reject';
    }
    if (content.byteLength > MAX_GOSSIP_BYTES) {
      this.oversize(from);
      return 'reject';
    }
    this.#ledger.received(from, content.byteLength);
    const key = contentKeyOfId(id ?? envelopeId(TOPICS.indexOf(topic), envelope));
    const arrival = this.#window.arrived(key);
    if (arrival === 'duplicate') return 'ignore';
    if (arrival === 'rejected') {
      this.#refuse(from, 'TRANSPORT_REJECTED', PATIENCE_COST.rejected);
      return 'reject';
    }
    // Copied: a kept view would pin the whole network buffer, and the sender's own bytes in memory transports.
    return this.#judge({ from, via: 'gossip', topic, bytes: content.slice() }, (verdict) =>
      this.#window.settle(key, verdict),
    );
  }

  /** Takes a frame of a direct channel to the handler if its size and rate allow. `bytes` is handed over as is. */
  direct(from: string, channel: Channel, bytes: Uint8Array): void {
    if (bytes.byteLength > MAX_FRAME_BYTES[channel]) {
      this.oversize(from);
      return;
    }
    if (!this.#guard.admit(from, channel, bytes.byteLength, this.#nowMs())) {
      this.#refuse(from, 'TRANSPORT_RATE_LIMITED', PATIENCE_COST.excess);
      return;
    }
    this.#ledger.received(from, bytes.byteLength);
    this.#judge({ from, via: 'direct', topic: channel, bytes }, () => {});
  }

  /** More bytes than a topic or channel allows: counted and charged. */
  oversize(from: string): void {
    this.#refuse(from, 'TRANSPORT_OVERSIZE', PATIENCE_COST.malformed);
  }

  #judge(message: InboundMessage, settle: (verdict: Verdict) => void): Verdict | Promise<Verdict> {
    const conclude = (verdict: Verdict): Verdict => {
      settle(verdict);
      if (verdict === 'reject') this.#refuse(message.from, 'TRANSPORT_REJECTED', PATIENCE_COST.rejected);
      return verdict;
    };
    const fail = (error: unknown): Verdict => {
      this.#log({ code: 'TRANSPORT_HANDLER_FAILED', member: message.from, detail: String(error) });
      return conclude('ignore');
    };
    try {
      const verdict = this.#handler(message);
      return typeof verdict === 'string' ? conclude(verdict) : verdict.then(conclude, fail);
    } catch (error) {
      return fail(error);
    }
  }

  #refuse(from: string, code: TransportCode, points: number): false {
    this.#ledger.dropped(from, code);
    if (this.#guard.charge(from, points, this.#nowMs())) {
      this.#log({ code: 'TRANSPORT_PENALISED', member: from, detail: `last straw: ${code}` });
      this.#penalise(from);
    }
    return false;
  }
}

export function isTopic(topic: string): topic is Topic {
  return (TOPICS as readonly string[]).includes(topic);
}
