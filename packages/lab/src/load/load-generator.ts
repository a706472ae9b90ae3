import { setTimeout as delay } from 'node:timers/promises';
import {
  batchHash,
  createDigestSigner,
  createSignatureScheme,
  type DigestSigner,
  encodeBatch,
  signBatch,
} from '@wattmesh/consensus';
import { postJson } from '@wattmesh/node';
import { accountsOf } from '../network/provision.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { selectPeers } from '../scenario/plan-timeline.ts';
import type { Load, Scenario } from '../scenario/schema.ts';

const TICK_MS = 25;
/** A batch that is not committed by then is handed to another peer, with the same bytes. */
const RESEND_MS = 5_000;
const AMOUNT = 1n;

interface Client {
  readonly signer: DigestSigner;
  readonly load: Load;
  nonce: number;
  waiting: Waiting | null;
  /** A closed loop's pause. */
  idleUntilMs: number;
}

interface Waiting {
  readonly client: Client;
  readonly hash: string;
  readonly hex: string;
  readonly dueMs: number;
  readonly count: number;
  via: string;
  sentMs: number;
  isTaken: boolean;
}

/** A committed batch: when it was due, where it was sent, and the height that holds it. */
export interface CommittedLoad {
  readonly hash: string;
  readonly height: number;
  readonly via: string;
  readonly dueMs: number;
  readonly count: number;
}

export interface LoadTotals {
  /** Transactions. */
  readonly due: number;
  readonly sent: number;
  /** Due, but no client was free to send: the network was too slow for this load. */
  readonly missed: number;
  readonly refused: number;
  readonly committed: number;
  readonly outstanding: number;
}

/**
 * Clients with accounts of their own that send transfers. A client has one batch on its way at a time, so that its nonces
 * are in order. An open loop sends when a transaction is due and not when the network is ready for it: latency counts from
 * the due time, so that a network that stands still is not measured as one that was not asked.
 */
export class LoadGenerator {
  readonly #runtime: Runtime;
  readonly #elapsedMs: () => number;
  readonly #clients: Client[][];
  readonly #loads: readonly Load[];
  readonly #untilMs: number;
  readonly #due: number[];
  readonly #waiting = new Map<string, Waiting>();
  readonly committed: CommittedLoad[] = [];
  #totals = { due: 0, sent: 0, missed: 0, refused: 0, committed: 0 };
  #turn = 0;
  #isStopped = false;
  #endedMs: number | null = null;
  #loop: Promise<void> = Promise.resolve();
  readonly #posts = new Set<Promise<void>>();

  /** @param untilMs end of loads that do not say how long they last */
  constructor(scenario: Scenario, runtime: Runtime, elapsedMs: () => number, untilMs: number) {
    this.#runtime = runtime;
    this.#elapsedMs = elapsedMs;
    this.#untilMs = untilMs;
    this.#loads = scenario.load;
    const scheme = createSignatureScheme();
    const keys = [...runtime.network.extraSecretKeys];
    this.#clients = scenario.load.map((load) =>
      keys.splice(0, accountsOf(load)).map((secretKey) => ({
        signer: createDigestSigner(scheme, secretKey),
        load,
        nonce: 0,
        waiting: null,
        idleUntilMs: 0,
      })),
    );
    this.#due = scenario.load.map(() => 0);
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** No transaction more; those on their way are still followed and sent again. */
  finish(): void {
    this.#endedMs ??= this.#elapsedMs();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#loop;
    await Promise.all(this.#posts);
  }

  get totals(): LoadTotals {
    const outstanding = [...this.#waiting.values()].reduce((sum, { count }) => sum + count, 0);
    return { ...this.#totals, outstanding };
  }

  /** When the last load ends. */
  get endMs(): number {
    return Math.max(
      0,
      ...this.#loads.map((load) => Math.min(this.#endOf(load), this.#endedMs ?? Number.POSITIVE_INFINITY)),
    );
  }

  /** Tells of batches that a block holds. */
  onBlock(height: number, hashes: readonly string[]): CommittedLoad[] {
    return hashes.flatMap((hash) => {
      const waiting = this.#waiting.get(hash);
      if (waiting === undefined) return [];
      this.#waiting.delete(hash);
      const { client, via, dueMs, count } = waiting;
      client.waiting = null;
      client.nonce += count;
      client.idleUntilMs = this.#elapsedMs() + (client.load.kind === 'closed' ? client.load.think : 0);
      this.#totals.committed += count;
      const done = { hash, height, via, dueMs, count };
      this.committed.push(done);
      return [done];
    });
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      const nowMs = this.#elapsedMs();
      for (const [k, load] of this.#loads.entries()) {
        if (this.#endedMs !== null || nowMs < load.from || nowMs >= this.#endOf(load)) continue;
        if (load.kind === 'closed') this.#sendClosed(k, nowMs);
        else this.#sendOpen(k, load, nowMs);
      }
      for (const waiting of this.#waiting.values()) if (nowMs - waiting.sentMs > RESEND_MS) this.#post(waiting, nowMs);
      await delay(TICK_MS);
    }
  }

  #endOf({ from, for: lasting }: Load): number {
    return lasting === undefined ? this.#untilMs : from + lasting;
  }

  #sendClosed(k: number, nowMs: number): void {
    for (const client of this.#clients[k] ?? [])
      if (client.waiting === null && nowMs >= client.idleUntilMs) {
        this.#totals.due += client.load.batch;
        this.#send(client, nowMs);
      }
  }

  #sendOpen(k: number, load: Exclude<Load, { kind: 'closed' }>, nowMs: number): void {
    const clients = this.#clients[k] ?? [];
    for (;;) {
      const dueMs = load.from + dueTimeMs(load, this.#due[k] ?? 0, this.#endOf(load));
      if (dueMs > nowMs) return;
      this.#due[k] = (this.#due[k] ?? 0) + load.batch;
      this.#totals.due += load.batch;
      const free = clients.find(({ waiting }) => waiting === null);
      if (free === undefined) this.#totals.missed += load.batch;
      else this.#send(free, dueMs);
    }
  }

  #send(client: Client, dueMs: number): void {
    const { network } = this.#runtime;
    const to = network.members[this.#turn % network.members.length]?.publicKey ?? '';
    const batch = signBatch(
      {
        chainId: network.chainId,
        firstNonce: client.nonce,
        operations: Array.from({ length: client.load.batch }, () => ({
          type: 'transfer' as const,
          asset: 'upos' as const,
          to,
          amount: AMOUNT,
        })),
      },
      client.signer,
    );
    const waiting: Waiting = {
      client,
      hash: batchHash(batch),
      hex: Buffer.from(encodeBatch(batch)).toString('hex'),
      dueMs,
      count: client.load.batch,
      via: '',
      sentMs: 0,
      isTaken: false,
    };
    client.waiting = waiting;
    this.#waiting.set(waiting.hash, waiting);
    this.#post(waiting, this.#elapsedMs());
  }

  #post(waiting: Waiting, nowMs: number): void {
    const { names } = this.#runtime;
    const peers = selectPeers(waiting.client.load.via, names) ?? names;
    waiting.sentMs = nowMs;
    this.#turn += 1;
    // The next in turn that is not known to be down; one that hangs costs the patience of RESEND_MS.
    const via = [...peers.keys()]
      .map((k) => peers[(this.#turn + k) % peers.length] as string)
      .find((name) => this.#runtime.apiUrl(name) !== null);
    const apiUrl = via === undefined ? null : this.#runtime.apiUrl(via);
    if (via === undefined || apiUrl === null) return;
    waiting.via = via;
    const post = postJson(apiUrl, '/transactions', { batch: waiting.hex })
      .then(() => {
        if (!waiting.isTaken) this.#totals.sent += waiting.count;
        waiting.isTaken = true;
      })
      .catch(() => {
        this.#totals.refused += waiting.count;
      })
      .finally(() => this.#posts.delete(post));
    this.#posts.add(post);
  }
}

/** When transaction `index` of an open loop is due, in milliseconds after the load began. */
export function dueTimeMs(load: Exclude<Load, { kind: 'closed' }>, index: number, endMs: number): number {
  if (load.kind === 'open') return (index / load.rate) * 1_000;
  // The rate grows evenly: `index` is the integral of it up to the time that is looked for.
  const lengthS = (endMs - load.from) / 1_000;
  const slope = (load.toRate - load.fromRate) / lengthS;
  if (slope === 0) return (index / load.fromRate) * 1_000;
  const root = load.fromRate ** 2 + 2 * slope * index;
  return root < 0 ? Number.POSITIVE_INFINITY : ((Math.sqrt(root) - load.fromRate) / slope) * 1_000;
}
