import type { Outgoing, PeerOutput, StoreWrite } from '../../src/peer/ports.ts';

interface WriteQueuePorts {
  /** The disk needs its time; nothing comes of it when the peer crashes meanwhile. */
  later(run: () => void): void;
  /** Makes writes durable. */
  sync(writes: readonly StoreWrite[]): void;
  transmit(send: Outgoing): void;
}

interface WaitingSend {
  readonly send: Outgoing;
  /** So many of the group's writes must be durable before it leaves. */
  readonly needs: number;
}

/**
 * What a peer has put out and its disk not yet taken. As in the real shell, everything that waits shares one sync, and
 * messages leave in order, as soon as what they follow is durable.
 */
export class WriteQueue {
  readonly #ports: WriteQueuePorts;
  #waiting: PeerOutput[] = [];
  #syncing: readonly StoreWrite[] = [];
  /** Of the group that is being written, what comes after that. */
  #behind: readonly StoreWrite[] = [];
  #isFlushing = false;

  constructor(ports: WriteQueuePorts) {
    this.#ports = ports;
  }

  push(output: PeerOutput): void {
    this.#waiting.push(output);
    this.#flush();
  }

  /** Empties the queue. @returns what the disk was writing, and what waited behind it, in order. */
  crash(): readonly StoreWrite[] {
    const pending = [...this.#syncing, ...this.#behind, ...this.#waiting.flatMap(({ writes }) => writes)];
    this.#waiting = [];
    this.#syncing = [];
    this.#behind = [];
    this.#isFlushing = false;
    return pending;
  }

  #flush(): void {
    if (this.#isFlushing || this.#waiting.length === 0) return;
    const group = this.#waiting;
    this.#waiting = [];
    this.#isFlushing = true;
    const writes = group.flatMap((output) => output.writes);
    const sends = sendsOf(group);
    const syncFrom = (done: number): void => {
      // A commit lets out first what it does not hold up.
      const commit = writes.findIndex(
        ({ type }, k) => k >= done && type === 'commit' && (sends[0]?.needs ?? k + 1) <= k,
      );
      const upTo = commit < 0 ? writes.length : commit;
      this.#syncing = writes.slice(done, upTo);
      this.#behind = writes.slice(upTo);
      const release = (): void => {
        const synced = this.#syncing;
        this.#syncing = [];
        this.#ports.sync(synced);
        while (sends[0] !== undefined && sends[0].needs <= upTo)
          this.#ports.transmit((sends.shift() as WaitingSend).send);
        if (upTo < writes.length) {
          syncFrom(upTo);
          return;
        }
        this.#isFlushing = false;
        this.#flush();
      };
      if (this.#syncing.length === 0) release();
      else this.#ports.later(release);
    };
    syncFrom(0);
  }
}

/** The messages of a group in their order. */
function sendsOf(group: readonly PeerOutput[]): WaitingSend[] {
  let before = 0;
  return group.flatMap(({ writes, sends }) => {
    const first = before;
    before += writes.length;
    return sends.map((send) => ({ send, needs: first + Math.min(send.afterWrites ?? writes.length, writes.length) }));
  });
}
