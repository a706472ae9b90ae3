import type { CommitTime } from '@wattmesh/node';
import type { FaultRecord } from '../faults/conductor.ts';
import type { LoadTotals } from '../load/load-generator.ts';
import type { PeerState } from '../runtime/runtime.ts';
import type { Scenario } from '../scenario/schema.ts';
import type { EventOf } from '../watch/events.ts';

export interface Finding {
  readonly check: string;
  readonly atMs: number;
  readonly height: number | null;
  readonly message: string;
}

export interface JournalAudit {
  readonly peer: string;
  readonly entries: number;
  /** Pairs of statements that contradict each other. */
  readonly conflicts: readonly string[];
  /** Why the journal says nothing; null when it was read. */
  readonly unread: string | null;
}

/** A committed batch of a client. */
export interface LatencySample {
  readonly height: number;
  readonly count: number;
  /** From when it was due until it was durable on the peer that it was sent to; null when that peer did not tell. */
  readonly latencyMs: number | null;
  /** When it was durable there, or else where it was first seen to be. */
  readonly atMs: number;
}

/** How a peer was when the network had come to rest. */
export interface PeerFinal {
  readonly peer: string;
  readonly state: PeerState;
  /** As it told last; null when it told nothing since it was last down. */
  readonly height: number | null;
}

/** All that was observed of a run. Times in milliseconds after the network had come up. */
export interface RunFacts {
  readonly scenario: Scenario;
  readonly names: readonly string[];
  readonly quorum: number;
  readonly endMs: number;
  /** Whether the run came as far as the scenario wants, within its limit. */
  readonly reachedEnd: boolean;
  readonly faults: readonly FaultRecord[];
  /** By height and peer. */
  readonly commits: ReadonlyMap<number, ReadonlyMap<string, CommitTime>>;
  /** Commits that a peer made again, because its disk had been wiped: later than the one in `commits`. */
  readonly recommits: readonly { readonly peer: string; readonly height: number; readonly committedMs: number }[];
  readonly originMs: number;
  readonly findings: readonly Finding[];
  /** Heights that the auditor has executed, and of which at least two peers (or the only one) told the hash. */
  readonly auditedHeights: number;
  readonly comparedHeights: number;
  readonly journals: readonly JournalAudit[];
  readonly load: LoadTotals;
  /** From the begin of the first load to the end of the last; its length is 0 without load. */
  readonly loadFromMs: number;
  readonly loadWindowMs: number;
  /** How long the network was given to come to rest, after the end of faults and load. */
  readonly restMs: number;
  /** Every peer after that time, and the height that the network had when it began. */
  readonly finals: readonly PeerFinal[];
  readonly goalHeight: number;
  readonly latencies: readonly LatencySample[];
  /** Committed transactions that were looked up at the end, and where one was missing or elsewhere. */
  readonly lookedUp: {
    readonly answers: number;
    readonly wrong: readonly string[];
    /** Questions to peers that were up and that gave no answer, nor that they do not have it. */
    readonly unanswered: readonly string[];
  };
  readonly samples: readonly EventOf<'sample'>[];
  readonly blocks: readonly EventOf<'block'>[];
  readonly draws: readonly EventOf<'draw'>[];
  readonly settlements: readonly EventOf<'settlement'>[];
  readonly penalties: readonly EventOf<'penalty'>[];
  readonly models: readonly EventOf<'model'>[];
  readonly days: readonly EventOf<'day'>[];
}

export type Verdict = 'holds' | 'violated' | 'unknown';

export interface CheckResult {
  readonly check: string;
  /** What is promised, in a sentence. */
  readonly promise: string;
  readonly verdict: Verdict;
  /** What was seen, or why nothing can be said. */
  readonly detail: string;
  readonly first: { readonly atMs: number; readonly height: number | null } | null;
}

export interface Check {
  readonly name: string;
  readonly promise: string;
  judge(facts: RunFacts): Omit<CheckResult, 'check' | 'promise'> | null;
}

export function holds(detail: string): Omit<CheckResult, 'check' | 'promise'> {
  return { verdict: 'holds', detail, first: null };
}

export function unknown(detail: string): Omit<CheckResult, 'check' | 'promise'> {
  return { verdict: 'unknown', detail, first: null };
}

export function violated(
  detail: string,
  first: { readonly atMs: number; readonly height: number | null },
): Omit<CheckResult, 'check' | 'promise'> {
  return { verdict: 'violated', detail, first: { atMs: first.atMs, height: first.height } };
}
