import type { Blobs } from '../application/types.ts';
import type { Hash } from '../chain/types.ts';
import { sha256 } from '../crypto/index.ts';
import type { Outbox } from './outbox.ts';
import type { ChainReader } from './ports.ts';

/** Bytes kept in memory besides what is on disk; the oldest make room. Some 16 MB of model updates. */
const MAX_KEPT = 700;
/** Requests that may be open at a time, so that blocks that name nonsense cannot make a peer ask for ever more. */
const MAX_WANTED = 600;
/** Blobs sent in one answer: an update is 20 to 64 KB. */
const MAX_ANSWERED = 32;

interface BlobPoolModules {
  readonly outbox: Outbox;
  readonly reader: ChainReader;
  /** How long one member may take before the next is asked. */
  readonly patienceMs: number;
  /** Public keys of connected members. */
  liveMembers(): readonly string[];
}

/**
 * Bytes that blocks name by hash: what came by gossip, what was fetched, what this peer has made, and behind them what is on
 * disk. Missing ones are asked for from one member after the other until they come or nobody wants them any more.
 */
export class BlobPool implements Blobs {
  readonly #modules: BlobPoolModules;
  readonly #kept = new Map<Hash, Uint8Array>();
  readonly #wanted = new Set<Hash>();
  #attempts = 0;
  #isAsking = false;

  constructor(modules: BlobPoolModules) {
    this.#modules = modules;
  }

  get(hash: Hash): Uint8Array | null {
    return this.#kept.get(hash) ?? this.#modules.reader.blob?.(hash) ?? null;
  }

  add(bytes: Uint8Array): Hash {
    const hash = sha256(bytes);
    this.#wanted.delete(hash);
    if (this.#kept.has(hash)) return hash;
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= MAX_KEPT && oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(hash, bytes);
    return hash;
  }

  missing(hashes: readonly Hash[]): readonly Hash[] {
    return hashes.filter((hash) => this.get(hash) === null);
  }

  /** Asks for these as well, `first` (a public key) before the others. */
  want(hashes: readonly Hash[], first: string | null): void {
    const fresh = hashes.filter((hash) => !this.#wanted.has(hash));
    for (const hash of fresh) if (this.#wanted.size < MAX_WANTED) this.#wanted.add(hash);
    if (fresh.length > 0) this.#ask(first);
  }

  /** Stops asking, at a new height: what is still needed is wanted again. */
  forget(): void {
    this.#wanted.clear();
  }

  /** Time for the next member. */
  onTimer(): void {
    this.#isAsking = false;
    if (this.#wanted.size > 0) this.#ask(null);
  }

  /** True when these bytes were wanted. */
  receive(bytes: Uint8Array): Hash | null {
    const hash = sha256(bytes);
    if (!this.#wanted.has(hash)) return null;
    this.add(bytes);
    return hash;
  }

  answer(sender: string, hashes: readonly Hash[]): void {
    const found = hashes.flatMap((hash) => this.get(hash) ?? []).slice(0, MAX_ANSWERED);
    for (const bytes of found) this.#modules.outbox.send(sender, 'sync', { type: 'blob', bytes });
  }

  #ask(first: string | null): void {
    const members = this.#modules.liveMembers();
    const member = first ?? members[this.#attempts % Math.max(1, members.length)];
    this.#attempts += 1;
    if (member !== undefined)
      this.#modules.outbox.send(member, 'request', {
        type: 'get-blobs',
        hashes: [...this.#wanted].slice(0, MAX_ANSWERED),
      });
    if (this.#isAsking) return;
    this.#isAsking = true;
    this.#modules.outbox.timer('blobs', this.#modules.patienceMs);
  }
}
