import type { Peer, PeerEvent, PeerOutput, PeerView } from '@wattmesh/consensus';

/** The side effects that a running peer has; each is a real thing in `node.ts` and a recording in tests. */
export interface ShellPorts {
  nowMs(): number;
  /** Makes writes durable, in order. */
  write(writes: PeerOutput['writes']): Promise<void>;
  broadcast(topic: string, bytes: Uint8Array, resend: boolean): void;
  send(to: string, channel: string, bytes: Uint8Array): void;
  notice(notice: PeerOutput['notices'][number]): void;
  /** The peer cannot go on (its memory could not be written). Called once; nothing is sent after it. */
  fatal(error: unknown): void;
}

type WithoutTime<E> = E extends { readonly nowMs: number } ? Omit<E, 'nowMs'> : never;

/**
 * Runs a peer: feeds it events and timers, and carries out what it answers. Outputs leave in the order in which they were
 * produced, and only after everything written before them is durable; writes that queue up while the disk is busy share
 * one sync.
 */
export class PeerShell {
  readonly #peer: Peer;
  readonly #ports: ShellPorts;
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #queue: { readonly output: PeerOutput; readonly view: PeerView }[] = [];
  #pumping: Promise<void> | null = null;
  #stopped = false;
  #durable: PeerView;

  constructor(peer: Peer, ports: ShellPorts) {
    this.#peer = peer;
    this.#ports = ports;
    this.handle({ type: 'start' });
    this.#durable = peer.view;
  }

  /** What the peer stands for in public: the last state that is on disk. */
  get view(): PeerView {
    return this.#durable;
  }

  handle(event: WithoutTime<PeerEvent>): { readonly verdict: PeerOutput['verdict']; readonly code: string | null } {
    if (this.#stopped) return { verdict: 'ignore', code: 'PEER_STOPPED' };
    const output = this.#peer.handle({ ...event, nowMs: this.#ports.nowMs() } as PeerEvent);
    for (const { id, delayMs } of output.timers) this.#schedule(id, delayMs);
    if (output.writes.length + output.sends.length + output.notices.length > 0) {
      this.#queue.push({ output, view: this.#peer.view });
      this.#pumping ??= this.#pump();
    }
    return output;
  }

  /** Resolves when everything handed out so far is durable and sent. */
  async flushed(): Promise<void> {
    await this.#pumping;
  }

  /** Stops timers and further events, and finishes what is queued. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    await this.#pumping;
  }

  #schedule(id: string, delayMs: number): void {
    clearTimeout(this.#timers.get(id));
    const timer = setTimeout(() => {
      this.#timers.delete(id);
      this.handle({ type: 'timer', id });
    }, delayMs);
    this.#timers.set(id, timer);
  }

  async #pump(): Promise<void> {
    try {
      // Let the events that are already here join the first sync.
      await null;
      while (this.#queue.length > 0) {
        const group = this.#queue;
        this.#queue = [];
        const writes = group.flatMap(({ output }) => output.writes);
        if (writes.length > 0) await this.#ports.write(writes);
        this.#durable = group.at(-1)?.view ?? this.#durable;
        for (const { output } of group) {
          for (const send of output.sends) {
            if (send.type === 'broadcast') this.#ports.broadcast(send.topic, send.bytes, send.resend);
            else this.#ports.send(send.to, send.channel, send.bytes);
          }
          for (const notice of output.notices) this.#ports.notice(notice);
        }
      }
    } catch (error) {
      this.#stopped = true;
      this.#queue = [];
      for (const timer of this.#timers.values()) clearTimeout(timer);
      this.#timers.clear();
      this.#ports.fatal(error);
    } finally {
      this.#pumping = null;
    }
  }
}
