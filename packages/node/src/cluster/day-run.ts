import { setTimeout as delay } from 'node:timers/promises';
import {
  decodePoegParameters,
  type OfflineSlot,
  offlineTotals,
  type SettlementDescription,
  seedOfSignature,
} from '@wattmesh/consensus';
import type { BlockSummary, ElectionView } from '../api/views.ts';
import { intervalOfSlot } from '../household/household.ts';
import type { ProvisionedNetwork } from '../provision/network.ts';
import type { Run } from '../provision/run-folder.ts';
import type { BlockTiming } from '../shell/commit-log.ts';
import { ClusterError } from './errors.ts';
import { getJson, type StatusView } from './peer-client.ts';
import { type PeerProcess, startPeer, stopProcess } from './peer-process.ts';

const POLL_MS = 150;
/** A network that makes no block for so long has failed. */
const STALL_LIMIT_MS = 120_000;

type BlockDetail = BlockSummary & {
  readonly settlement: SettlementDescription | null;
  readonly timing: BlockTiming | null;
};

/** One traded slot, as its closing settlement tells it. */
export interface SlotReport {
  readonly slot: number;
  readonly height: number;
  readonly miner: string;
  /** How the miner came to compose: what it stood for in the draw, its share of the weights, and the round. */
  readonly drawn: { readonly members: readonly string[]; readonly sharePercent: number } | null;
  readonly round: number;
  /** Coalitions of more than one in the slot's market. */
  readonly coalitions: number;
  readonly tradedWh: string;
  readonly lossSavedHalfNanoWh: string;
  /** From the moment the settlement was composed until it was durable on the last peer; null when a peer fetched it later. */
  readonly latencyMs: number | null;
}

export interface MemberReport {
  readonly name: string;
  readonly rank: number;
  readonly slots: number;
  readonly withoutTradingMicro: string;
  readonly billMicro: string;
  readonly feeMicro: string;
  readonly shareMicro: string;
  readonly deviationMicro: string;
  readonly mined: number;
  readonly expectedMined: number;
}

export interface DayReport {
  readonly slots: number;
  readonly tradingSlots: number;
  readonly energyTradedWh: string;
  readonly lossSavedHalfNanoWh: string;
  readonly rewardMicro: string;
  readonly members: readonly MemberReport[];
  readonly height: number;
  readonly headHash: string;
  readonly stateRoot: string;
  readonly latencyMs: { readonly p50: number; readonly max: number } | null;
  /** What the same households come to when the market is computed offline from their data. */
  readonly offline: {
    readonly energyTradedWh: string;
    readonly lossSavedHalfNanoWh: string;
    readonly isEqual: boolean;
  };
}

export interface DayRunOptions {
  readonly folder: string;
  readonly run: Run;
  readonly network: ProvisionedNetwork;
  /** Slots to trade; slot 0 comes before them. */
  readonly slots: number;
  readonly signal: AbortSignal;
  onPeer(name: string, apiUrl: string): void;
  onSlot(report: SlotReport): void;
}

/**
 * Starts every peer of a run as a process, watches it trade, and compares what all of them hold at the end.
 * @throws ClusterError PEER_DID_NOT_START; RUN_DIVERGED when peers or totals differ, or blocks stop coming.
 */
export async function runDay(options: DayRunOptions): Promise<DayReport> {
  const peers: PeerProcess[] = [];
  try {
    const starts = options.run.peers.map(async (peer) => {
      const started = await startPeer(options.folder, peer, true);
      peers.push(started);
      options.onPeer(peer.name, started.endpoint.apiUrl);
    });
    const failed = (await Promise.allSettled(starts)).find((start) => start.status === 'rejected');
    if (failed !== undefined) throw (failed as PromiseRejectedResult).reason;
    peers.sort((a, b) => (a.name < b.name ? -1 : 1));
    return await watchDay(options, peers);
  } finally {
    await Promise.all(peers.map(({ name, endpoint }) => stopProcess(endpoint.pid, name)));
  }
}

async function watchDay(options: DayRunOptions, peers: readonly PeerProcess[]): Promise<DayReport> {
  const watcher = new DayWatcher(options, peers);
  let progressMs = Date.now();
  while (!watcher.isDone) {
    options.signal.throwIfAborted();
    for (const { child, name } of peers)
      if (child.exitCode !== null || child.signalCode !== null)
        throw new ClusterError(
          'RUN_DIVERGED',
          `${name} ended in mid-run (${child.signalCode ?? `exit code ${child.exitCode}`}); see its node.log`,
        );
    if (await watcher.advance()) progressMs = Date.now();
    else if (Date.now() - progressMs > STALL_LIMIT_MS)
      throw new ClusterError('RUN_DIVERGED', `no block for ${STALL_LIMIT_MS / 1_000} s at height ${watcher.height}`);
    else await delay(POLL_MS, undefined, { signal: options.signal });
  }
  return watcher.report();
}

interface MemberSums {
  slots: number;
  billMicro: bigint;
  withoutTradingMicro: bigint;
  feeMicro: bigint;
  shareMicro: bigint;
  deviationMicro: bigint;
}

/** Follows one peer's chain block by block, and asks the others when a block was theirs. */
class DayWatcher {
  readonly #options: DayRunOptions;
  readonly #peers: readonly PeerProcess[];
  readonly #reports: SlotReport[] = [];
  readonly #markets = new Map<number, SettlementDescription['market']>();
  readonly #seeds = new Map<number, string>();
  readonly #closed = new Map<number, { composer: number; fromTail: boolean }>();
  readonly #expected: number[];
  #height = 0;
  #lastSettlement = 0;

  constructor(options: DayRunOptions, peers: readonly PeerProcess[]) {
    this.#options = options;
    this.#peers = peers;
    this.#expected = peers.map(() => 0);
    this.#seeds.set(0, options.network.chainId);
  }

  get height(): number {
    return this.#height;
  }

  get isDone(): boolean {
    return this.#closed.has(this.#options.slots);
  }

  /** Takes in the blocks that are new; true when there were any. */
  async advance(): Promise<boolean> {
    const { blocks } = await this.#get<{ blocks: BlockSummary[] }>(`/blocks?from=${this.#height + 1}&limit=100`);
    for (const block of blocks) {
      if (this.isDone) break;
      if (block.seedSignature !== null) this.#seeds.set(block.term, seedOfSignature(block.seedSignature));
      if (block.kind === 'settlement') await this.#onSettlement(block);
      this.#height = block.height;
    }
    return blocks.length > 0;
  }

  async #onSettlement({ height, slot, composer, composingRound }: BlockSummary): Promise<void> {
    const details = await Promise.all(this.#peers.map((_, k) => this.#detail(height, k)));
    const { settlement } = details[0] as BlockDetail;
    if (settlement === null)
      throw new ClusterError('RUN_DIVERGED', `the settlement of slot ${slot} can no longer be explained`);
    this.#markets.set(settlement.market.slot, settlement.market);
    this.#lastSettlement = height;
    const election = await this.#get<ElectionView>(`/elections/${height}`);
    const entry = election.list[composingRound % election.list.length];
    const candidate = entry?.candidate === null || entry === undefined ? null : election.candidates[entry.candidate];
    this.#closed.set(slot, { composer, fromTail: candidate === null || candidate === undefined });
    if (slot === 0) return;
    for (const { miner, sharePercent } of election.candidates)
      this.#expected[miner] = (this.#expected[miner] ?? 0) + sharePercent / 100;
    const market = this.#markets.get(slot);
    const report: SlotReport = {
      slot,
      height,
      miner: this.#name(composer),
      drawn: candidate
        ? { members: candidate.members.map((rank) => this.#name(rank)), sharePercent: candidate.sharePercent }
        : null,
      round: composingRound,
      coalitions: market?.coalitions.filter(({ members }) => members.length > 1).length ?? 0,
      tradedWh: market?.energyTradedWh ?? '0',
      lossSavedHalfNanoWh: market?.physicalSavingHalfNanoWh ?? '0',
      latencyMs: latencyOf(details.map(({ timing }) => timing)),
    };
    this.#reports.push(report);
    this.#options.onSlot(report);
  }

  /** A block as peer `k` tells it; waits until that peer has it. */
  async #detail(height: number, k: number): Promise<BlockDetail> {
    for (;;) {
      const { height: head } = await this.#get<StatusView>('/status', k);
      if (head >= height) return this.#get<BlockDetail>(`/blocks/${height}`, k);
      await delay(POLL_MS, undefined, { signal: this.#options.signal });
    }
  }

  async report(): Promise<DayReport> {
    const { network, slots } = this.#options;
    const heads = await Promise.all(this.#peers.map((_, k) => this.#detail(this.#lastSettlement, k)));
    const [head] = heads as [BlockDetail, ...BlockDetail[]];
    const other = heads.findIndex(({ hash, stateRoot }) => hash !== head.hash || stateRoot !== head.stateRoot);
    if (other > 0)
      throw new ClusterError(
        'RUN_DIVERGED',
        `${this.#name(other)} and ${this.#name(0)} differ at height ${head.height}`,
      );
    const offline = offlineTotals({
      parameters: decodePoegParameters(network.genesis.application.parameters),
      publicKeys: network.members.map(({ publicKey }) => publicKey),
      slots: Array.from({ length: slots }, (_, k) => this.#offlineSlot(k + 1)),
    });
    const sums = this.#reports.reduce(
      (sum, { tradedWh, lossSavedHalfNanoWh }) => ({
        tradedWh: sum.tradedWh + BigInt(tradedWh),
        savedHalfNanoWh: sum.savedHalfNanoWh + BigInt(lossSavedHalfNanoWh),
      }),
      { tradedWh: 0n, savedHalfNanoWh: 0n },
    );
    const market = await this.#totals();
    const isEqual =
      offline.energyTradedWh === sums.tradedWh &&
      offline.physicalSavingHalfNanoWh === sums.savedHalfNanoWh &&
      offline.members.every((member, rank) => {
        const online = market.members[rank];
        return (
          online !== undefined &&
          member.billMicro === online.billMicro &&
          member.withoutTradingMicro === online.withoutTradingMicro
        );
      });
    const latencies = this.#reports.flatMap(({ latencyMs }) => latencyMs ?? []).sort((a, b) => a - b);
    return {
      slots,
      tradingSlots: this.#reports.filter(({ tradedWh }) => tradedWh !== '0').length,
      energyTradedWh: String(sums.tradedWh),
      lossSavedHalfNanoWh: String(sums.savedHalfNanoWh),
      rewardMicro: String(market.rewardMicro),
      members: market.members.map((member, rank) => ({
        name: this.#name(rank),
        rank,
        slots: member.slots,
        withoutTradingMicro: String(member.withoutTradingMicro),
        billMicro: String(member.billMicro),
        feeMicro: String(member.feeMicro),
        shareMicro: String(member.shareMicro),
        deviationMicro: String(member.deviationMicro),
        mined: this.#reports.filter(({ miner }) => miner === this.#name(rank)).length,
        expectedMined: this.#expected[rank] ?? 0,
      })),
      height: head.height,
      headHash: head.hash,
      stateRoot: head.stateRoot,
      latencyMs:
        latencies.length === 0
          ? null
          : { p50: latencies[(latencies.length - 1) >> 1] ?? 0, max: latencies.at(-1) ?? 0 },
      offline: {
        energyTradedWh: String(offline.energyTradedWh),
        lossSavedHalfNanoWh: String(offline.physicalSavingHalfNanoWh),
        isEqual,
      },
    };
  }

  #offlineSlot(slot: number): OfflineSlot {
    const { members } = this.#options.network;
    const close = this.#closed.get(slot);
    return {
      seed: this.#seeds.get(slot - 1) ?? '',
      // From the households' own data, not from the chain: nobody may be missing.
      announced: members.map(({ rank, household }) => {
        const { productionWh, consumptionWh } = intervalOfSlot(household, slot);
        return { rank, productionWh: BigInt(productionWh), consumptionWh: BigInt(consumptionWh) };
      }),
      closed: close === undefined ? null : { miner: close.fromTail ? null : close.composer },
      metered: [],
    };
  }

  /** Summed over the day's own settlements: the chain goes on while we look, and its running totals with it. */
  async #totals(): Promise<{ rewardMicro: bigint; members: MemberSums[] }> {
    const members = this.#peers.map(
      (): MemberSums => ({
        slots: 0,
        billMicro: 0n,
        withoutTradingMicro: 0n,
        feeMicro: 0n,
        shareMicro: 0n,
        deviationMicro: 0n,
      }),
    );
    let rewardMicro = 0n;
    for (const { height } of this.#reports) {
      const { settlement } = await this.#get<BlockDetail>(`/blocks/${height}`);
      for (const bill of settlement?.billed?.members ?? []) {
        const member = members[bill.rank];
        if (member === undefined) continue;
        member.slots += 1;
        for (const name of ['billMicro', 'withoutTradingMicro', 'feeMicro', 'shareMicro'] as const)
          member[name] += BigInt(bill[name]);
      }
      for (const { rank, memberMicro } of settlement?.deviations ?? []) {
        const member = members[rank];
        if (member !== undefined) member.deviationMicro += BigInt(memberMicro);
      }
      rewardMicro += BigInt(settlement?.billed?.rewardMicro ?? 0);
    }
    return { rewardMicro, members };
  }

  #name(rank: number): string {
    return this.#options.network.members[rank]?.name ?? `member ${rank}`;
  }

  #get<T>(path: string, k = 0): Promise<T> {
    return getJson<T>(this.#peers[k]?.endpoint.apiUrl ?? '', path);
  }
}

function latencyOf(timings: readonly (BlockTiming | null)[]): number | null {
  const composedMs = timings.find((timing) => timing?.composedMs != null)?.composedMs;
  if (composedMs == null || timings.some((timing) => timing === null || timing.viaSync)) return null;
  return Math.max(...timings.map((timing) => timing?.committedMs ?? 0)) - composedMs;
}
