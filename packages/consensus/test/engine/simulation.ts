import type { Hash, MemberRank } from '../../src/chain/types.ts';
import {
  type EngineEffect,
  type EngineEvent,
  type EngineState,
  type HeightContext,
  heldBlock,
  type LogRecord,
  restoreHeight,
  startHeight,
  step,
} from '../../src/engine/index.ts';
import { Adversary, type Message, type Strategy } from './adversary.ts';
import { deepFreeze, fakeBlock, fakeContext } from './fake-chain.ts';
import { Invariants } from './invariants.ts';
import { Rng } from './rng.ts';

export interface SimulationOptions {
  readonly seed: number;
  readonly members: number;
  readonly quorum?: number;
  /** The first ranks are Byzantine. */
  readonly byzantine: number;
  readonly strategy: Strategy;
  /** Until then messages are lost and late, and honest members crash; afterwards the network is timely. */
  readonly timelyFromMs: number;
  readonly lossBefore: number;
  /** Probability that an honest member crashes while it carries out the effects of one step. */
  readonly crashBefore: number;
  /** The cut runs between the adversary's halves of the honest members instead of anywhere. */
  readonly cutBetweenSides?: boolean;
  readonly freeze?: boolean;
  /** Simulated time after which the run ends undecided. */
  readonly timeLimitMs?: number;
}

/** What happened besides the verdict: a run in which the faults took no effect shows nothing. */
export interface Coverage {
  crashes: number;
  lostMessages: number;
  conflicts: number;
  fetches: number;
  proposalsAgain: number;
  relocks: number;
  jumps: number;
  highestRound: number;
}

export interface SimulationResult {
  readonly violations: readonly string[];
  /** Whether every honest member decided before the time limit. */
  readonly allDecided: boolean;
  readonly decisions: ReadonlyMap<MemberRank, Hash>;
  readonly coverage: Coverage;
}

interface Peer {
  readonly rank: MemberRank;
  readonly context: HeightContext;
  state: EngineState;
  /** All that survives a crash. */
  readonly log: LogRecord[];
  up: boolean;
  life: number;
}

type Bare<T> = T extends unknown ? Omit<T, 'nowMs'> : never;
type PeerEvent = Bare<EngineEvent>;

const TIME_LIMIT_MS = 120_000;
const LATE_MS = 400;
const TIMELY_MS = 10;
const CUT_MS = 300;

/** One height of many engines in one process, driven by a seed. */
export class Simulation {
  readonly #options: SimulationOptions;
  readonly #rng: Rng;
  readonly #peers = new Map<MemberRank, Peer>();
  readonly #adversary: Adversary;
  readonly #invariants: Invariants;
  readonly #queue = new Agenda();
  readonly #coverage: Coverage = {
    crashes: 0,
    lostMessages: 0,
    conflicts: 0,
    fetches: 0,
    proposalsAgain: 0,
    relocks: 0,
    jumps: 0,
    highestRound: 0,
  };
  #groups: readonly number[] = [];
  #nowMs = 0;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#rng = new Rng(options.seed);
    const { members, byzantine } = options;
    const ranks = [...new Array(members).keys()];
    const honest = ranks.slice(byzantine);
    const firstProposer = this.#rng.int(members);
    const common = { members, firstProposer, ...(options.quorum === undefined ? {} : { quorum: options.quorum }) };
    for (const rank of honest) {
      const context = fakeContext({ ...common, self: rank });
      this.#peers.set(rank, { rank, context, state: startHeight(context), log: [], up: true, life: 0 });
    }
    const { quorum, proposer } = fakeContext({ ...common, self: null });
    this.#invariants = new Invariants(quorum, honest);
    this.#adversary = new Adversary(
      {
        rng: this.#rng,
        members,
        quorum,
        honest,
        byzantine: ranks.slice(0, byzantine),
        proposer,
        // Its own links are good and fast, whatever the network does to others.
        send: (to, message) => {
          if (message.type === 'votes') for (const vote of message.votes) this.#invariants.existing(vote);
          this.#queue.add(this.#nowMs + 1 + this.#rng.int(TIMELY_MS), () => this.#deliver(null, to, message));
        },
      },
      options.strategy,
    );
  }

  run(): SimulationResult {
    for (const peer of this.#peers.values()) this.#wake(peer);
    this.#queue.add(this.#rng.int(50), () => this.#adversary.begin());
    this.#cut();
    const allDecided = (): boolean => this.#invariants.decisions.size === this.#peers.size;
    while (!allDecided() && this.#invariants.violations.length === 0) {
      const next = this.#queue.take();
      if (next === null || next.atMs > (this.#options.timeLimitMs ?? TIME_LIMIT_MS)) break;
      this.#nowMs = next.atMs;
      next.action();
    }
    return {
      violations: this.#invariants.violations,
      allDecided: allDecided(),
      decisions: this.#invariants.decisions,
      coverage: this.#coverage,
    };
  }

  /** Parts the network in two at random, until the next cut. */
  #cut(): void {
    const ranks = [...new Array(this.#options.members).keys()];
    const parts = this.#rng.chance(0.5);
    if (this.#options.cutBetweenSides) this.#groups = ranks.map((rank) => this.#adversary.sideOf(rank));
    else this.#groups = ranks.map(() => (parts ? this.#rng.int(2) : 0));
    if (!this.#timely) this.#queue.add(this.#nowMs + CUT_MS, () => this.#cut());
  }

  get #timely(): boolean {
    return this.#nowMs >= this.#options.timelyFromMs;
  }

  #wake(peer: Peer): void {
    const life = peer.life;
    this.#after(this.#rng.int(50), peer, life, { type: 'can-compose' });
    this.#after(this.#rng.int(100), peer, life, { type: 'block-wanted' });
  }

  #after(delayMs: number, peer: Peer, life: number, event: PeerEvent): void {
    this.#queue.add(this.#nowMs + delayMs, () => {
      if (peer.up && peer.life === life) this.#handle(peer, event);
    });
  }

  #handle(peer: Peer, event: PeerEvent): void {
    const before = peer.state;
    if (this.#options.freeze) deepFreeze(before);
    const { state, effects } = step(peer.context, before, { ...event, nowMs: this.#nowMs } as EngineEvent);
    peer.state = state;
    if (state.round > before.round && event.type !== 'timer') this.#coverage.jumps += 1;
    if (before.locked !== null && state.locked?.blockHash !== before.locked.blockHash) this.#coverage.relocks += 1;
    this.#coverage.highestRound = Math.max(this.#coverage.highestRound, state.round);
    const crashes = !this.#timely && effects.length > 0 && this.#rng.chance(this.#options.crashBefore);
    const done = crashes ? effects.slice(0, this.#rng.int(effects.length + 1)) : effects;
    for (const effect of done) this.#carryOut(peer, effect);
    if (crashes) this.#crash(peer);
  }

  #crash(peer: Peer): void {
    // What is decided is in the block store, which is not the engine's business.
    if (this.#invariants.decisions.has(peer.rank)) return;
    this.#coverage.crashes += 1;
    peer.up = false;
    peer.life += 1;
    this.#queue.add(this.#nowMs + this.#rng.int(500), () => {
      peer.up = true;
      const { state, effects } = restoreHeight(peer.context, peer.log);
      peer.state = state;
      for (const effect of effects) this.#carryOut(peer, effect);
      this.#wake(peer);
    });
  }

  #carryOut(peer: Peer, effect: EngineEffect): void {
    switch (effect.type) {
      case 'persist':
        peer.log.push(effect.record);
        break;
      case 'send-vote':
        this.#invariants.sends(peer.rank, effect.vote, peer.log);
        this.#transmit(peer.rank, effect.to, { type: 'votes', votes: [effect.vote] });
        break;
      case 'broadcast-votes':
        for (const vote of effect.votes) this.#invariants.sends(peer.rank, vote, peer.log);
        this.#broadcast(peer.rank, { type: 'votes', votes: effect.votes });
        break;
      case 'broadcast-proposal': {
        const { proposal, polVotes, block } = effect;
        if (proposal.polRound >= 0) this.#coverage.proposalsAgain += 1;
        this.#invariants.proposes(peer.rank, proposal, peer.log);
        this.#broadcast(peer.rank, {
          type: 'proposal',
          proposal,
          polVotes,
          block: { block, blockHash: proposal.blockHash },
        });
        break;
      }
      case 'schedule':
        this.#after(effect.delayMs, peer, peer.life, { type: 'timer', timer: effect.timer });
        break;
      case 'compose': {
        // The content differs after a restart, so that proposing again instead of resending would be seen.
        const content = `life ${peer.life} at ${this.#nowMs}`;
        const composed = fakeBlock(peer.rank, effect.round, content);
        this.#after(this.#rng.int(20), peer, peer.life, { type: 'composed', round: effect.round, ...composed });
        break;
      }
      case 'fetch-block':
        this.#coverage.fetches += 1;
        for (const other of this.#peers.values()) this.#serve(other, peer, effect.blockHash);
        break;
      case 'decide':
        this.#invariants.decides(peer.rank, effect.certificate.blockHash, effect.certificate);
        break;
      case 'conflict':
        this.#coverage.conflicts += 1;
        break;
    }
  }

  #serve(from: Peer, to: Peer, blockHash: Hash): void {
    const block = from.up ? heldBlock(from.state, blockHash) : null;
    if (block === null || this.#isLost(from.rank, to.rank)) return;
    this.#queue.add(this.#nowMs + this.#delayMs(), () => {
      if (to.up) this.#handle(to, { type: 'block', block, blockHash });
    });
  }

  #broadcast(from: MemberRank, message: Message): void {
    for (let to = 0; to < this.#options.members; to++) if (to !== from) this.#transmit(from, to, message);
  }

  #transmit(from: MemberRank, to: MemberRank, message: Message): void {
    const copies = this.#isLost(from, to) ? 0 : this.#rng.chance(0.1) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      this.#queue.add(this.#nowMs + this.#delayMs(), () => this.#deliver(from, to, message));
    }
  }

  #deliver(from: MemberRank | null, to: MemberRank, message: Message): void {
    const peer = this.#peers.get(to);
    if (peer === undefined) {
      this.#adversary.sees(message);
      return;
    }
    if (!peer.up) return;
    const { decision } = peer.state;
    const sender = from === null ? undefined : this.#peers.get(from);
    if (decision === null) {
      if (message.type === 'votes') this.#handle(peer, message);
      else this.#handle(peer, { ...message, block: message.block.block });
    } else if (sender !== undefined && sender.state.decision === null) {
      // The peer's block sync, which serves a member that is behind.
      this.#transmit(to, sender.rank, { type: 'votes', votes: decision.certificate.votes });
    }
  }

  #isLost(from: MemberRank, to: MemberRank): boolean {
    const parted = this.#groups[from] !== this.#groups[to] && this.#peers.has(to);
    const lost = !this.#timely && (parted || this.#rng.chance(this.#options.lossBefore));
    if (lost) this.#coverage.lostMessages += 1;
    return lost;
  }

  #delayMs(): number {
    return 1 + this.#rng.int(this.#timely ? TIMELY_MS : LATE_MS);
  }
}

interface Appointment {
  readonly atMs: number;
  readonly order: number;
  readonly action: () => void;
}

/** Earliest first, ties in the order of entry (binary heap). */
class Agenda {
  readonly #heap: Appointment[] = [];
  #order = 0;

  add(atMs: number, action: () => void): void {
    const heap = this.#heap;
    const item = { atMs, order: this.#order++, action };
    let index = heap.push(item) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (precedes(heap[parent] as Appointment, item)) break;
      heap[index] = heap[parent] as Appointment;
      index = parent;
    }
    heap[index] = item;
  }

  take(): Appointment | null {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (first === undefined || last === undefined) return null;
    if (heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && precedes(heap[child + 1] as Appointment, heap[child] as Appointment)) child += 1;
      if (precedes(last, heap[child] as Appointment)) break;
      heap[index] = heap[child] as Appointment;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}

function precedes(a: Appointment, b: Appointment): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
