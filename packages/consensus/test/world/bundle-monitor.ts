import type { Hash, Vote, VoteType } from '../../src/chain/types.ts';
import { InvariantViolation } from './violation.ts';

/** What an honest peer has done because of `q` votes: locked or adopted a valid value (prevotes), or decided (precommits). */
export interface Act {
  readonly type: VoteType;
  readonly height: number;
  readonly round: number;
  readonly blockHash: Hash;
}

interface Obligation extends Act {
  /** Who acted first. */
  readonly rank: number;
  readonly dueMs: number;
}

export interface BundleMonitorOptions {
  readonly members: number;
  readonly quorum: number;
  readonly corrupt: ReadonlySet<number>;
  /** In a timely network, the longest that a message is under way. */
  readonly deliveryMs: number;
  /** What resends and catching up may take to repair what was lost before the network was timely. */
  readonly repairMs: number;
}

/**
 * Invariant 16: a bundle on which one honest peer acts reaches all honest peers once the network is timely. Watched from
 * outside: acts are what a peer has made durable, and a bundle has reached somebody when messages with the votes of `q`
 * members for that block and round have been delivered there, in whichever way, or when that peer has the height behind it.
 *
 * Of a height that is begun in a timely network the protocol's own words hold: who acts broadcasts what made it act, so one
 * delivery is enough, and nobody has to fall back on single votes. What was lost earlier, and what a peer learned by catching
 * up, is repaired by resending or by certified blocks; newer prevotes for the height take the place of older ones.
 */
export class BundleMonitor {
  readonly #options: BundleMonitorOptions;
  readonly #honest: readonly number[];
  /** Height that each peer has decided. */
  readonly #heads: number[];
  /** By peer, then `type/height/round/hash`: whose votes have arrived there. */
  readonly #arrived: Map<string, { readonly vote: Vote; readonly voters: Set<number> }>[];
  readonly #acts = new Set<string>();
  #open: Obligation[] = [];
  #timely: { readonly sinceMs: number; readonly fromHeight: number } | null = null;

  constructor(options: BundleMonitorOptions) {
    this.#options = options;
    const ranks = Array.from({ length: options.members }, (_, rank) => rank);
    this.#honest = ranks.filter((rank) => !options.corrupt.has(rank));
    this.#heads = ranks.map(() => 0);
    this.#arrived = ranks.map(() => new Map());
  }

  /** The network is timely from now on; of heights from `fromHeight` on nothing was sent before. */
  timely(nowMs: number, fromHeight: number): void {
    this.#timely = { sinceMs: nowMs, fromHeight };
    this.#open = this.#open.map((one) => ({ ...one, dueMs: nowMs + this.#options.repairMs }));
  }

  /** A peer has started (again) with a disk that ends at `height`: what it was sent before is gone. */
  started(rank: number, height: number): void {
    this.#heads[rank] = height;
    this.#arrived[rank]?.clear();
  }

  /** A peer has decided a height, or adopted it from another one. */
  decided(rank: number, height: number): void {
    this.#heads[rank] = height;
    const arrived = this.#arrived[rank];
    for (const [key, { vote }] of arrived ?? []) if (vote.height <= height) arrived?.delete(key);
  }

  /** Votes were delivered to a peer, which did not refuse the message; or it has signed them itself. */
  arrived(rank: number, votes: readonly Vote[]): void {
    for (const vote of votes) {
      if (vote.blockHash === null || vote.height <= (this.#heads[rank] ?? 0)) continue;
      const key = `${vote.type}/${vote.height}/${vote.round}/${vote.blockHash}`;
      const known = this.#arrived[rank]?.get(key);
      if (known === undefined) this.#arrived[rank]?.set(key, { vote, voters: new Set([vote.voter]) });
      else known.voters.add(vote.voter);
    }
  }

  /** An honest peer has acted, and its act is durable. `viaSync`: on a certificate that it fetched. */
  acted(nowMs: number, rank: number, act: Act, viaSync: boolean): void {
    if (this.#options.corrupt.has(rank)) return;
    const key = `${act.type}/${act.height}/${act.round}/${act.blockHash}`;
    if (this.#acts.has(key)) return;
    this.#acts.add(key);
    const { deliveryMs, repairMs } = this.#options;
    const isFresh = this.#timely !== null && act.height >= this.#timely.fromHeight && !viaSync;
    const dueMs = this.#timely === null ? Number.POSITIVE_INFINITY : nowMs + (isFresh ? deliveryMs : repairMs);
    this.#open.push({ ...act, rank, dueMs });
  }

  /** To be asked before anything happens at `nowMs`. @throws InvariantViolation for a bundle that is overdue somewhere. */
  check(nowMs: number): void {
    if (this.#timely === null) return;
    this.#open = this.#open.filter((one) => {
      const lacking = this.#honest.filter((rank) => !this.#has(rank, one));
      if (lacking.length === 0) return false;
      if (nowMs <= one.dueMs) return true;
      const { type, height, round, rank } = one;
      throw new InvariantViolation(
        `16: the ${type}s of ${height}/${round} on which member ${rank} acted have not reached ${lacking.join(', ')} in time`,
      );
    });
  }

  #has(rank: number, { type, height, round, blockHash }: Act): boolean {
    if ((this.#heads[rank] ?? 0) >= height) return true;
    for (const { vote, voters } of this.#arrived[rank]?.values() ?? []) {
      if (voters.size < this.#options.quorum || vote.type !== type || vote.height !== height) continue;
      if (vote.blockHash === blockHash || (type === 'prevote' && vote.round > round)) return true;
    }
    return false;
  }
}
