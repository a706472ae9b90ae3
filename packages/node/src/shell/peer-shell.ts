import type { Outgoing, Peer, PeerEvent, PeerOutput, PeerView } from '@wattmesh/consensus';

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

interface Pending {
  readonly output: PeerOutput;
  /** The peer after it. */
  readonly view: PeerView;
}

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
 * produced, and messages only after what their output says must be durable before them; writes that queue up while the disk
 * is busy share one sync.
 */
export class PeerShell {
  readonly #peer: ShellPeer;
  readonly #ports: ShellPorts;
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #queue: Pending[] = [];
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
      try {
        if (!(await this.#carryOut(group))) break;
        this.#hasStarted = true;
        this.#started.resolve();
      } catch (error) {
        this.#fail(error);
      }
    }
    this.#pumping = null;
  }

  /**
   * Makes the writes of a group durable and lets out what waits for them. What a commit follows does not wait for it: the
   * others decide by these messages. False when the peer has failed for another reason while the disk was busy.
   */
  async #carryOut(group: readonly Pending[]): Promise<boolean> {
    const writes = group.flatMap(({ output }) => output.writes);
    const sends = sendsOf(group);
    let durable = 0;
    let sent = 0;
    const release = (): void => {
      for (let next = sends[sent]; next !== undefined && next.needs <= durable; next = sends[sent]) {
        this.#send(next.send);
        sent += 1;
      }
    };
    for (const [place, { type }] of writes.entries()) {
      const isWorthIt = type === 'commit' && (sends[sent]?.needs ?? Number.POSITIVE_INFINITY) <= place;
      if (!isWorthIt) continue;
      if (place > durable) await this.#ports.write(writes.slice(durable, place));
      if (this.#hasFailed) return false;
      durable = place;
      release();
    }
    if (writes.length > durable) await this.#ports.write(writes.slice(durable));
    if (this.#hasFailed) return false;
    durable = writes.length;
    this.#durable = group.at(-1)?.view ?? this.#durable;
    release();
    for (const { output } of group) for (const notice of output.notices) this.#ports.notice(notice);
    return true;
  }

  #send(send: Outgoing): void {
    if (send.type === 'broadcast') this.#ports.broadcast(send.topic, send.bytes, send.resend);
    else this.#ports.send(send.to, send.channel, send.bytes);
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

/** The messages of a group in their order, and how many of the group's writes each needs. */
function sendsOf(group: readonly Pending[]): { readonly send: Outgoing; readonly needs: number }[] {
  let before = 0;
  return group.flatMap(({ output }) => {
    const { length } = output.writes;
    const first = before;
    before += length;
    return output.sends.map((send) => ({ send, needs: first + Math.min(send.afterWrites ?? length, length) }));
  });
}
