/** Every metric that a peer exposes; docs/metrics.md and the dashboard are checked against a live scrape of these. */
export interface MetricDefinition {
  readonly type: 'gauge' | 'counter' | 'histogram';
  readonly labels: readonly string[];
  readonly help: string;
  /** Upper bounds in seconds. */
  readonly buckets?: readonly number[];
}

const define = (
  type: MetricDefinition['type'],
  help: string,
  labels: readonly string[] = [],
  buckets?: readonly number[],
): MetricDefinition => ({ type, labels, help, ...(buckets === undefined ? {} : { buckets }) });

const INTERVAL_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3_600];
const LATENCY_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const FSYNC_BUCKETS = [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];

export const METRICS = {
  wattmesh_peer_info: define('gauge', 'Always 1; who this peer is.', ['name', 'rank', 'public_key', 'chain_id']),
  wattmesh_members: define('gauge', 'Members of the chain, this peer included.'),
  wattmesh_quorum: define('gauge', 'Votes that decide a block.'),
  wattmesh_peers_connected: define('gauge', 'Other members that both gossip and direct messages reach.'),

  wattmesh_height: define('gauge', 'Height of the last durable block.'),
  wattmesh_slot: define('gauge', 'Open slot.'),
  wattmesh_term: define('gauge', 'Current term.'),
  wattmesh_round: define('gauge', 'Round of the height that is being decided; above 0 an earlier round has failed.'),
  wattmesh_chain_time_seconds: define('gauge', 'Chain time of the last durable block, seconds since 1970.'),
  wattmesh_blocks_committed_total: define('counter', 'Blocks committed since the start of the process.', ['via']),
  wattmesh_transactions_committed_total: define('counter', 'Transactions in these blocks.'),
  wattmesh_rounds_total: define('counter', 'Rounds entered after round 0 since the start of the process.'),
  wattmesh_conflicts_total: define('counter', 'Pairs of contradicting signed messages seen, by what they are.', [
    'what',
  ]),
  wattmesh_block_interval_seconds: define('histogram', 'Time between two commits on this peer.', [], INTERVAL_BUCKETS),
  wattmesh_block_commit_seconds: define(
    'histogram',
    'From the beginning of composing until durable here; only blocks that this peer composed.',
    [],
    LATENCY_BUCKETS,
  ),
  wattmesh_pool_transactions: define('gauge', 'Transactions that wait for a block.'),
  wattmesh_sync_behind_blocks: define('gauge', 'Blocks that this peer is behind and fetches; 0 when it follows.'),
  wattmesh_sitting_out: define('gauge', '1 while the peer signs nothing because it may have signed here before.'),

  wattmesh_messages_received_total: define('counter', 'Messages handed to the peer, by topic or channel and verdict.', [
    'lane',
    'verdict',
  ]),
  wattmesh_message_bytes_received_total: define('counter', 'Bytes of these messages.', ['lane']),
  wattmesh_messages_refused_total: define('counter', 'Messages that the peer did not use, by code.', ['code']),
  wattmesh_refusals_total: define('counter', 'Blocks and other things judged to be wrong, by code.', ['what', 'code']),
  wattmesh_messages_sent_total: define('counter', 'Messages sent, by topic or channel; a broadcast counts once.', [
    'lane',
  ]),
  wattmesh_message_bytes_sent_total: define('counter', 'Bytes of these messages.', ['lane']),
  wattmesh_network_messages_total: define('counter', 'Payload messages to and from all peers, each copy counted.', [
    'direction',
  ]),
  wattmesh_network_bytes_total: define('counter', 'Bytes of these messages.', ['direction']),
  wattmesh_messages_dropped_total: define('counter', 'Messages dropped by the transport, by code.', ['code']),

  wattmesh_fsync_duration_seconds: define(
    'histogram',
    'Time until a write was durable: appends to the journal, and commits (LevelDB and journal).',
    ['kind'],
    FSYNC_BUCKETS,
  ),
  wattmesh_slots_settled_total: define('counter', 'Billed slots of the chain since genesis.'),
  wattmesh_energy_traded_watt_hours_total: define('counter', 'Energy traded inside coalitions since genesis.'),
  wattmesh_loss_saved_watt_hours_total: define('counter', 'Line loss saved by these trades since genesis.'),

  process_cpu_seconds_total: define('counter', 'CPU time of the process, user and system.'),
  process_resident_memory_bytes: define('gauge', 'Memory of the process that is in RAM.'),
  process_start_time_seconds: define('gauge', 'When the peer was started, seconds since 1970.'),
  nodejs_heap_size_used_bytes: define('gauge', 'Heap in use.'),
  nodejs_eventloop_lag_seconds: define('gauge', 'Delay of the event loop since the last scrape.', ['quantile']),
} as const satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof METRICS;
