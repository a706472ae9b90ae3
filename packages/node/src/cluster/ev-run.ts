import { setTimeout as delay } from 'node:timers/promises';
import { type PosocDescription, placeOfSlot, posocParametersOf } from '@wattmesh/consensus';
import type { BlockSummary, ElectionView } from '../api/views.ts';
import type { ProvisionedEv } from '../provision/ev-network.ts';
import type { ProvisionedNetwork } from '../provision/network.ts';
import type { Run } from '../provision/run-folder.ts';
import type { PerformanceReport } from '../shell/performance.ts';
import { ClusterError } from './errors.ts';
import { type ModelGain, ModelGains } from './model-gains.ts';
import { getBytes, getJson, type StatusView } from './peer-client.ts';
import { type PeerProcess, startPeer, stopProcess } from './peer-process.ts';

const POLL_MS = 100;
/** How often a peer is asked before it counts as gone. */
const ATTEMPTS = 6;
/** A network that makes no block for so long has failed. */
const STALL_LIMIT_MS = 180_000;

type BlockDetail = BlockSummary & { readonly settlement: PosocDescription | null };

/** One traded hour. */
export interface HourReport {
  readonly day: number;
  readonly hour: number;
  readonly period: string;
  /** EVs that were plugged in. */
  readonly evs: number;
  readonly boughtWh: string;
  readonly soldWh: string;
  /** Of what the EVs bought and sold, the part that another EV or the building took the other side of. */
  readonly matchedWh: string;
  readonly v2vPriceMicro: string | null;
  readonly gridPriceMicro: string;
  /** Sum of the hour's scores, 10^-9 kWh (ppm Wh). */
  readonly scorePpmWh: string;
}

/** One learning round, the same on every peer. */
export interface RoundReport {
  readonly day: number;
  readonly round: number;
  readonly aggregator: string;
  /** Round of agreement in which it was decided; 0 is the first. */
  readonly decidedInRound: number;
  readonly updates: number;
  readonly isAggregated: boolean;
  readonly modelHash: string;
}

export interface EvDayReport {
  readonly day: number;
  readonly aggregator: string;
  /** Its share of the draw's weights; null when it stands in the list's tail. */
  readonly sharePercent: number | null;
  readonly rewardMicro: string;
  readonly modelHash: string;
  readonly rounds: number;
  readonly gains: readonly ModelGain[];
  readonly members: readonly {
    readonly name: string;
    readonly score: string;
    readonly ledger: string;
    readonly profitMicro: string;
    readonly feeMicro: string;
    readonly escrowMicro: string;
  }[];
}

export interface EvRunReport {
  readonly days: number;
  readonly height: number;
  readonly headHash: string;
  readonly stateRoot: string;
  readonly modelHash: string;
  /** Learning rounds, and how many of them changed the model. */
  readonly rounds: number;
  readonly aggregations: number;
  readonly boughtWh: string;
  readonly soldWh: string;
  readonly matchedWh: string;
  /** Matched part of what the EVs traded, 0 to 1. */
  readonly v2vShare: number;
  readonly gains: readonly ModelGain[];
  /** What a policy that is perfect in the return that EVs train on gains in money. */
  readonly attainable: ReturnType<ModelGains['attainable']>;
  readonly members: readonly {
    readonly name: string;
    readonly group: string;
    readonly profitMicro: string;
    readonly feeMicro: string;
    readonly rewardMicro: string;
    readonly heldMicro: string;
    readonly aggregated: number;
    readonly eventLoopLagMs: PerformanceReport['eventLoopLagMs'];
    readonly laterRounds: number;
    readonly blocks: number;
    readonly learning: PerformanceReport['learning'];
  }[];
  readonly tookMs: number;
}

export interface EvRunOptions {
  readonly folder: string;
  readonly run: Run;
  readonly network: ProvisionedNetwork<ProvisionedEv>;
  readonly days: number;
  /** Days of the fixed set on which the model is measured for each group; at least 200 in anything that is published. */
  readonly evaluationDays: number;
  readonly signal: AbortSignal;
  onPeer(name: string, apiUrl: string): void;
  onHour(report: HourReport): void;
  onRound(report: RoundReport): void;
  onDay(report: EvDayReport): void;
}

/**
 * Starts every EV of a run as a process, watches days of trading and learning, and compares what all of them hold.
 * @throws ClusterError PEER_DID_NOT_START; RUN_DIVERGED when peers differ, one dies, or blocks stop coming.
 */
export async function runEvDays(options: EvRunOptions): Promise<EvRunReport> {
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
    return await watch(new EvWatcher(options, peers), options, peers);
  } finally {
    await Promise.all(peers.map(({ name, endpoint }) => stopProcess(endpoint.pid, name)));
  }
}

async function watch(
  watcher: EvWatcher,
  { signal }: EvRunOptions,
  peers: readonly PeerProcess[],
): Promise<EvRunReport> {
  let progressMs = Date.now();
  while (!watcher.isDone) {
    signal.throwIfAborted();
    for (const { child, name } of peers)
      if (child.exitCode !== null || child.signalCode !== null)
        throw new ClusterError(
          'RUN_DIVERGED',
          `${name} ended in mid-run (${child.signalCode ?? `exit code ${child.exitCode}`}); see its node.log`,
        );
    if (await watcher.advance()) progressMs = Date.now();
    else if (Date.now() - progressMs > STALL_LIMIT_MS)
      throw new ClusterError('RUN_DIVERGED', `no block for ${STALL_LIMIT_MS / 1_000} s at height ${watcher.height}`);
    else await delay(POLL_MS, undefined, { signal });
  }
  return watcher.report();
}

/** Follows one peer's chain block by block, and asks the others for theirs at the end of each day. */
class EvWatcher {
  readonly #options: EvRunOptions;
  readonly #peers: readonly PeerProcess[];
  readonly #gains: ModelGains;
  readonly #aggregated: number[];
  readonly #startedMs = Date.now();
  #height = 0;
  #day = 0;
  #sums = { boughtWh: 0n, soldWh: 0n, matchedWh: 0n };
  #last: { readonly detail: BlockDetail; readonly gains: readonly ModelGain[] } | null = null;

  constructor(options: EvRunOptions, peers: readonly PeerProcess[]) {
    this.#options = options;
    this.#peers = peers;
    this.#aggregated = peers.map(() => 0);
    const { genesis, members } = options.network;
    this.#gains = new ModelGains(
      posocParametersOf(genesis),
      members.map(({ ev }) => ev),
      options.evaluationDays,
    );
  }

  get height(): number {
    return this.#height;
  }

  get isDone(): boolean {
    return this.#day >= this.#options.days;
  }

  /** Takes in the blocks that are new; true when there were any. */
  async advance(): Promise<boolean> {
    const { blocks } = await this.#get<{ blocks: BlockSummary[] }>(`/blocks?from=${this.#height + 1}&limit=100`);
    for (const block of blocks) {
      if (this.isDone) break;
      if (block.kind === 'settlement') await this.#onSettlement(block);
      this.#height = block.height;
    }
    return blocks.length > 0;
  }

  async #onSettlement({ height, slot, decidedInRound }: BlockSummary): Promise<void> {
    const detail = await this.#get<BlockDetail>(`/blocks/${height}`);
    const { settlement } = detail;
    if (settlement === null)
      throw new ClusterError('RUN_DIVERGED', `the settlement of slot ${slot} can no longer be explained`);
    if (settlement.hour !== null) this.#onHour(settlement, settlement.hour);
    if (settlement.round !== null) {
      const { round, isAggregated, modelHash, updates } = settlement.round;
      this.#options.onRound({
        day: settlement.day,
        round,
        aggregator: this.#name(settlement.composer),
        decidedInRound,
        updates: updates.length,
        isAggregated,
        modelHash,
      });
    }
    if (placeOfSlot(this.#options.network.genesis, slot).isLastOfDay) await this.#onDayEnd(detail, settlement);
  }

  #onHour({ day }: PosocDescription, hour: NonNullable<PosocDescription['hour']>): void {
    const sum = (of: (ev: (typeof hour.evs)[number]) => bigint): bigint =>
      hour.evs.reduce((total, ev) => total + of(ev), 0n);
    const boughtWh = sum(({ actionWh }) => (BigInt(actionWh) > 0n ? BigInt(actionWh) : 0n));
    const soldWh = sum(({ actionWh }) => (BigInt(actionWh) < 0n ? -BigInt(actionWh) : 0n));
    const matchedWh = sum((ev) => BigInt(ev.matchedWh));
    this.#sums = {
      boughtWh: this.#sums.boughtWh + boughtWh,
      soldWh: this.#sums.soldWh + soldWh,
      matchedWh: this.#sums.matchedWh + matchedWh,
    };
    this.#options.onHour({
      day,
      hour: hour.hour,
      period: hour.period,
      evs: hour.evs.length,
      boughtWh: String(boughtWh),
      soldWh: String(soldWh),
      matchedWh: String(matchedWh),
      v2vPriceMicro: hour.v2vPriceMicro,
      gridPriceMicro: hour.gridSellMicro,
      scorePpmWh: String(sum(({ scorePpmWh }) => BigInt(scorePpmWh))),
    });
  }

  async #onDayEnd(detail: BlockDetail, settlement: PosocDescription): Promise<void> {
    const { height, composer, composingRound } = detail;
    await this.#checkEqual(detail);
    const election = await this.#get<ElectionView>(`/elections/${height}`);
    const entry = election.list[composingRound % election.list.length];
    const candidate = entry?.candidate === null || entry === undefined ? null : election.candidates[entry.candidate];
    const { bytes, hash } = await this.#model();
    // The chain goes on while we look: what is measured is the newest model, which is at least that of this day.
    const gains = this.#gains.of(bytes);
    this.#aggregated[composer] = (this.#aggregated[composer] ?? 0) + 1;
    this.#day += 1;
    this.#last = { detail, gains };
    this.#options.onDay({
      day: settlement.day,
      aggregator: this.#name(composer),
      sharePercent: candidate?.sharePercent ?? null,
      rewardMicro: settlement.dayEnd?.rewardMicro ?? '0',
      modelHash: settlement.round?.modelHash ?? hash,
      rounds: settlement.round?.round ?? 0,
      gains,
      members: (settlement.dayEnd?.evs ?? []).map(({ rank, score, ledger, profitMicro, feeMicro, escrowMicro }) => ({
        name: this.#name(rank),
        score,
        ledger,
        profitMicro,
        feeMicro,
        escrowMicro,
      })),
    });
  }

  /** Every peer holds this block and state: and with them every model hash before it. */
  async #checkEqual({ height, hash, stateRoot }: BlockDetail): Promise<void> {
    await Promise.all(
      this.#peers.map(async ({ name }, k) => {
        for (;;) {
          const { height: head } = await this.#get<StatusView>('/status', k);
          if (head >= height) break;
          await delay(POLL_MS, undefined, { signal: this.#options.signal });
        }
        const theirs = await this.#get<BlockSummary>(`/blocks/${height}`, k);
        if (theirs.hash !== hash || theirs.stateRoot !== stateRoot)
          throw new ClusterError('RUN_DIVERGED', `${name} and ${this.#name(0)} differ at height ${height}`);
      }),
    );
  }

  async #model(): Promise<{ bytes: Uint8Array; hash: string }> {
    const { bytes, headers } = await patiently(() => getBytes(this.#peers[0]?.endpoint.apiUrl ?? '', '/model'));
    return { bytes, hash: headers.get('x-model-hash') ?? '' };
  }

  async report(): Promise<EvRunReport> {
    const last = this.#last;
    if (last === null) throw new ClusterError('RUN_DIVERGED', 'no day has ended');
    const market = await this.#get<EvMarket>('/market');
    const performance = await Promise.all(this.#peers.map((_, k) => this.#get<PerformanceReport>('/performance', k)));
    const { boughtWh, soldWh, matchedWh } = this.#sums;
    const traded = Number(boughtWh + soldWh);
    return {
      days: this.#day,
      height: last.detail.height,
      headHash: last.detail.hash,
      stateRoot: last.detail.stateRoot,
      modelHash: last.detail.settlement?.round?.modelHash ?? '',
      rounds: last.detail.settlement?.round?.round ?? 0,
      aggregations: market.aggregations,
      boughtWh: String(boughtWh),
      soldWh: String(soldWh),
      matchedWh: String(matchedWh),
      v2vShare: traded === 0 ? 0 : Number(matchedWh) / traded,
      gains: last.gains,
      attainable: this.#gains.attainable(),
      members: market.members.map(({ profitMicro, feeMicro, rewardMicro }, rank) => ({
        name: this.#name(rank),
        group: this.#options.network.members[rank]?.ev.group ?? '',
        profitMicro,
        feeMicro,
        rewardMicro,
        heldMicro: String(
          market.held.reduce((sum, held) => (held.rank === rank ? sum + BigInt(held.profitMicro) : sum), 0n),
        ),
        aggregated: this.#aggregated[rank] ?? 0,
        ...(performance[rank] as PerformanceReport),
      })),
      tookMs: Date.now() - this.#startedMs,
    };
  }

  #name(rank: number): string {
    return this.#options.network.members[rank]?.name ?? `member ${rank}`;
  }

  #get<T>(path: string, k = 0): Promise<T> {
    return patiently(() => getJson<T>(this.#peers[k]?.endpoint.apiUrl ?? '', path));
  }
}

/** A machine that trains ten models may keep an API waiting: that is no failure of the network. */
async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof ClusterError) || error.code !== 'PEER_UNREACHABLE' || attempt === ATTEMPTS) throw error;
    }
  }
}

interface EvMarket {
  readonly aggregations: number;
  readonly held: readonly { readonly rank: number; readonly profitMicro: string }[];
  readonly members: readonly {
    readonly profitMicro: string;
    readonly feeMicro: string;
    readonly rewardMicro: string;
  }[];
}
