import type { Hex } from '../chain/types.ts';
import type { Message } from '../wire/messages.ts';
import type { Outbox } from './outbox.ts';
import type { ChainReader } from './ports.ts';

/** Blocks asked for in one request, and bytes sent in one answer. */
const RANGE_BLOCKS = 64;
const RANGE_BYTES = 1_000_000;
/** A member is told this peer's height at most so often. */
const STATUS_INTERVAL_MS = 500;

interface SynchroniserModules {
  readonly outbox: Outbox;
  readonly reader: ChainReader;
  readonly timeoutMs: number;
  head(): number;
  /** Public keys of connected members. */
  liveMembers(): readonly Hex[];
  /** Verifies and commits the next block; false or a thrown coded error when it is not that. */
  adopt(block: Uint8Array, certificate: Uint8Array): boolean;
}

/**
 * Catching up by ranges of certified blocks, and helping others to. A claim of height is only a hint: what counts is a
 * block that verifies. A member whose claim led nowhere is not believed again until it has delivered something.
 */
export class Synchroniser {
  readonly #modules: SynchroniserModules;
  readonly #lastToldMs = new Map<string, number>();
  readonly #disappointing = new Set<string>();
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
    if (this.#request !== null || height <= head || this.#disappointing.has(sender)) return;
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
    this.#disappointing.add(this.#request.source);
    this.#request = null;
    // With nobody left to believe, start over: better to ask a liar again than never to catch up.
    if (this.#modules.liveMembers().every((member) => this.#disappointing.has(member))) this.#disappointing.clear();
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
