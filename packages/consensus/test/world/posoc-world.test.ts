import { describe, expect, it } from 'vitest';
import { decodeBlock } from '../../src/chain/index.ts';
import { electionListOf } from '../../src/election/index.ts';
import { genesisState } from '../../src/execution/index.ts';
import type { PeerLike } from '../../src/misbehaviour/index.ts';
import type { PosocState } from '../../src/posoc/index.ts';
import { POSOC_ACCOUNTS, slotsPerDay } from '../../src/posoc/index.ts';
import { decodePayload } from '../../src/posoc/payload.ts';
import { decodeMessage } from '../../src/wire/messages.ts';
import { POSOC_LIFE, ROUNDS_PER_DAY } from './posoc-life.ts';
import { wipedWorldOf, worldOf } from './run.ts';
import { World } from './world.ts';
import { FAIR, type WorldFault, type WorldOptions } from './world-options.ts';

const only = process.env.WORLD_SEED;
const seeds = only === undefined ? Array.from({ length: 12 }, (_, k) => k + 1) : [Number(only)];
const DAY = slotsPerDay(ROUNDS_PER_DAY);

/** The weather of a PoEG world, over two days of EVs that hurry. */
function posocWorld(seed: number, more: Partial<WorldOptions> = {}): WorldOptions {
  return {
    ...worldOf(seed),
    life: POSOC_LIFE,
    slotPaceMs: 20,
    slotMs: 1_000,
    stormMs: 9_000,
    transactions: 3,
    ...more,
  };
}

function run(options: WorldOptions, slots: number): World {
  const world = new World(options);
  try {
    world.storm();
    const reached = Math.max(...world.nodes.map(({ peer }) => peer?.view.state.slot ?? 0));
    world.calm(180_000, () => world.isAtRest(Math.max(slots, reached + 2)));
    return world;
  } catch (error) {
    throw new Error(`PoSOC world ${options.seed}: ${(error as Error).message}`, { cause: error });
  }
}

/** The learning rounds on a peer's chain: who composed, what was listed, and which model came out. */
function roundsOf(world: World, rank: number) {
  return (world.nodes[rank]?.disk.commits ?? []).flatMap(({ block: bytes }) => {
    const { header, payload } = decodeBlock(bytes);
    if (header.kind !== 'settlement') return [];
    const { results, updates } = decodePayload(payload);
    if (results.model === null) return [];
    const { composer, composingRound, slot } = header;
    return [{ slot, composer, composingRound, ...results.model, updates: updates.map(({ rank: author }) => author) }];
  });
}

const appOf = (world: World, rank: number) => world.nodes[rank]?.peer?.view.state.app as PosocState;

describe('EVs in the seeded world', () => {
  it.each(seeds)('hold one model for each round on every peer, and keep every invariant, under seed %i', (seed) => {
    const world = run(posocWorld(seed), DAY + 4);
    const byPeer = world.nodes.map(({ rank }) => roundsOf(world, rank));
    const [longest] = byPeer.toSorted((a, b) => b.length - a.length);
    expect(longest?.length).toBeGreaterThanOrEqual(ROUNDS_PER_DAY);
    for (const rounds of byPeer) expect(rounds).toEqual(longest?.slice(0, rounds.length));
    expect(longest?.some(({ isAggregated }) => isAggregated)).toBe(true);
    // Whoever is at the head holds the model itself, however it got there.
    for (const { rank, peer } of world.nodes) expect(peer?.blobs.get(appOf(world, rank).modelHash)).not.toBeNull();
  });

  it.each(seeds.slice(0, 5))('go on when one of them loses its disk, under seed %i', (seed) => {
    const { weather, lostDisk, members } = wipedWorldOf(seed);
    const world = run(
      posocWorld(seed, { weather: { ...weather, crashesPerSecond: 4 }, lostDisk: lostDisk as number, members }),
      DAY + 4,
    );
    expect(world.wipes).toBeGreaterThan(0);
    const byPeer = world.nodes.map(({ rank }) => roundsOf(world, rank));
    const [longest] = byPeer.toSorted((a, b) => b.length - a.length);
    expect(longest?.length).toBeGreaterThanOrEqual(ROUNDS_PER_DAY);
    for (const rounds of byPeer) expect(rounds).toEqual(longest?.slice(0, rounds.length));
  });

  it('gives the same trace for the same seed', () => {
    expect(run(posocWorld(5), DAY).trace).toBe(run(posocWorld(5), DAY).trace);
  });

  it('loses no round and no vote in fair weather', () => {
    const world = run(posocWorld(2, { weather: FAIR, clock: 'ready', members: 4, stormMs: 4_000 }), 2 * DAY + 2);
    const rounds = roundsOf(world, 0);
    expect(rounds.every(({ composingRound, updates }) => composingRound === 0 && updates.length === 4)).toBe(true);
    expect(new Set(rounds.map(({ hash }) => hash)).size).toBe(rounds.length);
    // EV 1 has paid for no more than its second day.
    expect(appOf(world, 0).held.every(({ rank }) => rank === 1)).toBe(true);
  });
});

describe('an EV that was away', () => {
  it('learns of days whose bytes nobody has any more, and fetches the model that counts now', () => {
    const gone = 3;
    const world = new World(posocWorld(4, { weather: FAIR, clock: 'ready', members: 4, stormMs: 1_500 }));
    world.storm();
    world.crash(gone);
    world.advanceUntil(240_000, () => (world.nodes[0]?.peer?.view.state.slot ?? 0) >= 2 * DAY + 5);
    const missed = roundsOf(world, 0);
    const { disk } = world.nodes[0] as World['nodes'][number];
    expect(missed.filter(({ hash }) => disk.blob(hash) === null).length).toBeGreaterThan(0);
    world.calm(60_000, () => world.isAtRest(2 * DAY + 8));
    expect(roundsOf(world, gone).slice(0, missed.length)).toEqual(missed);
    expect(world.nodes[gone]?.peer?.blobs.get(appOf(world, gone).modelHash)).not.toBeNull();
  });
});

describe('an EV that keeps the share of its aggregator', () => {
  it('has its whole profit held on every peer, until the day on which it pays', () => {
    const selfish = 1;
    // A seed under which its random actions earn something on the third day, and another EV aggregates.
    const world = new World(posocWorld(8, { weather: FAIR, clock: 'ready', members: 4, stormMs: 1_500 }));
    world.storm();
    const at = (slot: number) =>
      world.advanceUntil(480_000, () => world.nodes.every(({ peer }) => (peer?.view.state.slot ?? 0) >= slot));
    const escrowOf = (rank: number) =>
      world.nodes[rank]?.peer?.view.state.ledger.accounts[4 + POSOC_ACCOUNTS.escrow]?.clearingMicro;
    // It pays on odd days; the first day's aggregator is not drawn by score and takes nothing.
    at(3 * DAY);
    for (const { rank } of world.nodes) {
      const [held, ...others] = appOf(world, rank).held;
      expect(others).toEqual([]);
      expect(held).toMatchObject({ rank: selfish });
      expect(held?.profitMicro).toBeGreaterThan(0n);
      expect(escrowOf(rank)).toBe(held?.profitMicro);
    }
    const [held] = appOf(world, 0).held;
    const before = appOf(world, 0).totals;
    at(4 * DAY);
    for (const { rank } of world.nodes) {
      const { held: rest, totals } = appOf(world, rank);
      expect([rest, escrowOf(rank)]).toEqual([[], 0n]);
      const feeMicro = (totals[selfish]?.feeMicro ?? 0n) - (before[selfish]?.feeMicro ?? 0n);
      expect(feeMicro).toBeGreaterThanOrEqual(held?.feeMicro as bigint);
    }
  });
});

const WRONG_MODEL = [{ name: 'invalid-block', parameters: { kind: 'wrong-model' } }];

describe('an aggregator that is not what it should be', () => {
  const fair = { weather: FAIR, clock: 'ready' as const, members: 4, stormMs: 3_000 };
  const { rules } = new World(posocWorld(6, fair)).chain;
  /** Who aggregates on the first day. */
  const faulty = electionListOf(rules, genesisState(rules), null)[0]?.rank as number;

  const observer = faulty === 0 ? 1 : 0;
  const headOf = (world: World) => ((world.nodes[observer] as World['nodes'][number]).peer as PeerLike).view.state;
  const stakeOf = (rank: number) => rules.genesis.members[rank]?.stakeMicro as bigint;
  /** What each member has lost of its stake. */
  const lossesIn = (world: World) =>
    headOf(world)
      .ledger.accounts.slice(0, 4)
      .map(({ stakeMicro }, rank) => stakeOf(rank) - stakeMicro);

  it('that publishes a wrong model is slashed, and the next in the list finishes the round', () => {
    const world = run(posocWorld(6, { ...fair, misbehaving: { [faulty]: WRONG_MODEL } }), DAY + 2);
    const rounds = roundsOf(world, observer);
    expect(rounds.filter(({ composer }) => composer === faulty)).toEqual([]);
    // Whoever lied once stands at the end of the list for the rest of the day.
    expect(rounds.slice(0, ROUNDS_PER_DAY).map(({ composingRound }) => composingRound)).toEqual([1, 0, 0]);
    const { slashPpm, refusalPenaltyMicro } = rules.genesis.penalties;
    // The wrong block's round passed without an acceptable proposal as well.
    const slashedMicro = (stakeOf(faulty) * BigInt(slashPpm)) / 1_000_000n + refusalPenaltyMicro;
    expect(lossesIn(world)).toEqual(rules.genesis.members.map((_, rank) => (rank === faulty ? slashedMicro : 0n)));
    expect(headOf(world).discipline.jailedThrough.flatMap((through, rank) => (through > 0 ? [rank] : []))).toEqual([
      faulty,
    ]);
    expect(rounds.every(({ isAggregated, updates }) => isAggregated && updates.length === 4)).toBe(true);
  });

  it('signs two model updates for one slot, and is slashed for it although no block could hold both', () => {
    const world = run(posocWorld(6, { ...fair, misbehaving: { [faulty]: [{ name: 'announce-twice' }] } }), DAY + 2);
    const { jailedThrough, punished } = headOf(world).discipline;
    expect(jailedThrough.flatMap((through, rank) => (through > 0 ? [rank] : []))).toEqual([faulty]);
    expect(punished.map(({ key }) => key)).toContain(`contributions/update/${DAY - ROUNDS_PER_DAY}/${faulty}`);
    expect(roundsOf(world, observer).every(({ updates }) => !updates.includes(faulty))).toBe(true);
  });

  it('that falls silent when it should aggregate is passed over', () => {
    const silent: WorldFault = {
      rank: faulty,
      withholds: (outgoing, peer) =>
        decodeMessage(outgoing.bytes).type === 'proposal' && peer.view.state.slot % DAY >= DAY - ROUNDS_PER_DAY,
    };
    const world = run(posocWorld(6, { ...fair, faults: [silent] }), DAY + 2);
    const rounds = roundsOf(world, observer);
    expect(rounds.filter(({ composer }) => composer === faulty)).toEqual([]);
    // The timeout certificate of its closing block moves it to the end of the list for the rest of the day.
    expect(rounds.slice(0, ROUNDS_PER_DAY).map(({ composingRound }) => composingRound)).toEqual([0, 0, 0]);
    const { refusalPenaltyMicro } = rules.genesis.penalties;
    expect(lossesIn(world)).toEqual(
      rules.genesis.members.map((_, rank) => (rank === faulty ? refusalPenaltyMicro : 0n)),
    );
    expect(headOf(world).discipline.jailedThrough.every((through) => through === 0)).toBe(true);
  });
});
