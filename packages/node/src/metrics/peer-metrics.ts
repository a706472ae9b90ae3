import { monitorEventLoopDelay } from 'node:perf_hooks';
import {
  CHAIN_REJECTION_CODES,
  type Notice,
  type PeerView,
  type PoegState,
  type StoreWrite,
} from '@wattmesh/consensus';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { ShellPorts } from '../shell/peer-shell.ts';
import { CHANNELS, type PeerStatus, TOPICS } from '../transport/transport-port.ts';
import { METRICS, type MetricDefinition, type MetricName } from './definitions.ts';

/** What the metrics of a peer are read from when somebody scrapes them. */
export interface MeasuredPeer {
  readonly name: string;
  readonly rank: number;
  readonly publicKey: string;
  readonly chainId: string;
  readonly members: number;
  readonly quorum: number;
  readonly startedMs: number;
  view(): PeerView;
  peers(): readonly PeerStatus[];
}

/** Codes under which a transport drops messages. Known labels are there from the start: a rate needs a zero to rise from. */
const DROP_CODES = [
  'TRANSPORT_NOT_CONNECTED',
  'TRANSPORT_QUEUE_FULL',
  'TRANSPORT_RATE_LIMITED',
  'TRANSPORT_OVERSIZE',
  'TRANSPORT_MALFORMED',
  'TRANSPORT_REJECTED',
  'TRANSPORT_LINK_LOSS',
] as const;
/** Each look at the loop wakes the process: with many peers on one machine finer ones cost more than agreement does. */
const LAG_RESOLUTION_MS = 100;
const HALF_NANO_WH_PER_WH = 2e9;

/**
 * Counts what a peer does and serves it in the Prometheus text format. Counters begin at 0 with the process; what the chain
 * itself adds up (energy, losses, slots) goes on from genesis.
 */
export class PeerMetrics {
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;
  readonly #registry = new Registry();
  readonly #gauges = new Map<MetricName, Gauge>();
  readonly #counters = new Map<MetricName, Counter>();
  readonly #histograms = new Map<MetricName, Histogram>();
  readonly #nowMs: () => number;
  readonly #lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  readonly #composedMs = new Map<string, number>();
  #lastCommitMs: number | null = null;
  #peer: MeasuredPeer | null = null;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    for (const [name, definition] of Object.entries(METRICS) as [MetricName, MetricDefinition][])
      this.#create(name, definition);
    for (const lane of [...TOPICS, ...CHANNELS]) {
      for (const verdict of ['accept', 'ignore', 'reject'])
        this.#counter('wattmesh_messages_received_total').inc({ lane, verdict }, 0);
      for (const name of [
        'wattmesh_message_bytes_received_total',
        'wattmesh_messages_sent_total',
        'wattmesh_message_bytes_sent_total',
      ] as const)
        this.#counter(name).inc({ lane }, 0);
    }
    for (const via of ['consensus', 'sync']) this.#counter('wattmesh_blocks_committed_total').inc({ via }, 0);
    for (const what of ['prevote', 'precommit', 'proposal']) this.#counter('wattmesh_conflicts_total').inc({ what }, 0);
    this.#counter('wattmesh_messages_refused_total').inc({ code: 'MESSAGE_OF_THE_PAST' }, 0);
    for (const code of CHAIN_REJECTION_CODES) this.#counter('wattmesh_refusals_total').inc({ what: 'block', code }, 0);
    this.#lag.enable();
  }

  /** Stands around the shell's ports and counts what passes. */
  ports(ports: ShellPorts): ShellPorts {
    return {
      ...ports,
      write: async (writes) => {
        const began = performance.now();
        await ports.write(writes);
        this.#wrote(writes, (performance.now() - began) / 1_000);
      },
      broadcast: (topic, bytes, resend) => {
        this.#sent(topic, bytes.length);
        ports.broadcast(topic, bytes, resend);
      },
      send: (to, channel, bytes) => {
        this.#sent(channel, bytes.length);
        ports.send(to, channel, bytes);
      },
      notice: (notice) => {
        this.#noticed(notice);
        ports.notice(notice);
      },
    };
  }

  /** A message that came in, and what the peer made of it. */
  received(lane: string, byteLength: number, verdict: string, code: string | null): void {
    this.#counter('wattmesh_messages_received_total').inc({ lane, verdict });
    this.#counter('wattmesh_message_bytes_received_total').inc({ lane }, byteLength);
    if (code !== null) this.#counter('wattmesh_messages_refused_total').inc({ code });
  }

  /** Whom the gauges are read from, from now on. */
  follow(peer: MeasuredPeer): void {
    this.#peer = peer;
    const { name, rank, publicKey, chainId } = peer;
    this.#gauge('wattmesh_peer_info').set({ name, rank, public_key: publicKey, chain_id: chainId }, 1);
    this.#gauge('wattmesh_members').set(peer.members);
    this.#gauge('wattmesh_quorum').set(peer.quorum);
    this.#gauge('process_start_time_seconds').set(peer.startedMs / 1_000);
  }

  /** All metrics as they are now. */
  async text(): Promise<string> {
    if (this.#peer !== null) this.#readPeer(this.#peer);
    this.#readProcess();
    return this.#registry.metrics();
  }

  stop(): void {
    this.#lag.disable();
    this.#registry.clear();
  }

  #create(name: MetricName, { type, labels, help, buckets }: MetricDefinition): void {
    const options = { name, help, labelNames: [...labels], registers: [this.#registry] };
    if (type === 'gauge') this.#gauges.set(name, new Gauge(options));
    else if (type === 'counter') this.#counters.set(name, new Counter(options));
    else this.#histograms.set(name, new Histogram({ ...options, buckets: [...(buckets ?? [])] }));
  }

  #sent(lane: string, byteLength: number): void {
    this.#counter('wattmesh_messages_sent_total').inc({ lane });
    this.#counter('wattmesh_message_bytes_sent_total').inc({ lane }, byteLength);
  }

  #wrote(writes: readonly StoreWrite[], seconds: number): void {
    const kind = writes.some(({ type }) => type === 'commit') ? 'commit' : 'journal';
    this.#histogram('wattmesh_fsync_duration_seconds').observe({ kind }, seconds);
  }

  #noticed(notice: Notice): void {
    switch (notice.type) {
      case 'composed':
        this.#composedMs.set(notice.blockHash, notice.atMs);
        return;
      case 'committed':
        this.#committed(notice);
        return;
      case 'round':
        this.#counter('wattmesh_rounds_total').inc();
        return;
      case 'conflict':
        // The other keys name a slot and a member, which would be a label without end.
        this.#counter('wattmesh_conflicts_total').inc({ what: notice.what.split('/', 1)[0] ?? '' });
        return;
      case 'refused':
        this.#counter('wattmesh_refusals_total').inc({ what: notice.what, code: notice.code });
        return;
      default:
    }
  }

  #committed({ blockHash, transactions, viaSync }: Extract<Notice, { type: 'committed' }>): void {
    const nowMs = this.#nowMs();
    const composedMs = this.#composedMs.get(blockHash);
    this.#composedMs.clear();
    this.#counter('wattmesh_blocks_committed_total').inc({ via: viaSync ? 'sync' : 'consensus' });
    this.#counter('wattmesh_transactions_committed_total').inc(transactions);
    if (composedMs !== undefined)
      this.#histogram('wattmesh_block_commit_seconds').observe(Math.max(0, nowMs - composedMs) / 1_000);
    if (this.#lastCommitMs !== null && !viaSync)
      this.#histogram('wattmesh_block_interval_seconds').observe(Math.max(0, nowMs - this.#lastCommitMs) / 1_000);
    this.#lastCommitMs = nowMs;
  }

  #readPeer(peer: MeasuredPeer): void {
    const { state, round, poolTransactions, sittingOut, syncTarget } = peer.view();
    this.#gauge('wattmesh_height').set(state.height);
    this.#gauge('wattmesh_slot').set(state.slot);
    this.#gauge('wattmesh_term').set(state.term);
    this.#gauge('wattmesh_round').set(round);
    this.#gauge('wattmesh_chain_time_seconds').set(state.chainTimeMs / 1_000);
    this.#gauge('wattmesh_pool_transactions').set(poolTransactions);
    this.#gauge('wattmesh_sitting_out').set(sittingOut ? 1 : 0);
    this.#gauge('wattmesh_sync_behind_blocks').set(Math.max(0, (syncTarget ?? 0) - state.height));
    const totals = (state.app as Partial<PoegState>).totals;
    this.#setTotal('wattmesh_slots_settled_total', {}, totals?.settledSlots ?? 0);
    this.#setTotal('wattmesh_energy_traded_watt_hours_total', {}, Number(totals?.energyTradedWh ?? 0));
    const saved = Number(totals?.physicalSavingHalfNanoWh ?? 0) / HALF_NANO_WH_PER_WH;
    this.#setTotal('wattmesh_loss_saved_watt_hours_total', {}, saved);

    const others = peer.peers();
    const sum = (amountOf: (status: PeerStatus) => number): number =>
      others.reduce((total, status) => total + amountOf(status), 0);
    this.#gauge('wattmesh_peers_connected').set(sum(({ connected }) => (connected ? 1 : 0)));
    this.#setTotal(
      'wattmesh_network_messages_total',
      { direction: 'in' },
      sum(({ messagesIn }) => messagesIn),
    );
    this.#setTotal(
      'wattmesh_network_messages_total',
      { direction: 'out' },
      sum(({ messagesOut }) => messagesOut),
    );
    this.#setTotal(
      'wattmesh_network_bytes_total',
      { direction: 'in' },
      sum(({ bytesIn }) => bytesIn),
    );
    this.#setTotal(
      'wattmesh_network_bytes_total',
      { direction: 'out' },
      sum(({ bytesOut }) => bytesOut),
    );
    for (const code of DROP_CODES)
      this.#setTotal(
        'wattmesh_messages_dropped_total',
        { code },
        sum(({ droppedByCode }) => droppedByCode[code] ?? 0),
      );
  }

  #readProcess(): void {
    const { user, system } = process.cpuUsage();
    this.#setTotal('process_cpu_seconds_total', {}, (user + system) / 1e6);
    const { rss, heapUsed } = process.memoryUsage();
    this.#gauge('process_resident_memory_bytes').set(rss);
    this.#gauge('nodejs_heap_size_used_bytes').set(heapUsed);
    // The histogram counts whole intervals; what exceeds one is the delay.
    const lagSeconds = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - LAG_RESOLUTION_MS) / 1_000;
    for (const [quantile, percentile] of [
      ['0.5', 50],
      ['0.9', 90],
      ['0.99', 99],
      ['1', 100],
    ] as const)
      this.#gauge('nodejs_eventloop_lag_seconds').set({ quantile }, lagSeconds(this.#lag.percentile(percentile)));
    this.#lag.reset();
  }

  /** Sets a counter to what something else has added up. */
  #setTotal(name: MetricName, labels: Record<string, string>, value: number): void {
    const counter = this.#counter(name);
    counter.remove(labels);
    counter.inc(labels, value);
  }

  #gauge(name: MetricName): Gauge {
    return this.#gauges.get(name) as Gauge;
  }

  #counter(name: MetricName): Counter {
    return this.#counters.get(name) as Counter;
  }

  #histogram(name: MetricName): Histogram {
    return this.#histograms.get(name) as Histogram;
  }
}
