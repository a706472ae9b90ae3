import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createDigestSigner, createSignatureScheme } from '@wattmesh/consensus';
import { provisionSynthetic } from '../cluster/create-run.ts';
import { compileAhead } from '../cluster/peer-runtime.ts';
import { peerFolder, writeRunFolder } from '../provision/run-folder.ts';
import { accountFor, type LoadReport, type LoadWindow } from './accounting.ts';
import { type BlockTimes, blockTimes } from './block-split.ts';
import { BenchError } from './errors.ts';
import type { LoadPlan, LoadResult } from './load-program.ts';
import type { PeerReport } from './peer-program.ts';
import { NOT_SLOWED, type Slowness } from './slowness.ts';
import type { TraceEvent } from './tracer.ts';
import { Worker } from './worker.ts';

/** Accounts that send; enough that no sender's queue is the limit. */
const SENDERS = 64;
const DAY_MS = 86_400_000;
const CONNECT_LIMIT_MS = 60_000;
const POLL_MS = 50;
const PEER_PROGRAM = './peer-program.ts';

export interface NetworkOptions {
  readonly nodes: number;
  readonly seed: string;
  /** An empty folder of its own; removed by `stop`. */
  readonly folder: string;
  /** Real length of a slot; 0 keeps the first slot open, so that there are transactions blocks only. */
  readonly slotMs: number;
  /** By rank. */
  readonly slowness?: ReadonlyMap<number, Slowness>;
  /** Folder for a CPU profile of each peer. */
  readonly profile?: string;
}

export interface LoadOptions {
  readonly batchesPerSecond: number;
  readonly operations: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
  /** How long after the last send blocks are waited for. */
  readonly drainSeconds: number;
}

export interface LoadRun {
  readonly load: LoadReport;
  /** On every disk, within the window. */
  readonly blocks: readonly BlockTimes[];
  /** Transactions that came onto every disk in the whole run. */
  readonly transactions: number;
  /** By rank, over the whole run with warm-up and drain. */
  readonly peers: readonly PeerReport[];
  readonly client: LoadResult['usage'];
  readonly batchBytes: number;
  /** False when something was left in the pools: the next run would start with it. */
  readonly isDrained: boolean;
}

interface PeerState {
  readonly height: number;
  readonly poolTransactions: number;
  readonly connected: number;
}

/** A network of peer processes and its client. */
export class BenchNetwork {
  readonly #options: NetworkOptions;
  readonly #network: ReturnType<typeof provisionSynthetic>;
  readonly #peers: readonly Worker[];
  readonly #client: Worker;

  private constructor(
    options: NetworkOptions,
    network: ReturnType<typeof provisionSynthetic>,
    peers: readonly Worker[],
    client: Worker,
  ) {
    this.#options = options;
    this.#network = network;
    this.#peers = peers;
    this.#client = client;
  }

  /** @throws BenchError BENCH_WORKER_FAILED, BENCH_NO_NETWORK */
  static async start(options: NetworkOptions): Promise<BenchNetwork> {
    const { nodes, seed, folder, slotMs, slowness, profile } = options;
    const createdMs = Date.now();
    const network = provisionSynthetic({
      nodes,
      seed,
      clock: 'ready',
      slotMs: 60_000,
      genesisTimeMs: createdMs,
      extraAccounts: SENDERS,
    });
    const timing = { slotPaceMs: slotMs === 0 ? DAY_MS : slotMs };
    await writeRunFolder(folder, network, { seed, createdMs, timing });
    // Otherwise the first run after a change would measure peers that compile themselves.
    await compileAhead(new URL(PEER_PROGRAM, import.meta.url));
    const execArgv = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
    const peers = network.members.map(({ name }) => new Worker(PEER_PROGRAM, name, execArgv));
    const client = new Worker('./load-program.ts', 'client');
    const bench = new BenchNetwork(options, network, peers, client);
    try {
      const started = await Promise.all(
        peers.map((peer, rank) =>
          peer.ask<{ loadPort: number }>('start', {
            configFile: join(peerFolder(folder, peer.name), 'config.json'),
            slowness: slowness?.get(rank) ?? NOT_SLOWED,
          }),
        ),
      );
      await allConnected(() => bench.#states(), CONNECT_LIMIT_MS);
      await client.ask(
        'connect',
        started.map(({ loadPort }) => loadPort),
      );
      return bench;
    } catch (error) {
      await bench.stop();
      throw error;
    }
  }

  /** Offers a load, waits until it is on every disk (or the time for that is over), and accounts for it. */
  async run(options: LoadOptions): Promise<LoadRun> {
    const { batchesPerSecond, operations, warmUpSeconds, seconds, drainSeconds } = options;
    const count = Math.ceil(batchesPerSecond * (warmUpSeconds + seconds));
    const accounts = await this.#senders();
    const plan: LoadPlan = { chainId: this.#network.chainId, accounts, count, operations };
    const batchBytes = await this.#client.ask<number>('prepare', plan);
    const first = await this.#peer(0).ask<PeerState>('state');
    await Promise.all(this.#peers.map((peer) => peer.ask('report')));
    const result = await this.#client.ask<LoadResult>('run', batchesPerSecond);
    const isDrained = await this.#drained(drainSeconds);
    const peers = await Promise.all(this.#peers.map((peer) => peer.ask<PeerReport>('report')));
    assertOneChain(peers.map(({ events }) => events));
    const blocks = blockTimes(
      peers.map(({ events }, rank) => ({ publicKey: this.#network.members[rank]?.publicKey ?? '', events })),
    );
    const heights = await this.#heightsOf(plan, first.height + 1);
    const window: LoadWindow = { fromMs: warmUpSeconds * 1_000, toMs: (warmUpSeconds + seconds) * 1_000 };
    const load = accountFor(
      {
        batchesPerSecond,
        operations,
        startMs: result.startMs,
        sentMs: result.sentMs,
        answers: result.answers,
        heights,
        peers: Uint16Array.from({ length: count }, (_, place) => accounts[place % accounts.length]?.peer ?? 0),
      },
      new Map(blocks.map(({ height, durableMs }) => [height, durableMs])),
      window,
    );
    const fromMs = result.startMs + window.fromMs;
    return {
      load,
      blocks: blocks.filter(({ durableMs }) => Math.min(...durableMs) >= fromMs),
      transactions: blocks.reduce((sum, { transactions }) => sum + transactions, 0),
      peers,
      client: result.usage,
      batchBytes,
      isDrained,
    };
  }

  async stop(): Promise<void> {
    await Promise.all([this.#client, ...this.#peers].map((worker) => worker.stop()));
    await rm(this.#options.folder, { recursive: true, force: true });
  }

  async #senders(): Promise<LoadPlan['accounts']> {
    const scheme = createSignatureScheme();
    const nonces = await this.#peer(0).ask<{ publicKey: string; nonce: number }[]>('nonces');
    const nonceOf = new Map(nonces.map(({ publicKey, nonce }) => [publicKey, nonce]));
    return this.#network.extraSecretKeys.map((secretKey, index) => {
      const { publicKey } = createDigestSigner(scheme, secretKey);
      return { secretKey, publicKey, firstNonce: nonceOf.get(publicKey) ?? 0, peer: index % this.#peers.length };
    });
  }

  /** Where the chain has each batch of the plan. Taken from the stored blocks, not from what anybody was told. */
  async #heightsOf({ accounts, count, operations }: LoadPlan, from: number): Promise<Uint32Array> {
    const heights = new Uint32Array(count);
    const senderOf = new Map(accounts.map(({ publicKey, firstNonce }, sender) => [publicKey, { sender, firstNonce }]));
    const blocks = await this.#peer(0).ask<
      { height: number; batches: { sender: string; firstNonce: number; operations: number }[] }[]
    >('batches', from);
    for (const { height, batches } of blocks)
      for (const batch of batches) {
        const known = senderOf.get(batch.sender);
        if (known === undefined || batch.operations !== operations) continue;
        const place = ((batch.firstNonce - known.firstNonce) / operations) * accounts.length + known.sender;
        if (Number.isInteger(place) && place >= 0 && place < count) heights[place] = height;
      }
    return heights;
  }

  async #drained(seconds: number): Promise<boolean> {
    const untilMs = Date.now() + seconds * 1_000;
    for (;;) {
      const states = await this.#states();
      const top = Math.max(...states.map(({ height }) => height));
      if (states.every(({ poolTransactions, height }) => poolTransactions === 0 && height === top)) return true;
      if (Date.now() > untilMs) return false;
      await delay(POLL_MS);
    }
  }

  #states(): Promise<readonly PeerState[]> {
    return Promise.all(this.#peers.map((peer) => peer.ask<PeerState>('state')));
  }

  #peer(rank: number): Worker {
    const peer = this.#peers[rank];
    if (peer === undefined) throw new RangeError(`there is no peer ${rank}`);
    return peer;
  }
}

/** @throws BenchError BENCH_DIVERGED when two peers have committed different blocks at one height */
export function assertOneChain(traces: readonly (readonly TraceEvent[])[]): void {
  const hashes = new Map<number, string>();
  for (const [rank, events] of traces.entries())
    for (const event of events) {
      if (event.e !== 'handle') continue;
      for (const { height, blockHash } of event.committed) {
        const other = hashes.get(height);
        if (other !== undefined && other !== blockHash)
          throw new BenchError(
            'BENCH_DIVERGED',
            `peer ${rank + 1} has another block than the others at height ${height}`,
          );
        hashes.set(height, blockHash);
      }
    }
}

/** Resolves when every peer is connected to all others. @throws BenchError BENCH_NO_NETWORK after `limitMs` */
export async function allConnected(
  states: () => Promise<readonly { readonly connected: number }[]>,
  limitMs: number,
): Promise<void> {
  const untilMs = Date.now() + limitMs;
  for (;;) {
    const all = await states();
    if (all.every(({ connected }) => connected === all.length - 1)) return;
    if (Date.now() > untilMs)
      throw new BenchError(
        'BENCH_NO_NETWORK',
        `after ${limitMs / 1_000} s the peers have ${all.map(({ connected }) => connected).join(', ')} connections, not ${all.length - 1} each`,
      );
    await delay(POLL_MS);
  }
}
