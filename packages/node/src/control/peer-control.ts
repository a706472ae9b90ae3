import { decodeMessage, type Notice } from '@wattmesh/consensus';
import type { Instruments } from '../shell/instruments.ts';
import type { ShellPeer, ShellPorts } from '../shell/peer-shell.ts';
import { StoreError } from '../store/errors.ts';
import type { Direction, LinkCondition, LinkConditions } from '../transport/link-conditions.ts';
import type { CommitTime, ControlReport, ControlSettings, LinkCount, TracedMessage } from './settings.ts';

const REMEMBERED_COMMITS = 4_096;
const REMEMBERED_MESSAGES = 4_096;

type Count = { -readonly [K in keyof LinkCount]: LinkCount[K] };

/**
 * Stands around a peer's ports and does to them what an experiment asks for: link conditions, a clock that is wrong, a
 * disk that is full. It also counts what it did, so that a fault that had no effect can be told from one that had.
 */
export class PeerControl {
  readonly #machineClockMs: () => number;
  readonly #conditions = new Map<string, LinkCondition>();
  readonly #counts = new Map<string, Count>();
  readonly #composedMs = new Map<string, number>();
  #settings!: ControlSettings;
  #commits: CommitTime[] = [];
  #traced: TracedMessage[] = [];
  #refusedWrites = 0;
  readonly links: LinkConditions;

  constructor(seed: string, machineClockMs: () => number, settings: ControlSettings) {
    this.#machineClockMs = machineClockMs;
    this.apply(settings);
    this.links = {
      seed,
      condition: (remote, direction) => this.#conditions.get(`${direction}:${remote}`),
      observe: (remote, direction, waitedMs) => this.#count(remote, direction, waitedMs),
    };
  }

  /** What the peer takes for the time. */
  get nowMs(): number {
    return this.#machineClockMs() + this.#settings.clockSkewMs;
  }

  apply(settings: ControlSettings): void {
    this.#settings = settings;
    this.#conditions.clear();
    for (const { remote, direction, ...condition } of settings.links)
      this.#conditions.set(`${direction}:${remote}`, condition as LinkCondition);
  }

  /** The peer as it is with `inner` around it, and this control around that. */
  around(inner: Instruments, dataFolder: string): Instruments {
    return {
      signatures: (scheme) => inner.signatures(scheme),
      peer: (peer) => this.#peer(inner.peer(peer)),
      ports: (ports) => inner.ports(this.#ports(ports, dataFolder)),
    };
  }

  #ports(ports: ShellPorts, dataFolder: string): ShellPorts {
    return {
      ...ports,
      nowMs: () => this.nowMs,
      write: async (writes) => {
        if (this.#settings.diskFull) {
          this.#refusedWrites += 1;
          throw new StoreError('STORE_FULL', `the disk of ${dataFolder} is full (an experiment says so)`);
        }
        await ports.write(writes);
      },
      broadcast: (topic, bytes, resend) => {
        this.#trace('out', null, bytes);
        ports.broadcast(topic, bytes, resend);
      },
      send: (to, channel, bytes) => {
        this.#trace('out', to, bytes);
        ports.send(to, channel, bytes);
      },
      notice: (notice) => {
        this.#note(notice);
        ports.notice(notice);
      },
    };
  }

  #peer(peer: ShellPeer): ShellPeer {
    return {
      handle: (event) => {
        if (event.type === 'message') this.#trace('in', event.sender, event.bytes);
        return peer.handle(event);
      },
      get view() {
        return peer.view;
      },
    };
  }

  /** @param fromHeight commits below it are left out */
  report(fromHeight: number, connected: number): ControlReport {
    return {
      settings: this.#settings,
      peerClockMs: this.nowMs,
      machineClockMs: this.#machineClockMs(),
      refusedWrites: this.#refusedWrites,
      connected,
      links: [...this.#counts.values()],
      commits: this.#commits.filter(({ height }) => height >= fromHeight),
      traced: this.#traced,
    };
  }

  #count(remote: string, direction: Direction, waitedMs: number | null): void {
    const key = `${direction}:${remote}`;
    const count = this.#counts.get(key) ?? { remote, direction, delivered: 0, lost: 0, waitedMs: 0, maxWaitedMs: 0 };
    this.#counts.set(key, count);
    if (waitedMs === null) count.lost += 1;
    else {
      count.delivered += 1;
      count.waitedMs += waitedMs;
      count.maxWaitedMs = Math.max(count.maxWaitedMs, waitedMs);
    }
  }

  #note(notice: Notice): void {
    if (notice.type === 'composed') this.#composedMs.set(notice.blockHash, notice.atMs - this.#settings.clockSkewMs);
    if (notice.type !== 'committed') return;
    const { height, blockHash, viaSync } = notice;
    const composedMs = this.#composedMs.get(blockHash) ?? null;
    this.#commits.push({ height, composedMs, committedMs: this.#machineClockMs(), viaSync });
    if (this.#commits.length > REMEMBERED_COMMITS) this.#commits.shift();
    this.#composedMs.clear();
  }

  #trace(direction: 'in' | 'out', other: string | null, bytes: Uint8Array): void {
    const { trace } = this.#settings;
    if (trace === null || this.#traced.length >= REMEMBERED_MESSAGES) return;
    const head = headOf(bytes);
    if (head === null || head.height < trace.fromHeight || head.height > trace.toHeight) return;
    this.#traced.push({ atMs: this.#machineClockMs(), direction, other, ...head });
  }
}

function headOf(bytes: Uint8Array): Omit<TracedMessage, 'atMs' | 'direction' | 'other'> | null {
  try {
    const message = decodeMessage(bytes);
    if (message.type === 'proposal') {
      const { height, round } = message.proposal;
      return { what: 'proposal', height, round, count: 1, isNil: false };
    }
    if (message.type !== 'votes') return null;
    const { votes } = message;
    const [vote] = votes;
    if (vote === undefined) return null;
    const { type, height, round, blockHash } = vote;
    return { what: type, height, round, count: votes.length, isNil: blockHash === null };
  } catch {
    // What another peer sent is no message: the peer says so itself.
    return null;
  }
}
