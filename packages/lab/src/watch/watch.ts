import { setTimeout as delay } from 'node:timers/promises';
import { type CommitTime, getJson, type StatusView } from '@wattmesh/node';
import type { Outages } from '../checks/absence.ts';
import type { RunFacts } from '../checks/facts.ts';
import type { PeerState, Runtime } from '../runtime/runtime.ts';
import type { AuditFinding, ChainAuditor } from './chain-auditor.ts';
import type { LabEventBody } from './events.ts';

const POLL_MS = 200;
/** For each peer, where there are many: asking must not be what a network is busy with. */
const POLL_EACH_MS = 25;
/** Looks at a peer between two samples of its use. */
const SAMPLE_LOOKS = 5;
const PAGE = 50;

interface RawBlocks {
  readonly blocks: readonly { readonly height: number; readonly block: string; readonly certificate: string }[];
}
interface Summaries {
  readonly blocks: readonly { readonly height: number; readonly hash: string }[];
}

interface Seen {
  /** Next height whose hash is to be asked for. */
  hashesFrom: number;
  commitsFrom: number;
  status: StatusView | null;
  instance: string | null;
  /** Largest height that the peer has called durable, over all of its instances since its disk was last wiped. */
  durable: number;
  wipes: number;
  sampledMs: number;
  /** Faults that had begun or ended when its instance was first seen. */
  outageChanges: number;
  /** Whether it has been reported to be gone, and was not back since. */
  isMissed: boolean;
}

/** What a watch found wrong, besides what the auditor finds. */
export interface WatchFinding {
  readonly check: 'agreement' | 'durability' | 'presence';
  readonly height: number | null;
  readonly message: string;
}

export interface WatchPorts {
  readonly runtime: Runtime;
  readonly auditor: ChainAuditor;
  elapsedMs(): number;
  /** Machine time of the moment from which `elapsedMs` counts. */
  readonly originMs: number;
  record(event: LabEventBody, atMs?: number): void;
  found(finding: AuditFinding | WatchFinding): void;
  /** Batches that a block has committed. */
  committed(height: number, batchHashes: readonly string[]): void;
  /** How often the peer's disk has been wiped: a fall of its height after one more is no loss. */
  wipesOf(name: string): number;
  /** What faults have done to the peer's process so far. */
  outagesOf(name: string): Outages;
}

/**
 * Watches every peer through its API and control endpoint while a run goes on, follows the chain with an auditor, and says
 * at once what is wrong. A peer that does not answer is asked again; it stops nobody else from being watched.
 */
export class Watch {
  readonly #ports: WatchPorts;
  readonly #pollMs: number;
  readonly #seen = new Map<string, Seen>();
  readonly #hashes = new Map<number, { readonly hash: string; readonly peer: string; isCompared: boolean }>();
  #compared = 0;
  readonly #disputed = new Set<number>();
  readonly commits = new Map<number, Map<string, CommitTime>>();
  /** What a peer with an empty disk commits again. */
  readonly recommits: RunFacts['recommits'][number][] = [];
  #isStopped = false;
  #loops: Promise<void>[] = [];

  constructor(ports: WatchPorts) {
    this.#ports = ports;
    this.#pollMs = Math.max(POLL_MS, POLL_EACH_MS * ports.runtime.names.length);
  }

  start(): void {
    this.#loops = [
      ...this.#ports.runtime.names.map((name) => this.#loop(() => this.#look(name))),
      this.#loop(() => this.#audit()),
    ];
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#loops);
  }

  /** Largest height and slot that any peer has shown. */
  get height(): number {
    return Math.max(0, ...[...this.#seen.values()].map(({ status }) => status?.height ?? 0));
  }

  get slot(): number {
    return Math.max(0, ...[...this.#seen.values()].map(({ status }) => status?.slot ?? 0));
  }

  /** What a peer said last; null when it has not answered since it was last down. */
  status(name: string): StatusView | null {
    return this.#seen.get(name)?.status ?? null;
  }

  /** Heights of which at least two peers told the hash; the only peer of a network has nobody to disagree with. */
  get comparedHeights(): number {
    return this.#ports.runtime.names.length === 1 ? this.#hashes.size : this.#compared;
  }

  async #loop(look: () => Promise<void>): Promise<void> {
    while (!this.#isStopped) {
      await look().catch(() => undefined);
      await delay(this.#pollMs);
    }
  }

  async #look(name: string): Promise<void> {
    const { runtime, elapsedMs, record, outagesOf } = this.#ports;
    const seen = this.#seen.get(name) ?? {
      hashesFrom: 1,
      commitsFrom: 1,
      status: null,
      instance: null,
      durable: 0,
      wipes: 0,
      sampledMs: Number.NEGATIVE_INFINITY,
      outageChanges: 0,
      isMissed: false,
    };
    this.#seen.set(name, seen);
    const before = outagesOf(name);
    const state = await runtime.stateOf(name);
    this.#miss(name, seen, state, before);
    const apiUrl = runtime.apiUrl(name);
    if (state !== 'up' || apiUrl === null) seen.status = null;
    else await this.#ask(name, seen, apiUrl).catch(() => undefined);
    if (elapsedMs() - seen.sampledMs < SAMPLE_LOOKS * this.#pollMs) return;
    seen.sampledMs = elapsedMs();
    const usage = await runtime.usage(name);
    const { status } = seen;
    record({
      type: 'sample',
      peer: name,
      state,
      height: status?.height ?? null,
      connected: status?.connected ?? null,
      poolTransactions: status?.poolTransactions ?? null,
      cpuMs: usage?.cpuMs ?? null,
      waitMs: usage?.waitMs ?? null,
      memoryBytes: usage?.memoryBytes ?? null,
    });
  }

  async #ask(name: string, seen: Seen, apiUrl: string): Promise<void> {
    const { runtime } = this.#ports;
    const instance = await runtime.instanceOf(name);
    const status = await getJson<StatusView>(apiUrl, '/status');
    if (instance !== seen.instance) this.#returned(name, seen, instance, status.height);
    seen.status = status;
    seen.durable = Math.max(seen.durable, status.height);
    const { commits } = await runtime.report(name, seen.commitsFrom);
    for (const commit of commits) this.#committed(name, seen, commit);
    while (seen.hashesFrom <= status.height) {
      const { blocks } = await getJson<Summaries>(apiUrl, `/blocks?from=${seen.hashesFrom}&limit=${PAGE}`);
      if (blocks.length === 0) break;
      for (const { height, hash } of blocks) this.#compare(name, height, hash);
      seen.hashesFrom = (blocks.at(-1)?.height ?? seen.hashesFrom) + 1;
    }
  }

  /** A peer whose process is gone though no fault has ended it. */
  #miss(name: string, seen: Seen, state: PeerState, before: Outages): void {
    if (state !== 'down') {
      seen.isMissed = false;
      return;
    }
    const now = this.#ports.outagesOf(name);
    // A fault may have begun or ended while the state was looked up.
    if (seen.isMissed || before.isOn || now.isOn || before.changes !== now.changes) return;
    seen.isMissed = true;
    this.#ports.found({
      check: 'presence',
      height: seen.status?.height ?? null,
      message: `${name} went down though no fault had ended it`,
    });
  }

  /** What a peer called durable must be there when it is back. */
  #returned(name: string, seen: Seen, instance: string | null, height: number): void {
    const isFirst = seen.instance === null;
    seen.instance = instance;
    // It tells everything again, so that a history that changed over a restart is seen.
    seen.hashesFrom = 1;
    seen.commitsFrom = 1;
    const { changes, isOn } = this.#ports.outagesOf(name);
    if (!isFirst && !isOn && changes === seen.outageChanges)
      this.#ports.found({
        check: 'presence',
        height,
        message: `${name} was started anew as ${instance} though no fault had ended it`,
      });
    seen.outageChanges = changes;
    const wipes = this.#ports.wipesOf(name);
    if (wipes > seen.wipes) seen.durable = 0;
    seen.wipes = wipes;
    if (!isFirst && height < seen.durable)
      this.#ports.found({
        check: 'durability',
        height: seen.durable,
        message: `${name} had height ${seen.durable} on its disk and came back with ${height}`,
      });
  }

  #committed(name: string, seen: Seen, commit: CommitTime): void {
    const { record, originMs } = this.#ports;
    seen.commitsFrom = Math.max(seen.commitsFrom, commit.height + 1);
    const ofHeight = this.commits.get(commit.height) ?? new Map<string, CommitTime>();
    this.commits.set(commit.height, ofHeight);
    const known = ofHeight.get(name);
    if (known !== undefined) {
      if (commit.committedMs > known.committedMs)
        this.recommits.push({ peer: name, height: commit.height, committedMs: commit.committedMs });
      return;
    }
    ofHeight.set(name, commit);
    const composedAtMs = commit.composedMs === null ? null : commit.composedMs - originMs;
    record(
      { type: 'commit', height: commit.height, peer: name, composedAtMs, viaSync: commit.viaSync },
      commit.committedMs - originMs,
    );
  }

  #compare(name: string, height: number, hash: string): void {
    const known = this.#hashes.get(height);
    if (known === undefined) {
      this.#hashes.set(height, { hash, peer: name, isCompared: false });
      return;
    }
    if (!known.isCompared && known.peer !== name) {
      known.isCompared = true;
      this.#compared += 1;
    }
    if (known.hash !== hash && !this.#disputed.has(height)) {
      this.#disputed.add(height);
      this.#ports.found({
        check: 'agreement',
        height,
        message: `${known.peer} holds ${known.hash.slice(0, 16)} and ${name} holds ${hash.slice(0, 16)}`,
      });
    }
  }

  /** Fetches what is new from a peer that is far enough, and executes it. */
  async #audit(): Promise<void> {
    const { auditor, runtime, record, found, committed, originMs } = this.#ports;
    if (!auditor.canGoOn) return;
    const source = runtime.names.find((name) => (this.status(name)?.height ?? 0) > auditor.height);
    const apiUrl = source === undefined ? null : runtime.apiUrl(source);
    if (apiUrl === null) return;
    const { blocks } = await getJson<RawBlocks>(apiUrl, `/raw/blocks?from=${auditor.height + 1}&limit=${PAGE}`);
    for (const { block, certificate } of blocks) {
      if (this.#isStopped || !auditor.canGoOn) return;
      const audited = auditor.audit(Buffer.from(block, 'hex'), Buffer.from(certificate, 'hex'));
      for (const event of audited.events) record(event, this.#firstCommitMs(audited.height, originMs));
      for (const finding of audited.findings) found(finding);
      committed(audited.height, audited.batchHashes);
    }
  }

  #firstCommitMs(height: number, originMs: number): number | undefined {
    const times = [...(this.commits.get(height)?.values() ?? [])].map(({ committedMs }) => committedMs - originMs);
    return times.length === 0 ? undefined : Math.min(...times);
  }
}
