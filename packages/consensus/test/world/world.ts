import { type MemberSigner, sha256 } from '../../src/crypto/index.ts';
import { misbehavingPeer, type PeerLike } from '../../src/misbehaviour/index.ts';
import { Peer } from '../../src/peer/peer.ts';
import type { Outgoing, PeerEvent, PeerOptions, PeerOutput, StoreWrite } from '../../src/peer/ports.ts';
import type { Message } from '../../src/wire/messages.ts';
import { Clients } from './clients.ts';
import { SimulatedDisk } from './disk.ts';
import { EventQueue } from './event-queue.ts';
import type { WorldChain } from './genesis.ts';
import { Misfortunes } from './misfortunes.ts';
import { Monitors } from './monitors.ts';
import { POEG_LIFE } from './poeg-life.ts';
import { Rng } from './rng.ts';
import { InvariantViolation } from './violation.ts';
import { FAIR, type Weather, type WorldFault, type WorldLife, type WorldOptions } from './world-options.ts';
import { WriteQueue } from './write-queue.ts';

interface Node {
  readonly rank: number;
  readonly disk: SimulatedDisk;
  readonly skewMs: number;
  /** What jumps have added to the skew. */
  jumpMs: number;
  readonly isHonest: boolean;
  peer: PeerLike | null;
  /** Counts starts, so that what was meant for an earlier life is not delivered to a later one. */
  life: number;
  timers: Map<string, number>;
  /** The slot in which it has signed something later than at the slot's beginning. */
  signedIn: number;
  readonly writes: WriteQueue;
}

const CLIENTS_IN_THE_CALM = 2;
/** Fair weather for so long, and no honest member may be penalised any more. */
const GRACE_MS = 4_000;
const START_MS = 1_700_000_000_000;
/**
 * How soon a bundle is everywhere. Timers repair what was lost earlier: a resend, the next status message, a request that
 * is not answered in time and the one after it.
 */
const TIMELY = { deliveryMs: FAIR.maxDelayMs, repairMs: 2_000 };

const PEER_OPTIONS: PeerOptions = {
  timeouts: { proposeMs: 400, prevoteMs: 200, precommitMs: 200, stepMs: 100, collectMs: 150, resendMs: 300 },
  txPatienceMs: 300,
  minBlockIntervalMs: 0,
  slotPaceMs: 300,
  readyTimeoutMs: 1_500,
  statusMs: 400,
  syncTimeoutMs: 800,
  maxPoolTransactions: 5_000,
};

/**
 * Peers of one chain, unchanged, under a virtual clock, network and disk. One seed decides every delay, loss, duplicate,
 * crash and draw; the same seed gives the same trace. In the storm everything may happen; then the weather clears and the
 * world must come to rest: every peer at one head, every transaction of a client committed, slots closing.
 */
export class World {
  readonly chain: WorldChain;
  readonly monitors: Monitors;
  readonly nodes: Node[];
  readonly #accomplices: readonly number[];
  readonly #options: WorldOptions;
  readonly #rng: Rng;
  readonly #queue = new EventQueue();
  readonly #clients: Clients;
  readonly #misfortunes: Misfortunes<Node>;
  readonly #life: WorldLife;
  /** How often a disk was lost. */
  wipes = 0;
  #nowMs = START_MS;
  #weather: Weather;
  #trace = sha256(new Uint8Array());
  #events = 0;

  constructor(options: WorldOptions) {
    this.#options = options;
    this.#weather = options.weather;
    this.#rng = new Rng(options.seed);
    const { seed, members, clock, slotMs, quorum, misbehaving = {}, faults = [] } = options;
    const size = quorum === undefined ? { members } : { members, quorum };
    this.#life = options.life ?? POEG_LIFE;
    this.chain = this.#life.chain({ seed, ...size, clock, slotMs, genesisTimeMs: START_MS });
    const corrupt = new Set([...Object.keys(misbehaving).map(Number), ...faults.map(({ rank }) => rank)]);
    this.#accomplices = [...corrupt];
    this.monitors = new Monitors(this.chain.rules, this.#life.signedBy, corrupt, TIMELY, options.lostDisk);
    this.nodes = Array.from({ length: members }, (_, rank) => this.#nodeOf(rank, !corrupt.has(rank)));
    this.#misfortunes = new Misfortunes({
      rng: this.#rng,
      victims: this.nodes,
      weather: () => this.#weather,
      at: (delayMs, run) => this.#at(delayMs, run),
      crash: (node) => this.#crash(node),
      revive: (node) => this.#boot(node),
    });
    this.#clients = new Clients({
      chain: this.chain,
      rng: this.#rng,
      honest: () => this.honest,
      submit: (rank, bytes) => this.#handle(this.nodes[rank] as Node, { type: 'submit', bytes })?.verdict === 'accept',
      isFair: () => this.#weather === FAIR,
      height: () => this.monitors.height,
      promised: (id, dueHeight) => this.monitors.promised(id, dueHeight),
      at: (delayMs, run) => this.#at(delayMs, run),
    });
  }

  get honest(): readonly Node[] {
    return this.nodes.filter(({ isHonest }) => isHonest);
  }

  /** SHA-256 over everything that happened, in order. */
  get trace(): string {
    return this.#trace;
  }

  get events(): number {
    return this.#events;
  }

  get virtualMs(): number {
    return this.#nowMs - START_MS;
  }

  /** The storm: returns when its time is over. */
  storm(): void {
    for (const node of this.nodes) this.#at(this.#rng.below(50), () => this.#boot(node));
    for (let k = 0; k < this.#options.transactions; k += 1)
      this.#at(this.#rng.below(this.#options.stormMs), () => this.#clients.submit());
    this.#misfortunes.start();
    this.#runUntil(START_MS + this.#options.stormMs);
  }

  /** Fair weather: every peer up, every link timely. Runs until `isDone`, at most `boundMs` of virtual time. */
  calm(boundMs: number, isDone: (world: World) => boolean): void {
    this.#weather = FAIR;
    this.#misfortunes.end();
    for (const node of this.nodes) this.#boot(node);
    // A height may have been decided that is durable nowhere yet, and messages of the one after it be under way.
    this.monitors.bundles.timely(this.#nowMs, this.monitors.height + 3);
    this.#at(GRACE_MS, () => this.monitors.timelyFrom(this.monitors.height + 1));
    this.monitors.watchOffenders();
    // In fair weather nothing may keep them out.
    for (let k = 0; k < CLIENTS_IN_THE_CALM; k += 1) this.#clients.submit();
    const endMs = this.#nowMs + boundMs;
    while (this.#nowMs < endMs && !isDone(this)) this.#runUntil(Math.min(endMs, this.#nowMs + 100));
    if (!isDone(this)) throw new InvariantViolation(`8: not at rest ${boundMs} ms after the storm: ${this.describe()}`);
  }

  /** Takes a peer down until the calm. */
  crash(rank: number): void {
    this.#crash(this.nodes[rank] as Node);
  }

  /** Goes on in the weather that it is, at most `boundMs`, until `isDone`. */
  advanceUntil(boundMs: number, isDone: () => boolean): void {
    const endMs = this.#nowMs + boundMs;
    while (this.#nowMs < endMs && !isDone()) this.#runUntil(Math.min(endMs, this.#nowMs + 100));
    if (!isDone()) throw new InvariantViolation(`8: no progress within ${boundMs} ms: ${this.describe()}`);
  }

  /** Every peer has the same head, at least `height`, in slot `slot` or later, and no client waits. */
  isAtRest(slot: number): boolean {
    const views = this.honest.map(({ peer }) => peer?.view);
    return (
      views.every((view) => view !== undefined && view.state.slot >= slot) &&
      this.honest.every(({ disk }) => disk.commits.length >= this.monitors.height - 1) &&
      this.#unpunished().length === 0 &&
      this.#clients.waiting === 0
    );
  }

  /** Who has provably misbehaved in fair weather and got away with it so far. */
  #unpunished(): readonly number[] {
    const { discipline } = this.honest[0]?.peer?.view.state ?? { discipline: null };
    return [...this.monitors.offenders].filter((rank) => discipline?.jailedThrough[rank] === 0);
  }

  describe(): string {
    const peers = this.nodes.map(({ rank, peer, disk }) => {
      const view = peer?.view;
      return `${rank}:${view === undefined ? 'down' : `h${disk.commits.length} r${view.round} s${view.state.slot} ${view.state.phase} pool ${view.poolTransactions} sync ${view.syncTarget}`}`;
    });
    return `${peers.join(', ')}; ${this.#clients.waiting} clients wait; unpunished: ${this.#unpunished()}`;
  }

  // ---------------------------------------------------------------- peers

  #nodeOf(rank: number, isHonest: boolean): Node {
    const node: Node = {
      rank,
      disk: new SimulatedDisk(),
      skewMs: Math.round((this.#rng.unit() * 2 - 1) * this.#weather.maxSkewMs),
      jumpMs: 0,
      isHonest,
      peer: null,
      life: 0,
      timers: new Map(),
      signedIn: -1,
      writes: new WriteQueue({
        later: (run) => {
          const { life } = node;
          this.#at(1 + this.#rng.below(this.#weather.maxDiskMs), () => {
            if (node.life === life) run();
          });
        },
        sync: (writes) => this.#sync(node, writes),
        transmit: (send) => this.#transmit(node, send),
      }),
    };
    return node;
  }

  /** Starts a peer that is down. */
  #boot(node: Node): void {
    // A crash in the first moments may have brought it up already.
    if (node.peer !== null) return;
    const { rules, signers } = this.chain;
    const { seed, slotPaceMs = PEER_OPTIONS.slotPaceMs } = this.#options;
    const fault = this.#faultOf(node.rank);
    const honestSource = this.#life.source(this.chain, seed, node.rank);
    const source = fault?.source?.(honestSource) ?? honestSource;
    const signer = signers[node.rank] as MemberSigner;
    const modules = { signer, source, reader: node.disk };
    const kit = { rules, rank: node.rank, signer, accomplices: this.#accomplices };
    const choices = this.#options.misbehaving?.[node.rank] ?? [];
    node.life += 1;
    node.signedIn = -1;
    const built = misbehavingPeer(
      choices,
      kit,
      modules,
      (ports) => new Peer(rules, { ...PEER_OPTIONS, slotPaceMs }, ports, node.disk.load()),
    );
    node.peer = fault?.wrap?.(built, kit) ?? built;
    this.monitors.bundles.started(node.rank, node.disk.commits.length);
    this.#record(`boot ${node.rank}`);
    this.#handle(node, { type: 'start' });
    this.#considerLater(node);
    for (const other of this.nodes) if (other !== node && other.peer !== null) this.#connect(node, other);
  }

  #faultOf(rank: number): WorldFault | undefined {
    return this.#options.faults?.find((fault) => fault.rank === rank);
  }

  /** Once a slot, some time after it has begun and everything for it is there. */
  #considerLater(node: Node): void {
    const slot = node.peer?.view.state.slot;
    if (this.#life.later === undefined || node.peer === null || slot === undefined || node.signedIn === slot) return;
    const bytes = this.#life.later(this.chain, this.#options.seed, node.rank, node.peer);
    if (bytes === null) return;
    node.signedIn = slot;
    const life = node.life;
    this.#at(this.#rng.below(150), () => {
      if (node.life === life) this.#handle(node, { type: 'contribute', bytes });
    });
  }

  #connect(a: Node, b: Node): void {
    for (const [self, other] of [
      [a, b],
      [b, a],
    ] as const) {
      const life = self.life;
      this.#at(this.#delay(), () => {
        if (self.life === life && other.peer !== null)
          this.#handle(self, { type: 'connection', member: other.rank, up: true });
      });
    }
  }

  #crash(node: Node): void {
    if (node.peer === null) return;
    this.#record(`crash ${node.rank}`);
    node.disk.crash(node.writes.crash(), this.#rng, node.rank === this.#options.rottingDisk);
    if (node.rank === this.#options.lostDisk && this.#rng.chance(0.5)) {
      this.#record(`wipe ${node.rank}`);
      this.wipes += 1;
      node.disk.wipe();
    }
    node.peer = null;
    node.life += 1;
    node.timers.clear();
    for (const other of this.nodes)
      if (other !== node)
        this.#at(this.#delay(), () =>
          this.#handle(other, { type: 'connection', member: node.rank, up: node.peer !== null }),
        );
  }

  #handle(
    node: Node,
    event: PeerEvent extends infer E ? (E extends { nowMs: number } ? Omit<E, 'nowMs'> : never) : never,
  ): PeerOutput | null {
    if (node.peer === null) return null;
    const output = node.peer.handle({ ...event, nowMs: this.#nowMs + node.skewMs + node.jumpMs } as PeerEvent);
    const life = node.life;
    for (const { id, delayMs } of output.timers) {
      const dueMs = this.#nowMs + delayMs;
      node.timers.set(id, dueMs);
      this.#at(delayMs, () => {
        if (node.life !== life || node.timers.get(id) !== dueMs) return;
        node.timers.delete(id);
        this.#handle(node, { type: 'timer', id });
      });
    }
    this.monitors.signed(node.rank, output);
    for (const notice of output.notices)
      if (node.isHonest && notice.type === 'refused' && notice.what === 'block')
        this.monitors.refused(node.rank, notice.sender, notice.code, notice.reason);
    node.writes.push(output);
    if (output.notices.some(({ type }) => type === 'committed' || type === 'blob')) this.#considerLater(node);
    return output;
  }

  #sync(node: Node, writes: readonly StoreWrite[]): void {
    const before = node.disk.commits.length;
    node.disk.sync(writes);
    this.monitors.durable(this.#nowMs, node.rank, writes);
    for (const one of node.disk.commits.slice(before)) if (node.isHonest) this.#onDurable(node, one);
  }

  #onDurable(node: Node, commit: SimulatedDisk['commits'][number]): void {
    this.#record(`commit ${node.rank} ${commit.height} ${commit.blockHash}`);
    this.monitors.committed(node.rank, commit, node.disk);
  }

  // ---------------------------------------------------------------- network

  #transmit(from: Node, outgoing: Outgoing): void {
    if (from.peer !== null && this.#faultOf(from.rank)?.withholds?.(outgoing, from.peer)) return;
    const message = this.monitors.sent(from.rank, outgoing);
    const { members } = this.chain.rules.genesis;
    const targets =
      outgoing.type === 'broadcast'
        ? this.nodes.filter((node) => node !== from)
        : this.nodes.filter(({ rank }) => members[rank]?.publicKey === outgoing.to);
    for (const target of targets) {
      const copies = this.#rng.chance(this.#weather.duplicate) ? 2 : 1;
      for (let copy = 0; copy < copies; copy += 1) {
        if (this.#rng.chance(this.#weather.loss) || this.#misfortunes.isCut(from.rank, target.rank)) continue;
        const sender = members[from.rank]?.publicKey as string;
        const life = target.life;
        this.#at(this.#delay(), () => {
          if (target.life === life) this.#deliver(target, from.rank, sender, outgoing.bytes, message);
        });
      }
    }
  }

  #deliver(target: Node, from: number, sender: string, bytes: Uint8Array, message: Message | null): void {
    const output = this.#handle(target, { type: 'message', from, sender, bytes });
    if (message !== null && output !== null && output.verdict !== 'reject') this.monitors.arrived(target.rank, message);
    this.#record(`deliver ${from} ${target.rank} ${bytes.length} ${output?.verdict}`);
    if (output?.verdict === 'reject' && target.isHonest && this.nodes[from]?.isHonest === true)
      throw new InvariantViolation(
        `3: member ${target.rank} rejects a message of honest member ${from}: ${output.code}`,
      );
  }

  #delay(): number {
    const { minDelayMs, maxDelayMs, straggler } = this.#weather;
    const delay = minDelayMs + this.#rng.unit() * (maxDelayMs - minDelayMs);
    return Math.round(this.#rng.chance(straggler) ? delay * 10 : delay);
  }

  // ---------------------------------------------------------------- time

  #at(delayMs: number, run: () => void): void {
    this.#queue.push(this.#nowMs + Math.max(0, delayMs), run);
  }

  #runUntil(endMs: number): void {
    for (let next = this.#queue.pop(endMs); next !== null; next = this.#queue.pop(endMs)) {
      this.monitors.bundles.check(next.atMs);
      this.#nowMs = next.atMs;
      this.#events += 1;
      next.run();
    }
    this.#nowMs = endMs;
  }

  #record(what: string): void {
    this.#trace = sha256(new TextEncoder().encode(`${this.#trace} ${this.#nowMs} ${what}`));
  }
}
