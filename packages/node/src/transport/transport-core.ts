import { GossipWindow } from './gossip-window.ts';
import { InboundGuard } from './inbound-guard.ts';
import { assertMemberId } from './member-id.ts';
import { MessageIntake } from './message-intake.ts';
import { PeerLedger } from './peer-ledger.ts';
import { TransportError, type TransportLog } from './transport-error.ts';
import { assertLimits, DEFAULT_LIMITS, type TransportLimits } from './transport-limits.ts';
import { type Channel, MAX_FRAME_BYTES, MAX_GOSSIP_BYTES, TOPICS, type Topic } from './transport-port.ts';

/** Who may talk on which chain, and within which bounds. */
export interface TransportScope {
  /** 1 to 64 characters of `A-Z a-z 0-9 . _ -`; peers of other chains never talk to us. */
  readonly chainId: string;
  readonly members: readonly string[];
  /** Peers that may connect, listen and sync without being members. */
  readonly followers?: readonly string[];
  readonly limits?: Partial<TransportLimits>;
  readonly log?: TransportLog;
}

type DrainHandler = (member: string, channel: Channel) => void;

/** The part of a transport that does not depend on what carries the bytes. */
export class TransportCore {
  readonly self: string;
  readonly limits: TransportLimits;
  readonly ledger: PeerLedger;
  readonly guard: InboundGuard;
  readonly window: GossipWindow;
  readonly intake: MessageIntake;
  readonly log: TransportLog;
  readonly nowMs: () => number;
  readonly #drainHandlers: DrainHandler[] = [];
  #lastRefusalLogMs: number | null = null;

  /** @param penalise disconnects a peer that used up its patience. @throws TransportError TRANSPORT_INVALID_CONFIG */
  constructor(self: string, scope: TransportScope, nowMs: () => number, penalise: (peer: string) => void) {
    const { chainId, members, followers = [] } = scope;
    this.self = self;
    this.limits = { ...DEFAULT_LIMITS, ...scope.limits };
    this.log = scope.log ?? (() => {});
    this.nowMs = nowMs;
    assertLimits(this.limits);
    if (!/^[A-Za-z0-9._-]{1,64}$/.test(chainId)) {
      throw invalidConfig(`chain id "${chainId}" is not 1 to 64 letters, digits, dots, dashes or underscores`);
    }
    for (const id of [...members, ...followers]) assertMemberId(id);
    if (!members.includes(self) && !followers.includes(self)) {
      throw invalidConfig(`our key belongs to ${self}, which is neither a member nor a follower of this chain`);
    }
    this.ledger = new PeerLedger(members, followers, self, nowMs);
    this.guard = new InboundGuard(this.ledger.ids(), this.limits, nowMs());
    this.window = new GossipWindow(this.limits.dedupeWindowMs, this.limits.dedupeRecords, nowMs);
    this.intake = new MessageIntake(
      { guard: this.guard, window: this.window, ledger: this.ledger },
      { nowMs, log: this.log, penalise },
    );
  }

  /** @throws TransportError TRANSPORT_MESSAGE_TOO_LARGE */
  assertGossipSize(topic: Topic, bytes: Uint8Array): void {
    assertSize(topic, bytes.byteLength, MAX_GOSSIP_BYTES);
  }

  /** @throws TransportError TRANSPORT_UNKNOWN_MEMBER, TRANSPORT_MESSAGE_TOO_LARGE */
  assertSendable(to: string, channel: Channel, bytes: Uint8Array): void {
    this.assertKnown(to);
    assertSize(channel, bytes.byteLength, MAX_FRAME_BYTES[channel]);
  }

  /** @throws TransportError TRANSPORT_UNKNOWN_MEMBER */
  assertKnown(peer: string): void {
    if (this.ledger.knows(peer)) return;
    throw new TransportError('TRANSPORT_UNKNOWN_MEMBER', `${peer} is not another member or follower`, { member: peer });
  }

  /** What to publish for a broadcast, if anything has to be. */
  envelopeFor(topic: Topic, bytes: Uint8Array): { topicIndex: number; envelope: Uint8Array } | null {
    const topicIndex = TOPICS.indexOf(topic);
    const envelope = this.window.publishing(topicIndex, bytes);
    return envelope === null ? null : { topicIndex, envelope };
  }

  /** Whether an authenticated peer must be refused; says so in the log, at most once a second. */
  refuses(peer: string): boolean {
    const isKnown = this.ledger.knows(peer);
    if (isKnown && this.guard.backOffMs(peer, this.nowMs()) === 0) return false;
    const nowMs = this.nowMs();
    // A stranger can knock as often as it likes; it must not be able to fill the log.
    if (this.#lastRefusalLogMs === null || Math.abs(nowMs - this.#lastRefusalLogMs) >= 1_000) {
      this.#lastRefusalLogMs = nowMs;
      this.log({ code: isKnown ? 'TRANSPORT_BACKED_OFF' : 'TRANSPORT_NOT_A_MEMBER', member: peer });
    }
    return true;
  }

  onDrain(handler: DrainHandler): void {
    this.#drainHandlers.push(handler);
  }

  drained(member: string, channel: Channel): void {
    for (const handler of this.#drainHandlers) handler(member, channel);
  }
}

export function invalidConfig(message: string): TransportError {
  return new TransportError('TRANSPORT_INVALID_CONFIG', message);
}

export function notStarted(): TransportError {
  return new TransportError('TRANSPORT_NOT_STARTED', 'call start() before sending');
}

function assertSize(lane: string, byteLength: number, maxBytes: number): void {
  if (byteLength <= maxBytes) return;
  const message = `a message of ${byteLength} bytes for ${lane} is larger than its limit of ${maxBytes}; split it`;
  throw new TransportError('TRANSPORT_MESSAGE_TOO_LARGE', message, { lane, byteLength, maxBytes });
}
