import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  blockHash,
  createDigestSigner,
  createSignatureScheme,
  encodeBatch,
  signBatch,
} from '../../packages/consensus/src/index.ts';
import { decodeJournalEntry, type JournalEntry } from '../../packages/consensus/src/peer/journal.ts';
import { provisionSyntheticEvs, type SyntheticEvPlan } from '../../packages/node/src/cluster/create-ev-run.ts';
import { provisionSynthetic } from '../../packages/node/src/cluster/create-run.ts';
import { getJson, postJson, type StatusView } from '../../packages/node/src/cluster/peer-client.ts';
import { type PeerProcess, startPeer, stopProcess } from '../../packages/node/src/cluster/peer-process.ts';
import type { NodeConfigInput } from '../../packages/node/src/config/node-config.ts';
import type { ProvisionedNetwork } from '../../packages/node/src/provision/network.ts';
import {
  type AnyMember,
  peerFolder,
  type Run,
  type RunFolderOptions,
  writeRunFolder,
} from '../../packages/node/src/provision/run-folder.ts';
import { readJournal } from '../../packages/node/src/store/journal-file.ts';

const POLL_MS = 100;
const signatures = createSignatureScheme();

export interface Ack {
  readonly id: string;
  readonly height: number;
}

/** Peers as processes in a folder of their own, to be killed and started again by a test. */
export class TestNetwork {
  readonly folder: string;
  readonly run: Run;
  readonly network: ProvisionedNetwork<AnyMember>;
  readonly #processes = new Map<number, PeerProcess>();

  private constructor(folder: string, run: Run, network: ProvisionedNetwork<AnyMember>) {
    this.folder = folder;
    this.run = run;
    this.network = network;
  }

  static async create(nodes: number, timing: NodeConfigInput['timing'], seed: string): Promise<TestNetwork> {
    const clock = { clock: 'ready', slotMs: 60_000, genesisTimeMs: Date.now() } as const;
    return TestNetwork.#lay(provisionSynthetic({ nodes, seed, ...clock }), seed, timing);
  }

  static async createEvs(
    plan: Pick<SyntheticEvPlan, 'nodes' | 'seed' | 'roundsPerDay' | 'selfish'>,
    timing: NodeConfigInput['timing'],
  ): Promise<TestNetwork> {
    const clock = { clock: 'ready', slotMs: 60_000, genesisTimeMs: Date.now() } as const;
    const network = provisionSyntheticEvs({ ...plan, ...clock, preset: 'sound', trainingWindowMs: 0 });
    return TestNetwork.#lay(network, plan.seed, timing);
  }

  /** Any network, with more of each peer's configuration. */
  static lay(
    network: ProvisionedNetwork<AnyMember>,
    seed: string,
    timing: NodeConfigInput['timing'],
    more: Pick<RunFolderOptions, 'logLevel' | 'configure'> = {},
  ): Promise<TestNetwork> {
    return TestNetwork.#lay(network, seed, timing, more);
  }

  static async #lay(
    network: ProvisionedNetwork<AnyMember>,
    seed: string,
    timing: NodeConfigInput['timing'],
    more: Pick<RunFolderOptions, 'logLevel' | 'configure'> = {},
  ): Promise<TestNetwork> {
    const folder = await mkdtemp(join(tmpdir(), 'wattmesh-test-'));
    const createdMs = network.genesis.genesisTimeMs;
    const run = await writeRunFolder(folder, network, { ...more, seed, createdMs, timing });
    return new TestNetwork(folder, run, network);
  }

  get ranks(): number[] {
    return this.run.peers.map((_, rank) => rank);
  }

  async start(ranks: readonly number[] = this.ranks): Promise<void> {
    await Promise.all(
      ranks.map(async (rank) => {
        this.#processes.set(rank, await startPeer(this.folder, this.run.peers[rank] as Run['peers'][number], true));
      }),
    );
  }

  /** SIGKILL: no chance to say goodbye. Resolves when the processes are gone. */
  async kill(ranks: readonly number[]): Promise<void> {
    await Promise.all(
      ranks.map(async (rank) => {
        const { child } = this.#processes.get(rank) as PeerProcess;
        this.#processes.delete(rank);
        const exited = new Promise((resolve) => child.once('exit', resolve));
        if (child.exitCode === null && child.signalCode === null) {
          child.kill('SIGKILL');
          await exited;
        }
      }),
    );
  }

  /** Stops every peer in good order; their folders stay. */
  async stop(): Promise<void> {
    const running = [...this.#processes.values()];
    this.#processes.clear();
    await Promise.all(running.map(({ name, endpoint }) => stopProcess(endpoint.pid, name)));
  }

  async destroy(): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  get<T>(rank: number, path: string): Promise<T> {
    return getJson<T>(this.#processes.get(rank)?.endpoint.apiUrl ?? '', path);
  }

  /** Base address of a running peer's HTTP API. */
  urlOf(rank: number): string {
    return this.#processes.get(rank)?.endpoint.apiUrl ?? '';
  }

  status(rank: number): Promise<StatusView> {
    return this.get<StatusView>(rank, '/status');
  }

  /** Waits until every peer of `ranks` is at `height` or beyond; fails with what they say after `limitMs`. */
  async reaches(height: number, ranks: readonly number[] = this.ranks, limitMs = 60_000): Promise<void> {
    await until(`height ${height}`, limitMs, async () => {
      const heights = await Promise.all(ranks.map(async (rank) => (await this.status(rank)).height));
      return { isDone: heights.every((one) => one >= height), found: heights.join(', ') };
    });
  }

  /** Hash and state root that each peer of `ranks` holds at `height`; one entry when they agree. */
  async holdingsAt(height: number, ranks: readonly number[] = this.ranks): Promise<Set<string>> {
    const blocks = await Promise.all(
      ranks.map((rank) => this.get<{ hash: string; stateRoot: string }>(rank, `/blocks/${height}`)),
    );
    return new Set(blocks.map(({ hash, stateRoot }) => `${hash} ${stateRoot}`));
  }

  /** A member's client: signs one transfer, hands it to a peer, and asks until that peer calls it committed. */
  async transfer(from: number, via: number, amount: bigint): Promise<Ack> {
    const { members, genesis } = this.network;
    const sender = members[from] as (typeof members)[number];
    // A member sends one at a time here, so its next nonce is what the chain says.
    const { nonce: firstNonce } = await this.get<{ nonce: number }>(via, `/accounts/${sender.publicKey}`);
    const batch = signBatch(
      {
        chainId: this.network.chainId,
        firstNonce,
        operations: [
          {
            type: 'transfer',
            asset: 'upos',
            to: genesis.members[(from + 1) % members.length]?.publicKey as string,
            amount,
          },
        ],
      },
      createDigestSigner(signatures, sender.secretKey),
    );
    const url = this.#processes.get(via)?.endpoint.apiUrl ?? '';
    const body = { batch: Buffer.from(encodeBatch(batch)).toString('hex') };
    const { ids } = await postJson<{ ids: string[] }>(url, '/transactions', body);
    const id = ids[0] as string;
    let height = 0;
    await until(`transaction ${id}`, 30_000, async () => {
      const found = await getJson<{ height: number }>(url, `/transactions/${id}`).catch(() => null);
      height = found?.height ?? 0;
      return { isDone: found !== null, found: 'not committed' };
    });
    return { id, height };
  }

  /** Every two records of a peer's journal that contradict each other: what it signed, whatever happened to it. */
  async conflictingSignatures(rank: number): Promise<string[]> {
    const folder = join(peerFolder(this.folder, this.run.peers[rank]?.name as string), 'data');
    const { records, damage } = await readJournal(folder);
    const signed = new Map<string, string>();
    const conflicts: string[] = damage === null ? [] : [`the journal is damaged: ${damage}`];
    for (const bytes of records) {
      const entry = decodeJournalEntry(bytes);
      if (entry === null) conflicts.push('an entry cannot be read');
      const statement = entry === null ? null : statementOf(entry);
      if (statement === null) continue;
      const before = signed.get(statement.place);
      if (before !== undefined && before !== statement.what)
        conflicts.push(`${statement.place}: ${before} and ${statement.what}`);
      signed.set(statement.place, statement.what);
    }
    return conflicts;
  }
}

function statementOf(entry: JournalEntry): { place: string; what: string } | null {
  if (entry.type === 'contribution') {
    // Kind, chain, slot and rank come first: one statement for each of them.
    const hex = Buffer.from(entry.bytes).toString('hex');
    return { place: `contribution ${hex.slice(0, 2 * (1 + 32 + 8 + 2))}`, what: hex };
  }
  if (entry.type !== 'engine') return null;
  const { record } = entry;
  if (record.type === 'vote') {
    const { type, height, round, blockHash: hash } = record.vote;
    return { place: `${type} ${height}/${round}`, what: String(hash) };
  }
  if (record.type === 'proposal')
    return {
      place: `proposal ${record.proposal.height}/${record.proposal.round}`,
      what: blockHash(record.block.header),
    };
  return null;
}

/** Asks again and again; no sleep decides a test, only a condition and a limit that says what was found. */
export async function until(
  what: string,
  limitMs: number,
  ask: () => Promise<{ isDone: boolean; found: string }>,
): Promise<void> {
  const deadlineMs = Date.now() + limitMs;
  for (;;) {
    const { isDone, found } = await ask();
    if (isDone) return;
    if (Date.now() > deadlineMs) throw new Error(`${what} not reached within ${limitMs} ms: ${found}`);
    await delay(POLL_MS);
  }
}
