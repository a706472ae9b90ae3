import { TokenBucket } from './token-bucket.ts';
import type { TransportLimits } from './transport-limits.ts';
import { CHANNELS, type Channel, TOPICS, type Topic } from './transport-port.ts';

type Lane = Topic | Channel;

interface Account {
  readonly lanes: ReadonlyMap<Lane, { readonly messages: TokenBucket; readonly bytes: TokenBucket }>;
  readonly patience: TokenBucket;
  backOffUntilMs: number;
}

/**
 * Per-peer inbound accounting: rates per topic or channel, and patience with misbehaviour.
 *
 * Holds one account per configured peer, so its size does not depend on who connects.
 */
export class InboundGuard {
  readonly #limits: TransportLimits;
  readonly #accounts = new Map<string, Account>();

  constructor(peers: Iterable<string>, limits: TransportLimits, nowMs: number) {
    this.#limits = limits;
    for (const peer of peers) {
      const lanes = new Map(
        [...TOPICS, ...CHANNELS].map((lane) => {
          const limit = limits.lanes[lane];
          return [
            lane as Lane,
            {
              messages: new TokenBucket(limit.burstMessages, limit.messagesPerSecond, nowMs),
              bytes: new TokenBucket(limit.burstBytes, limit.bytesPerSecond, nowMs),
            },
          ];
        }),
      );
      const patience = new TokenBucket(limits.patiencePoints, limits.patiencePerSecond, nowMs);
      this.#accounts.set(peer, { lanes, patience, backOffUntilMs: 0 });
    }
  }

  /** @returns whether one more message of `byteLength` bytes is within the peer's allowance; charges it if so. */
  admit(peer: string, lane: Lane, byteLength: number, nowMs: number): boolean {
    const buckets = this.#accounts.get(peer)?.lanes.get(lane);
    if (buckets === undefined) return false;
    return buckets.messages.take(1, nowMs) && buckets.bytes.take(byteLength, nowMs);
  }

  /** Charges misbehaviour. @returns true if that used up the peer's patience: it is now in back-off. */
  charge(peer: string, points: number, nowMs: number): boolean {
    const account = this.#accounts.get(peer);
    if (account === undefined || this.backOffMs(peer, nowMs) > 0) return false;
    if (account.patience.take(points, nowMs)) return false;
    account.backOffUntilMs = nowMs + this.#limits.backOffMs;
    account.patience.refill();
    return true;
  }

  /** @returns how much longer the peer is refused, in ms; 0 if it is welcome. */
  backOffMs(peer: string, nowMs: number): number {
    const until = this.#accounts.get(peer)?.backOffUntilMs ?? 0;
    // A clock that was set back must not lengthen the sentence.
    return Math.min(this.#limits.backOffMs, Math.max(0, until - nowMs));
  }
}
