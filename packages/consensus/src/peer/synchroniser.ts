import type { Hex } from '../chain/types.ts';
import type { Message } from '../wire/messages.ts';
import type { Outbox } from './outbox.ts';
import type { ChainReader } from './ports.ts';

/** Blocks asked for in one request, and bytes sent in one answer. */
const RANGE_BLOCKS = 64;
const RANGE_BYTES = 1_000_000;
/** A member is told this peer's height at most so often. */
const STATUS_INTERVAL_MS = 500;
/** Who let requests go unanswered is not asked again for the timeout times two to the power of their number, up to this one. */
const MAX_DOUBLINGS = 4;

interface SynchroniserModules {
  readonly outbox: Outbox;
  readonly reader: ChainReader;
  readonly timeoutMs: number;
  /** This peer's clock; it may jump. */
  nowMs(): number;
  head(): number;
  /** Whether this peer's height says how far it has ever been: others build on that (`Silence`). */
  mayClaim(): boolean;
  /** Public keys of connected members. */
  liveMembers(): readonly Hex[];
  /** Verifies and commits the next block; false or a thrown coded error when it is not that. */
  adopt(block: Uint8Array, certificate: Uint8Array): boolean;
}

/**
 * Catching up by ranges of certified blocks, and helping others to. A claim of height is only a hint: what counts is a
 * block that verifies. A member whose claim led nowhere is not believed for a while, longer each time, until it has
 * delivered something: a liar costs little time, and an honest member whose answer was lost is asked again.
 */
export class Synchroniser {
  readonly #modules: SynchroniserModules;
  readonly #lastToldMs = new Map<string, number>();
  readonly #disappointing = new Map<string, { readonly sinceMs: number; readonly times: number }>();
  #request: { readonly id: number; readonly source: string; readonly target: number } | null = null;
  #requests = 0;
  #heartbeats = 0;

  constructor(modules: SynchroniserModules) {
    this.#modules = modules;
  }

  /** Height that this peer is catching up with; null when it is not known to be behind. */
  get target(): number | null {
    return this.#request?.target ?? null;
  }

  /** Tells one connected member, in turn, where this peer stands. */
  heartbeat(nowMs: number): void {
    const members = this.#modules.liveMembers();
    const member = members[this.#heartbeats % Math.max(1, members.length)];
    this.#heartbeats += 1;
    if (member !== undefined) this.tellStatus(member, nowMs);
  }

  tellStatus(to: string, nowMs: number): void {
    if (!this.#modules.mayClaim()) return;
    const last = this.#lastToldMs.get(to);
    if (last !== undefined && Math.abs(nowMs - last) < STATUS_INTERVAL_MS) return;
    this.#lastToldMs.set(to, nowMs);
    this.#modules.outbox.send(to, 'request', { type: 'status', height: this.#modules.head() });
  }

  onStatus(sender: string, height: number): string {
    if (height > this.#modules.head()) this.onAhead(sender, height);
    return 'accept';
  }

  /** Somebody speaks of `height` as committed. */
  onAhead(sender: string, height: number): void {
    const head = this.#modules.head();
    if (this.#request !== null || height <= head || !this.#isBelieved(sender)) return;
    this.#modules.outbox.notice({ type: 'behind', height: head, target: height });
    this.#ask(sender, height);
  }

  onGetBlocks(sender: string, range: { readonly from: number; readonly count: number }): string {
    const items: { block: Uint8Array; certificate: Uint8Array }[] = [];
    let bytes = 0;
    for (let height = range.from; height < range.from + range.count; height += 1) {
      const stored = this.#modules.reader.block(height);
      if (stored === null) break;
      bytes += stored.block.length + stored.certificate.length;
      if (items.length > 0 && bytes > RANGE_BYTES) break;
      items.push(stored);
    }
    if (items.length > 0) this.#modules.outbox.send(sender, 'sync', { type: 'blocks', items });
    return 'accept';
  }

  onBlocks(sender: string, items: (Message & { type: 'blocks' })['items']): string {
    let adopted = 0;
    for (const { block, certificate } of items) if (this.#modules.adopt(block, certificate)) adopted += 1;
    if (adopted > 0) this.#disappointing.delete(sender);
    if (this.#request !== null && sender === this.#request.source && adopted > 0)
      this.#ask(sender, this.#request.target);
    return adopted > 0 ? 'accept' : 'BLOCKS_OF_NO_USE';
  }

  /** The head has moved, by sync or by agreement. */
  onHead(): void {
    if (this.#request !== null && this.#request.target <= this.#modules.head()) this.#request = null;
  }

  onTimeout(id: number): void {
    if (this.#request === null || this.#request.id !== id) return;
    const { source } = this.#request;
    const times = (this.#disappointing.get(source)?.times ?? 0) + 1;
    this.#disappointing.set(source, { sinceMs: this.#modules.nowMs(), times });
    this.#request = null;
  }

  #isBelieved(sender: string): boolean {
    const disappointment = this.#disappointing.get(sender);
    if (disappointment === undefined) return true;
    const { sinceMs, times } = disappointment;
    // The distance, not the difference: a clock that was set back must not keep anybody out.
    const agoMs = Math.abs(this.#modules.nowMs() - sinceMs);
    return agoMs >= this.#modules.timeoutMs * 2 ** Math.min(times, MAX_DOUBLINGS);
  }

  #ask(source: string, target: number): void {
    const head = this.#modules.head();
    if (head >= target) {
      this.#request = null;
      return;
    }
    this.#requests += 1;
    this.#request = { id: this.#requests, source, target };
    const count = Math.min(RANGE_BLOCKS, target - head);
    this.#modules.outbox.send(source, 'request', { type: 'get-blocks', from: head + 1, count });
    this.#modules.outbox.timer(`sync/${this.#requests}`, this.#modules.timeoutMs);
  }
}
