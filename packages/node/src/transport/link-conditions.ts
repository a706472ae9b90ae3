/**
 * Simulated link quality, applied by a transport to whole messages on their way out and in.
 *
 * A blocked or lossy link loses messages, not connections: pings and handshakes pass, as they would on a network that
 * fails in one direction. Delays keep the order of messages of one link and direction.
 */
import { hash } from 'node:crypto';

export interface LinkCondition {
  readonly blocked?: boolean;
  /** Probability from 0 to 1 that a message is lost. */
  readonly lossRatio?: number;
  readonly delayMs?: number;
  /** Up to this much is added to the delay, uniformly. */
  readonly jitterMs?: number;
  readonly bytesPerSecond?: number;
  /** There is no connection: an open one is closed, and none is made or let in. Asked for direction `out`. */
  readonly severed?: boolean;
}

export type Direction = 'in' | 'out';

/** Who decides about conditions; asked for every message, so it may change its mind at run time. */
export interface LinkConditions {
  /** Equal seeds give equal losses and jitter for equal message sequences of one link and direction. */
  readonly seed: string;
  condition(remote: string, direction: Direction): LinkCondition | undefined;
  /** Told of every message: after how long it was passed on, or null when it was lost. For those who must prove a fault. */
  observe?(remote: string, direction: Direction, waitedMs: number | null): void;
}

/** One timer; `cancel` is harmless after it has fired. */
export type Schedule = (delayMs: number, action: () => void) => { cancel(): void };

/** Bytes that a slow simulated link holds before it drops, as a router's buffer would. */
const MAX_IN_FLIGHT_BYTES = 16_777_216;

interface Link {
  readonly random: () => number;
  readonly waiting: { readonly dueMs: number; readonly byteLength: number; readonly deliver: () => void }[];
  waitingBytes: number;
  /** When the last accepted byte has left a link of limited bandwidth. */
  freeAtMs: number;
  timer: { cancel(): void } | null;
}

export class ConditionedLinks {
  readonly #conditions: LinkConditions;
  readonly #schedule: Schedule;
  readonly #nowMs: () => number;
  readonly #links = new Map<string, Link>();

  constructor(conditions: LinkConditions, schedule: Schedule, nowMs: () => number) {
    this.#conditions = conditions;
    this.#schedule = schedule;
    this.#nowMs = nowMs;
  }

  /**
   * Passes one message. `deliver` runs at once if the link is perfect and idle, later if it is slow, never if it is
   * lost; `lost` runs instead, at once.
   */
  pass(remote: string, direction: Direction, byteLength: number, deliver: () => void, lost: () => void): void {
    const condition = this.#conditions.condition(remote, direction);
    const link = this.#links.get(`${direction}:${remote}`);
    const { observe } = this.#conditions;
    if (condition === undefined && (link === undefined || link.waiting.length === 0)) {
      observe?.call(this.#conditions, remote, direction, 0);
      deliver();
      return;
    }
    if (observe === undefined) {
      this.#enqueue(link ?? this.#open(remote, direction), condition ?? {}, byteLength, deliver, lost);
      return;
    }
    const sinceMs = this.#nowMs();
    const told = (outcome: () => number | null, then: () => void) => () => {
      observe.call(this.#conditions, remote, direction, outcome());
      then();
    };
    this.#enqueue(
      link ?? this.#open(remote, direction),
      condition ?? {},
      byteLength,
      told(() => this.#nowMs() - sinceMs, deliver),
      told(() => null, lost),
    );
  }

  /** Forgets everything in flight. */
  stop(): void {
    for (const link of this.#links.values()) link.timer?.cancel();
    this.#links.clear();
  }

  #open(remote: string, direction: Direction): Link {
    const link: Link = {
      random: seededRandom(`${this.#conditions.seed}|${direction}|${remote}`),
      waiting: [],
      waitingBytes: 0,
      freeAtMs: 0,
      timer: null,
    };
    this.#links.set(`${direction}:${remote}`, link);
    return link;
  }

  #enqueue(link: Link, condition: LinkCondition, byteLength: number, deliver: () => void, lost: () => void): void {
    // Both are drawn for every message, so that changing one setting does not reshuffle the other.
    const lossDraw = link.random();
    const jitterDraw = link.random();
    const isLost = condition.blocked === true || lossDraw < (condition.lossRatio ?? 0);
    if (isLost || link.waitingBytes + byteLength > MAX_IN_FLIGHT_BYTES) {
      lost();
      return;
    }
    const nowMs = this.#nowMs();
    const transmitMs = condition.bytesPerSecond === undefined ? 0 : (byteLength / condition.bytesPerSecond) * 1000;
    link.freeAtMs = Math.max(nowMs, link.freeAtMs) + transmitMs;
    const wantedMs = link.freeAtMs + (condition.delayMs ?? 0) + jitterDraw * (condition.jitterMs ?? 0);
    const dueMs = Math.max(wantedMs, link.waiting.at(-1)?.dueMs ?? 0);
    if (dueMs <= nowMs && link.waiting.length === 0) {
      deliver();
      return;
    }
    link.waiting.push({ dueMs, byteLength, deliver });
    link.waitingBytes += byteLength;
    if (link.timer === null) this.#arm(link);
  }

  #arm(link: Link): void {
    const head = link.waiting[0];
    if (head === undefined) {
      link.timer = null;
      return;
    }
    link.timer = this.#schedule(Math.max(0, head.dueMs - this.#nowMs()), () => {
      const nowMs = this.#nowMs();
      for (let next = link.waiting[0]; next !== undefined && next.dueMs <= nowMs; next = link.waiting[0]) {
        link.waiting.shift();
        link.waitingBytes -= next.byteLength;
        next.deliver();
      }
      this.#arm(link);
    });
  }
}

/** Small fast generator (sfc32) seeded by a text; for simulated weather, not for secrets. */
function seededRandom(seed: string): () => number {
  const digest = hash('sha256', seed, 'buffer');
  let [a, b, c, d] = [0, 4, 8, 12].map((offset) => digest.readUInt32LE(offset)) as [number, number, number, number];
  return () => {
    const sum = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 4_294_967_296;
  };
}
