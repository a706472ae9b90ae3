import { blockHash, decodeBlock, signBatch } from '../../src/chain/index.ts';
import type { Hash } from '../../src/chain/types.ts';
import type { DigestSigner, MemberSigner } from '../../src/crypto/index.ts';
import { decodeJournalEntry } from '../../src/peer/journal.ts';
import { Peer } from '../../src/peer/peer.ts';
import type { Outgoing, PeerEvent, PeerOptions, PeerOutput } from '../../src/peer/ports.ts';
import { poegParametersOf, signAnnouncement, singletonScoreWh } from '../../src/poeg/index.ts';
import { decodeMessage, encodeMessage } from '../../src/wire/messages.ts';
import { SimulatedDisk } from '../world/disk.ts';
import { type WorldChain, worldChain } from '../world/genesis.ts';

export const START_MS = 1_700_000_000_000;
const LATENCY_MS = 5;
/** What a hostile member has heard, newest last: the stock that it replays and damages. */
const HEARD = 200;

export const OPTIONS: PeerOptions = {
  timeouts: { proposeMs: 200, prevoteMs: 100, precommitMs: 100, stepMs: 50, collectMs: 80, resendMs: 150 },
  txPatienceMs: 150,
  minBlockIntervalMs: 0,
  slotPaceMs: 100,
  readyTimeoutMs: 500,
  statusMs: 200,
  syncTimeoutMs: 400,
  maxPoolTransactions: 2_000,
};

interface Villager {
  readonly rank: number;
  readonly disk: SimulatedDisk;
  readonly peer: Peer;
  readonly timers: Map<string, number>;
}

/** What an output of one event may hold at most; a peer that does more can be made to work for whoever sends little. */
const MOST_PER_EVENT = { sends: 40, timers: 40, notices: 60, sentBytes: 1_200_000 };

/**
 * Three honest peers of a chain of four under a virtual clock, on a fair network, and a fourth member, `hostile`, whose
 * keys are in the hands of the test. Everything that an honest peer puts on the disk or on the network is checked.
 */
export class Village {
  readonly chain: WorldChain = worldChain({
    seed: 'village',
    members: 4,
    clock: 'ready',
    slotMs: 1_000,
    genesisTimeMs: START_MS,
  });
  readonly hostile = 3;
  readonly villagers: readonly Villager[];
  readonly heard: Uint8Array[] = [];
  readonly #events: { readonly atMs: number; readonly run: () => void }[] = [];
  readonly #signed = new Map<string, string>();
  #nowMs = START_MS;
  #payments = 0;

  constructor() {
    this.villagers = [0, 1, 2].map((rank) => {
      const disk = new SimulatedDisk();
      const modules = { signer: this.signer(rank), source: this.#household(rank), reader: disk };
      return { rank, disk, peer: new Peer(this.chain.rules, OPTIONS, modules, disk.load()), timers: new Map() };
    });
    for (const villager of this.villagers) this.#tell(villager, { type: 'start' });
    for (const villager of this.villagers)
      for (const member of [0, 1, 2, 3])
        if (member !== villager.rank) this.#tell(villager, { type: 'connection', member, up: true });
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  get heads(): readonly number[] {
    return this.villagers.map(({ disk }) => disk.commits.length);
  }

  signer(rank: number): MemberSigner {
    return this.chain.signers[rank] as MemberSigner;
  }

  meter(rank: number): DigestSigner {
    return this.chain.meters[rank] as DigestSigner;
  }

  keyOf(rank: number): string {
    return this.signer(rank).publicKey;
  }

  at(rank: number): Villager {
    return this.villagers[rank % this.villagers.length] as Villager;
  }

  /** Hashes of blocks that the hostile member has heard of, newest last, and of the last committed one. */
  blockHashes(): Hash[] {
    const hashes: Hash[] = [];
    for (const bytes of this.heard) {
      const message = decodeMessage(bytes);
      if (message.type === 'proposal') hashes.push(message.proposal.blockHash);
    }
    const last = this.at(0).disk.commits.at(-1);
    return last === undefined ? hashes : [...hashes, last.blockHash];
  }

  /** The hostile member sends bytes to an honest one. */
  attack(rank: number, bytes: Uint8Array): PeerOutput {
    const output = this.#tell(this.at(rank), {
      type: 'message',
      from: this.hostile,
      sender: this.keyOf(this.hostile),
      bytes,
    });
    const sentBytes = output.sends.reduce((sum, send) => sum + send.bytes.length, 0);
    const did = {
      sends: output.sends.length,
      timers: output.timers.length,
      notices: output.notices.length,
      sentBytes,
    };
    for (const [what, most] of Object.entries(MOST_PER_EVENT))
      if (did[what as keyof typeof did] > most)
        throw new Error(`one message of ${bytes.length} bytes made a peer produce ${JSON.stringify(did)}`);
    return output;
  }

  /** An honest client pays something. */
  pay(): void {
    const to = this.keyOf(1);
    const batch = signBatch(
      {
        chainId: this.chain.rules.chainId,
        firstNonce: this.#payments,
        operations: [{ type: 'transfer', asset: 'upos', to, amount: 1n }],
      },
      this.signer(0),
    );
    this.#payments += 1;
    for (const villager of this.villagers)
      this.#tell(villager, { type: 'submit', bytes: encodeMessage({ type: 'batch', batch }) });
  }

  /** Payments of honest clients that every honest peer has executed. */
  get paid(): number {
    return Math.min(...this.villagers.map(({ peer }) => peer.view.state.ledger.accounts[0]?.nonce ?? 0));
  }

  get payments(): number {
    return this.#payments;
  }

  elapse(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (let next = this.#events[0]; next !== undefined && next.atMs <= endMs; next = this.#events[0]) {
      this.#events.shift();
      this.#nowMs = next.atMs;
      next.run();
    }
    this.#nowMs = endMs;
  }

  /** Lets the honest peers go on until `isDone`; throws when they have not come that far within `boundMs`. */
  settle(boundMs: number, isDone: () => boolean): void {
    const endMs = this.#nowMs + boundMs;
    while (!isDone()) {
      if (this.#nowMs >= endMs) throw new Error(`no progress within ${boundMs} ms: ${this.describe()}`);
      this.elapse(50);
    }
  }

  describe(): string {
    return this.villagers
      .map(({ rank, disk, peer: { view } }) => `${rank}: h${disk.commits.length} r${view.round} ${view.state.phase}`)
      .join(', ');
  }

  #household(rank: number): { contributions(slot: number): Uint8Array[] } {
    const { chainId, genesis } = this.chain.rules;
    return {
      contributions: (slot) => {
        const balance = { rank, productionWh: BigInt(1_000 * rank + slot), consumptionWh: 1_500n };
        const scoreWh = singletonScoreWh(poegParametersOf(genesis), balance);
        return [signAnnouncement({ chainId, slot: slot + 1, ...balance, scoreWh }, this.signer(rank).sign)];
      },
    };
  }

  #tell(
    villager: Villager,
    event: PeerEvent extends infer E ? (E extends { nowMs: number } ? Omit<E, 'nowMs'> : never) : never,
  ): PeerOutput {
    const output = villager.peer.handle({ ...event, nowMs: this.#nowMs } as PeerEvent);
    for (const { id, delayMs } of output.timers) {
      const dueMs = this.#nowMs + delayMs;
      villager.timers.set(id, dueMs);
      this.#at(delayMs, () => {
        if (villager.timers.get(id) !== dueMs) return;
        villager.timers.delete(id);
        this.#tell(villager, { type: 'timer', id });
      });
    }
    this.#checkWrites(villager, output);
    villager.disk.sync(output.writes);
    for (const send of output.sends) this.#transmit(villager, send);
    return output;
  }

  /** Nothing is signed twice, nothing of another member gets into the journal, and all honest commits are one chain. */
  #checkWrites({ rank }: Villager, { writes }: PeerOutput): void {
    for (const write of writes) {
      if (write.type === 'commit') {
        const { height, blockHash: hash, block } = write.commit;
        if (blockHash(decodeBlock(block).header) !== hash)
          throw new Error(`height ${height} is stored with other bytes`);
        this.#once(`commit/${height}`, hash);
        continue;
      }
      const entry = decodeJournalEntry(write.bytes);
      if (entry === null) throw new Error('an unreadable journal entry');
      if (entry.type === 'contribution') {
        const slot = this.chain.rules.application.checkContribution(
          this.chain.rules.genesis,
          this.chain.rules.chainId,
          entry.bytes,
          this.at(rank).peer.view.state.slot,
        );
        if (!slot.ok || slot.contribution.author !== rank)
          throw new Error('the journal holds what its peer has not said');
        this.#once(`contribution/${slot.contribution.key}`, 'signed');
        continue;
      }
      if (entry.type !== 'engine') continue;
      const { record } = entry;
      if (record.type === 'vote') {
        const { vote } = record;
        if (vote.voter !== rank) throw new Error(`member ${rank} journals a vote of member ${vote.voter}`);
        this.#once(`${rank}/${vote.type}/${vote.height}/${vote.round}`, `${vote.blockHash}/${vote.signature}`, true);
      } else if (record.type === 'proposal') {
        const { proposal } = record;
        if (proposal.proposer !== rank) throw new Error(`member ${rank} journals a proposal of ${proposal.proposer}`);
        this.#once(`${rank}/proposal/${proposal.height}/${proposal.round}`, proposal.signature, true);
      } else {
        const { height } = record.block.header;
        this.#once(`${rank}/${record.type}/${height}/${record.round}`, record.blockHash, true);
      }
    }
  }

  /** `isOnly`: not even the same thing a second time. */
  #once(key: string, value: string, isOnly = false): void {
    const before = this.#signed.get(key);
    if (before !== undefined && (isOnly || before !== value)) throw new Error(`a second ${key}: ${before}, ${value}`);
    this.#signed.set(key, value);
  }

  #transmit(from: Villager, outgoing: Outgoing): void {
    const isHeard = outgoing.type === 'broadcast' || outgoing.to === this.keyOf(this.hostile);
    if (isHeard) {
      this.heard.push(outgoing.bytes);
      if (this.heard.length > HEARD) this.heard.shift();
    }
    for (const villager of this.villagers) {
      if (villager === from || (outgoing.type === 'send' && outgoing.to !== this.keyOf(villager.rank))) continue;
      this.#at(LATENCY_MS, () => {
        const sender = this.keyOf(from.rank);
        const { verdict, code } = this.#tell(villager, {
          type: 'message',
          from: from.rank,
          sender,
          bytes: outgoing.bytes,
        });
        if (verdict === 'reject') throw new Error(`member ${villager.rank} rejects honest ${from.rank}: ${code}`);
      });
    }
  }

  #at(delayMs: number, run: () => void): void {
    const atMs = this.#nowMs + delayMs;
    // Nearly always at the end or close to it.
    let place = this.#events.length;
    while (place > 0 && (this.#events[place - 1]?.atMs as number) > atMs) place -= 1;
    this.#events.splice(place, 0, { atMs, run });
  }
}
