import type { Peer, PeerEvent, PeerOutput, PeerView } from '@wattmesh/consensus';

/** The side effects that a running peer has; each is a real thing in `node.ts` and a recording in tests. */
export interface ShellPorts {
  nowMs(): number;
  /** Makes writes durable, in order. */
  write(writes: PeerOutput['writes']): Promise<void>;
  broadcast(topic: string, bytes: Uint8Array, resend: boolean): void;
  send(to: string, channel: string, bytes: Uint8Array): void;
  notice(notice: PeerOutput['notices'][number]): void;
  /**
   * The running peer cannot go on (its memory could not be written, or it broke). Called once, and never for a failure
   * that `start` reports; nothing is sent after it.
   */
  fatal(error: unknown): void;
}

type WithoutTime<E> = E extends { readonly nowMs: number } ? Omit<E, 'nowMs'> : never;

/** The part of a peer that the shell drives. */
export type ShellPeer = Pick<Peer, 'handle' | 'view'>;

export interface Answer {
  readonly verdict: PeerOutput['verdict'];
  /** Why, when the verdict is not `accept`; `PEER_STOPPED` before `start` and after the end. */
  readonly code: string | null;
}

const NOT_RUNNING: Answer = { verdict: 'ignore', code: 'PEER_STOPPED' };
/** `setTimeout` takes no longer delay. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** Node's timers may ring a little before the wall clock is there; a peer that looks too early would not look again. */
const EARLY_MS = 50;

/**
 * Runs a peer: feeds it events and timers, and carries out what it answers. Outputs leave in the order in which they were
 * produced, and only after everything written before them is durable; writes that queue up while the disk is busy share
 * one sync.
 */
export class PeerShell {
  readonly #peer: ShellPeer;
  readonly #ports: ShellPorts;
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #queue: { readonly output: PeerOutput; readonly view: PeerView }[] = [];
  #pumping: Promise<void> | null = null;
  #isRunning = false;
  /** Settled with the first outputs: a peer that is busy from its first moment on may never have an empty queue. */
  readonly #started = Promise.withResolvers<void>();
  #hasStarted = false;
  #hasFailed = false;
  #durable: PeerView | null = null;

  constructor(peer: ShellPeer, ports: ShellPorts) {
    this.#peer = peer;
    this.#ports = ports;
  }

  /** Starts the peer; resolves when what it does first is durable and sent. Rejects with what made it fail. */
  async start(): Promise<void> {
    this.#isRunning = true;
    this.handle({ type: 'start' });
    await this.#started.promise;
  }

  /** What the peer stands for in public: the last state that is on disk. Only after `start` has resolved. */
  get view(): PeerView {
    if (this.#durable === null) throw new Error('the shell has not started');
    return this.#durable;
  }

  handle(event: WithoutTime<PeerEvent>): Answer {
    if (!this.#isRunning) return NOT_RUNNING;
    let output: PeerOutput;
    try {
      output = this.#peer.handle({ ...event, nowMs: this.#ports.nowMs() } as PeerEvent);
    } catch (error) {
      // No message can do this: the peer's own memory or code is broken, and what it would do next is anybody's guess.
      this.#fail(error);
      return NOT_RUNNING;
    }
    for (const { id, delayMs } of output.timers) this.#schedule(id, this.#ports.nowMs() + delayMs, delayMs);
    // Whatever an event changed must be seen later than what was written before it, so every output queues.
    this.#queue.push({ output, view: this.#peer.view });
    this.#pumping ??= this.#pump();
    return { verdict: output.verdict, code: output.code };
  }

  /** Stops timers and further events, and finishes what is queued. */
  async stop(): Promise<void> {
    this.#halt();
    await this.#pumping;
  }

  #schedule(id: string, dueMs: number, delayMs: number): void {
    clearTimeout(this.#timers.get(id));
    const ring = (): void => {
      const leftMs = dueMs - this.#ports.nowMs();
      const isEarly = leftMs > 0 && (leftMs <= EARLY_MS || delayMs > MAX_TIMER_MS);
      this.#timers.delete(id);
      if (isEarly) this.#schedule(id, dueMs, leftMs);
      else this.handle({ type: 'timer', id });
    };
    this.#timers.set(id, setTimeout(ring, Math.min(delayMs, MAX_TIMER_MS)));
  }

  async #pump(): Promise<void> {
    // Let the events that are already here join the first sync.
    await null;
    while (this.#queue.length > 0) {
      const group = this.#queue;
      this.#queue = [];
      const writes = group.flatMap(({ output }) => output.writes);
      try {
        if (writes.length > 0) await this.#ports.write(writes);
        // It may have failed for another reason while the disk was busy.
        if (this.#hasFailed) break;
        this.#durable = group.at(-1)?.view ?? this.#durable;
        for (const { output } of group) this.#release(output);
        this.#hasStarted = true;
        this.#started.resolve();
      } catch (error) {
        this.#fail(error);
      }
    }
    this.#pumping = null;
  }

  #release({ sends, notices }: PeerOutput): void {
    for (const send of sends) {
      if (send.type === 'broadcast') this.#ports.broadcast(send.topic, send.bytes, send.resend);
      else this.#ports.send(send.to, send.channel, send.bytes);
    }
    for (const notice of notices) this.#ports.notice(notice);
  }

  #fail(error: unknown): void {
    this.#halt();
    this.#queue = [];
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    if (this.#hasStarted) this.#ports.fatal(error);
    else this.#started.reject(error);
  }

  #halt(): void {
    this.#isRunning = false;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}
