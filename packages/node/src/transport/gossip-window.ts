/**
 * What this peer recently gossiped or was told, by content, and the envelope that lets a resend pass the caches.
 *
 * Gossip libraries drop a message whose id they saw before, for two minutes. That is right for copies on the way and
 * wrong for a resend: whoever missed the first copy would never get it. So every gossip message travels in an envelope
 *
 *     8 bytes resend tag | content
 *
 * whose tag is zero the first time and random afterwards; tag and content hash together make the message id. First
 * copies published by two peers thus share an id and are one message to the library, resends are new to it. Receivers
 * strip the tag and compare contents here, so a resend is delivered only where the content was never seen or ignored.
 */
import { hash, randomBytes } from 'node:crypto';
import type { Verdict } from './transport-port.ts';

export const TAG_BYTES = 8;
const HASH_BYTES = 32;
const FIRST_TAG = new Uint8Array(TAG_BYTES);

type Fate = 'own' | 'pending' | Verdict;
type Entry = { fate: Fate; expiresMs: number; offered: boolean };

/** Identifies content within a topic. */
export type ContentKey = string;

/** @returns the content of an envelope (a view), or `null` if it is too short to be one. */
export function contentOf(envelope: Uint8Array): Uint8Array | null {
  return envelope.byteLength < TAG_BYTES ? null : envelope.subarray(TAG_BYTES);
}

/** Message id of an envelope: topic index, resend tag, SHA-256 of the content. */
export function envelopeId(topicIndex: number, envelope: Uint8Array): Uint8Array {
  const id = new Uint8Array(1 + TAG_BYTES + HASH_BYTES);
  id[0] = topicIndex;
  id.set(envelope.subarray(0, TAG_BYTES), 1);
  id.set(hash('sha256', envelope.subarray(TAG_BYTES), 'buffer'), 1 + TAG_BYTES);
  return id;
}

/** Content part of an id that `envelopeId` made; saves hashing a large message twice. */
export function contentKeyOfId(id: Uint8Array): ContentKey {
  return `${id[0]}:${Buffer.from(id.buffer, id.byteOffset + 1 + TAG_BYTES, HASH_BYTES).toString('base64')}`;
}

export class GossipWindow {
  readonly #entries = new Map<ContentKey, Entry>();
  readonly #windowMs: number;
  readonly #maxEntries: number;
  readonly #nowMs: () => number;
  readonly #tag: () => Uint8Array;

  constructor(
    windowMs: number,
    maxEntries: number,
    nowMs: () => number,
    tag: () => Uint8Array = () => randomBytes(TAG_BYTES),
  ) {
    this.#windowMs = windowMs;
    this.#maxEntries = maxEntries;
    this.#nowMs = nowMs;
    this.#tag = tag;
  }

  /**
   * Notes that content arrived.
   *
   * @returns `deliver` if the upper layer should see it (then `settle` must follow), `duplicate` if it saw it already,
   * `rejected` if it saw it and rejected it.
   */
  arrived(key: ContentKey): 'deliver' | 'duplicate' | 'rejected' {
    const known = this.#get(key);
    if (known === undefined || known.fate === 'ignore') {
      this.#put(key, { fate: 'pending', expiresMs: 0, offered: false });
      return 'deliver';
    }
    // Sliding: a peer that resends for longer than the window still delivers once.
    this.#put(key, known);
    return known.fate === 'reject' ? 'rejected' : 'duplicate';
  }

  /** Notes the upper layer's verdict. */
  settle(key: ContentKey, verdict: Verdict): void {
    const known = this.#get(key);
    // If this peer published it meanwhile, it stays its own.
    if (known?.fate !== 'pending') return;
    known.fate = verdict;
    if (verdict !== 'accept') known.offered = false;
  }

  /**
   * Notes that the upper layer broadcasts `content`.
   *
   * @returns the envelope to publish, or `null` if gossip itself already offers this content on our behalf.
   */
  publishing(topicIndex: number, content: Uint8Array): Uint8Array | null {
    const envelope = new Uint8Array(TAG_BYTES + content.byteLength);
    envelope.set(content, TAG_BYTES);
    const key = contentKeyOfId(envelopeId(topicIndex, envelope));
    const known = this.#get(key);
    if (known === undefined) {
      envelope.set(FIRST_TAG);
      this.#put(key, { fate: 'own', expiresMs: 0, offered: true });
      return envelope;
    }
    // `pending` is a handler that broadcasts what it is about to accept.
    if ((known.fate === 'accept' || known.fate === 'pending') && !known.offered) {
      known.offered = true;
      return null;
    }
    envelope.set(this.#tag());
    this.#put(key, { fate: 'own', expiresMs: 0, offered: true });
    return envelope;
  }

  get size(): number {
    return this.#entries.size;
  }

  #get(key: ContentKey): Entry | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && entry.expiresMs > this.#nowMs() ? entry : undefined;
  }

  #put(key: ContentKey, entry: Entry): void {
    const nowMs = this.#nowMs();
    entry.expiresMs = nowMs + this.#windowMs;
    // Delete first: the map's order is then the order of expiry.
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    for (const [oldest, { expiresMs }] of this.#entries) {
      if (expiresMs > nowMs && this.#entries.size <= this.#maxEntries) break;
      this.#entries.delete(oldest);
    }
  }
}
