import type { TraceEvent } from './tracer.ts';

/**
 * Where the time of one block goes, from the start of its composition until it is on the last peer's disk, along the
 * path that decided when that was:
 *
 * - `compose`: choosing and executing transactions, building the block, without signing;
 * - `sign`: signatures on the way (proposal and votes);
 * - `gossip`: proposal and bundles on their way from the composer, waiting for the receiver included;
 * - `verify`: what a voter checks between receiving the proposal and voting, and what it checks of bundles;
 * - `vote`: votes on their way to the composer, and the composer's counting and checking of them;
 * - `fsync`: from a decision to vote or propose until it is on disk and sent;
 * - `commit`: from the precommits that decide until the block is durable.
 */
export const STEPS = ['compose', 'sign', 'gossip', 'verify', 'vote', 'fsync', 'commit'] as const;
export type Step = (typeof STEPS)[number];

export interface BlockTimes {
  readonly height: number;
  readonly blockHash: string;
  readonly kind: string;
  readonly transactions: number;
  readonly composer: number;
  /** From the start of the composition until the block was durable on the last peer. */
  readonly totalMs: number;
  /** When each peer had it on disk, `monotonicMs`; by rank. */
  readonly durableMs: readonly number[];
  /** Adds up to `totalMs`; null when the block did not take the good path (another round, a fallback, a sync). */
  readonly splitMs: Readonly<Record<Step, number>> | null;
}

export interface PeerTrace {
  readonly publicKey: string;
  readonly events: readonly TraceEvent[];
}

type Handle = Extract<TraceEvent, { e: 'handle' }>;

interface PeerHeight {
  durableMs: number | null;
  committed: { readonly blockHash: string; readonly transactions: number; readonly viaSync: boolean } | null;
  composed: { readonly handle: Handle; readonly blockHash: string; readonly kind: string } | null;
  committing: Handle | null;
  readonly handles: Handle[];
  readonly sends: Extract<TraceEvent, { e: 'send' }>[];
}

/** The blocks that were composed during the traces and are durable on every peer, in order. `traces` by rank. */
export function blockTimes(traces: readonly PeerTrace[]): readonly BlockTimes[] {
  const byPeer = traces.map(({ events }) => byHeight(events));
  const rankOf = new Map(traces.map(({ publicKey }, rank) => [publicKey, rank]));
  const heights = [...new Set(byPeer.flatMap((peer) => [...peer.keys()]))].sort((a, b) => a - b);
  const blocks: BlockTimes[] = [];
  for (const height of heights) {
    const peers = byPeer.map((peer) => peer.get(height));
    const blockHash = peers[0]?.committed?.blockHash;
    const composer = peers.findIndex((peer) => peer?.composed?.blockHash === blockHash && blockHash !== undefined);
    const composed = peers[composer]?.composed;
    const durableMs = peers.map((peer) => (peer?.committed?.blockHash === blockHash ? peer?.durableMs : null));
    if (blockHash === undefined || composed === null || composed === undefined) continue;
    if (durableMs.some((ms) => ms === null || ms === undefined)) continue;
    const everywhere = durableMs as number[];
    blocks.push({
      height,
      blockHash,
      kind: composed.kind,
      transactions: peers[0]?.committed?.transactions ?? 0,
      composer,
      totalMs: Math.max(...everywhere) - composed.handle.startMs,
      durableMs: everywhere,
      splitMs: splitOf(peers as PeerHeight[], composer, rankOf),
    });
  }
  return blocks;
}

function byHeight(events: readonly TraceEvent[]): Map<number, PeerHeight> {
  const heights = new Map<number, PeerHeight>();
  const at = (height: number): PeerHeight => {
    const known = heights.get(height);
    if (known !== undefined) return known;
    const fresh: PeerHeight = {
      durableMs: null,
      committed: null,
      composed: null,
      committing: null,
      handles: [],
      sends: [],
    };
    heights.set(height, fresh);
    return fresh;
  };
  for (const event of events) {
    if (event.e === 'durable') at(event.height).durableMs ??= event.atMs;
    else if (event.e === 'send') at(event.height).sends.push(event);
    else {
      if (event.height !== null) at(event.height).handles.push(event);
      if (event.composed !== null) {
        const { height, blockHash, kind } = event.composed;
        at(height).composed = { handle: event, blockHash, kind };
      }
      for (const committed of event.committed) {
        at(committed.height).committed = committed;
        at(committed.height).committing = event;
      }
    }
  }
  return heights;
}

/** Adds up the intervals between the marks of the deciding path; each mark starts where the one before ended. */
class Path {
  readonly split: Record<Step, number> = { compose: 0, sign: 0, gossip: 0, verify: 0, vote: 0, fsync: 0, commit: 0 };
  #atMs: number;
  /** Marks that lie before the one they should follow: the block went another way than the one assumed here. */
  isBroken = false;

  constructor(startMs: number) {
    this.#atMs = startMs;
  }

  /** Time until `ms` belongs to `step`, but for `signMs` of it. */
  to(ms: number, step: Step, signMs = 0): void {
    if (!(ms >= this.#atMs)) this.isBroken = true;
    this.split[step] += ms - this.#atMs - signMs;
    this.split.sign += signMs;
    this.#atMs = ms;
  }
}

function splitOf(
  peers: readonly PeerHeight[],
  composer: number,
  rankOf: ReadonlyMap<string, number>,
): Record<Step, number> | null {
  if (peers.some(({ committed }) => committed?.viaSync !== false)) return null;
  const own = peers[composer] as PeerHeight;
  const composing = own.composed?.handle;
  const lastRank = peers.reduce(
    (last, peer, rank) => ((peer.durableMs ?? 0) > (peers[last]?.durableMs ?? 0) ? rank : last),
    0,
  );
  const last = peers[lastRank] as PeerHeight;
  const proposed = sendOf(own, 'proposal', 'all');
  if (composing === undefined || proposed === null) return null;
  const path = new Path(composing.startMs);
  path.to(composing.endMs, 'compose', composing.signMs);
  if (peers.length === 1) {
    path.to(last.durableMs as number, 'commit');
    return path.isBroken ? null : path.split;
  }
  path.to(proposed, 'fsync');

  // Prevotes: the vote that completed the quorum at the composer, and the voter that sent it.
  const prevotes = sendOf(own, 'prevote', 'all');
  const counted = prevotes === null ? null : lastBefore(own.handles, 'prevote', prevotes);
  const prevoter = counted === null ? undefined : peers[rankOf.get(counted.sender ?? '') ?? -1];
  const proposal = prevoter?.handles.find(({ message }) => message === 'proposal');
  const prevoted = prevoter === undefined ? null : sendOf(prevoter, 'prevote', 'one');
  if (prevotes === null || counted === null || proposal === undefined || prevoted === null) return null;
  path.to(proposal.startMs, 'gossip');
  path.to(proposal.endMs, 'verify', proposal.signMs);
  path.to(prevoted, 'fsync');
  path.to(counted.endMs, 'vote', counted.signMs);
  path.to(prevotes, 'fsync');

  // Precommits: in the same way, from the bundle of prevotes on.
  const decided = own.committing;
  if (decided === null || decided === undefined) return null;
  const precommits = sendOf(own, 'precommit', 'all');
  const precommitter = decided.message === 'precommit' ? peers[rankOf.get(decided.sender ?? '') ?? -1] : undefined;
  const bundle = precommitter?.handles.find(({ message }) => message === 'prevote');
  const precommitted = precommitter === undefined ? null : sendOf(precommitter, 'precommit', 'one');
  if (precommits === null || bundle === undefined || precommitted === null) return null;
  path.to(bundle.startMs, 'gossip');
  path.to(bundle.endMs, 'verify', bundle.signMs);
  path.to(precommitted, 'fsync');
  path.to(decided.startMs, 'vote');

  // Commit: on the composer, or on the last of the others.
  if (lastRank === composer) {
    path.to(own.durableMs as number, 'commit', decided.signMs);
    return path.isBroken ? null : path.split;
  }
  const adopted = last.committing as Handle;
  path.to(decided.endMs, 'vote', decided.signMs);
  path.to(precommits, 'fsync');
  path.to(adopted.startMs, 'gossip');
  path.to(last.durableMs as number, 'commit', adopted.signMs);
  return path.isBroken ? null : path.split;
}

function sendOf(peer: PeerHeight, what: 'proposal' | 'prevote' | 'precommit', to: 'all' | 'one'): number | null {
  return peer.sends.find((send) => send.what === what && send.to === to)?.atMs ?? null;
}

/** The last message of a kind that was handled before `ms`. */
function lastBefore(handles: readonly Handle[], message: 'prevote', ms: number): Handle | null {
  return handles.filter((handle) => handle.message === message && handle.endMs <= ms).at(-1) ?? null;
}
