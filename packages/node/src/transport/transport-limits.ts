import { FRAME_HEADER_BYTES } from './frame-codec.ts';
import { TransportError } from './transport-error.ts';
import { type Channel, MAX_FRAME_BYTES, MAX_GOSSIP_BYTES, type Topic } from './transport-port.ts';

/** Inbound allowance of one peer on one topic or channel: sustained rates and what may come at once. */
export interface LaneLimit {
  readonly messagesPerSecond: number;
  readonly burstMessages: number;
  readonly bytesPerSecond: number;
  readonly burstBytes: number;
}

/** Every bound of the transport. Rates are per peer. */
export interface TransportLimits {
  readonly lanes: Readonly<Record<Topic | Channel, LaneLimit>>;
  /** Outbound bytes that may wait for one peer on one channel. */
  readonly queueBytes: Readonly<Record<Channel, number>>;
  /** Misbehaviour points a peer may collect before it is disconnected, and how many it wins back per second. */
  readonly patiencePoints: number;
  readonly patiencePerSecond: number;
  /** How long a disconnected offender is refused. */
  readonly backOffMs: number;
  /** How long equal gossip content counts as the same message. */
  readonly dedupeWindowMs: number;
  /** Content hashes remembered at most, oldest forgotten first. */
  readonly dedupeRecords: number;
  /** Gossip bytes that may wait for one slow peer before its connection is dropped and made anew. */
  readonly gossipBufferBytes: number;
}

const MIB = 1_048_576;
const ordinary: LaneLimit = {
  messagesPerSecond: 1_000,
  burstMessages: 4_000,
  bytesPerSecond: 16 * MIB,
  burstBytes: 64 * MIB,
};
// Sync is paced by whoever asks for it; the bound only stops a peer that sends what nobody asked for.
const bulk: LaneLimit = { ...ordinary, bytesPerSecond: 256 * MIB, burstBytes: 512 * MIB };

export const DEFAULT_LIMITS: TransportLimits = {
  lanes: {
    transactions: ordinary,
    announcements: ordinary,
    proposals: ordinary,
    bundles: ordinary,
    evidence: ordinary,
    updates: ordinary,
    votes: ordinary,
    sync: bulk,
    request: ordinary,
    batches: ordinary,
  },
  queueBytes: { votes: MIB, sync: 16 * MIB, request: MIB, batches: 4 * MIB },
  patiencePoints: 100,
  patiencePerSecond: 5,
  backOffMs: 10_000,
  dedupeWindowMs: 120_000,
  dedupeRecords: 100_000,
  gossipBufferBytes: 32 * MIB,
};

/** Misbehaviour points by kind: a few bad messages are forgiven, a stream of them is not. */
export const PATIENCE_COST = { excess: 1, rejected: 10, malformed: 34 } as const;

/** @throws TransportError TRANSPORT_INVALID_CONFIG if a limit is not positive or a queue cannot hold one message. */
export function assertLimits(limits: TransportLimits): void {
  const numbers: [string, number][] = [
    ['patiencePoints', limits.patiencePoints],
    ['patiencePerSecond', limits.patiencePerSecond],
    ['backOffMs', limits.backOffMs],
    ['dedupeWindowMs', limits.dedupeWindowMs],
    ['dedupeRecords', limits.dedupeRecords],
    ['gossipBufferBytes', limits.gossipBufferBytes],
  ];
  for (const [lane, limit] of Object.entries(limits.lanes)) {
    for (const [key, value] of Object.entries(limit)) numbers.push([`lanes.${lane}.${key}`, value]);
  }
  for (const [name, value] of numbers) {
    if (!(value > 0)) fail(name, `must be positive, got ${value}`);
  }
  for (const [channel, bytes] of Object.entries(limits.queueBytes)) {
    const needed = MAX_FRAME_BYTES[channel as Channel] + FRAME_HEADER_BYTES;
    if (!(bytes >= needed)) fail(`queueBytes.${channel}`, `must hold one message of ${needed} bytes, got ${bytes}`);
  }
  if (limits.gossipBufferBytes < 2 * MAX_GOSSIP_BYTES) {
    fail('gossipBufferBytes', `must hold two messages of ${MAX_GOSSIP_BYTES} bytes`);
  }
}

function fail(name: string, problem: string): never {
  throw new TransportError('TRANSPORT_INVALID_CONFIG', `transport limit ${name} ${problem}`, { limit: name });
}
