import { describe, expect, test } from 'vitest';
import type { Contribution } from '../../src/application/types.ts';
import { conservationFaults } from '../../src/ledger/index.ts';
import { decodePayload, type OfflineSlot, offlineTotals, type PoegState } from '../../src/poeg/index.ts';
import { type Household, PoegChain } from '../fixtures/poeg-chain.ts';
import { announceAll, clearing, totalsOf } from './slots.ts';

/** Deterministic pseudo-random numbers below `limit`, for households that are nobody's round numbers. */
function lehmer(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % limit;
  };
}

function neighbourhood(size: number, seed: number): Household[] {
  const below = lehmer(seed);
  return Array.from({ length: size }, () => ({
    x: below(20_000) / 1_000,
    y: below(20_000) / 1_000,
    productionWh: BigInt(below(14_000)),
    consumptionWh: BigInt(below(20_000)),
  }));
}

describe('a run', () => {
  test('ends with the totals that the markets alone give', () => {
    const size = 8;
    const homes = neighbourhood(size, 3);
    const chain = new PoegChain(homes);
    const below = lehmer(99);
    const slots: OfflineSlot[] = [];
    const announcedIn: { rank: number; productionWh: bigint; consumptionWh: bigint }[][] = [];
    const lastSlot = 7;
    for (let slot = 0; slot <= lastSlot; slot += 1) {
      const announced = homes
        .map((home, rank) => ({
          rank,
          productionWh: home.productionWh + BigInt(below(6_000)),
          consumptionWh: home.consumptionWh + BigInt(below(2_000)),
        }))
        .filter(() => below(10) > 1);
      const readings = (announcedIn[slot - 2] ?? [])
        .filter(() => below(10) > 0)
        .map(({ rank, productionWh, consumptionWh }) => ({
          rank,
          producedWh: productionWh + BigInt(below(500)),
          consumedWh: consumptionWh,
        }));
      const composingRound = slot === 5 ? size - 1 : 0;
      chain.grow('closing', { composingRound });
      // A peer learns seed and draw from the state before the settlement; the offline run needs nothing else.
      const seed = chain.state.election.seed!;
      const open = (chain.state.app as PoegState).open;
      const settlement = chain.grow('settlement', {
        composingRound,
        contributions: [
          ...announced.map((balance) => chain.announcement(slot + 1, balance.rank, balance)),
          ...readings.map((read) => chain.reading(slot - 1, read.rank, read.producedWh, read.consumedWh)),
        ],
      });
      const { composer } = settlement.block.header;
      const drawn = open?.announced.length !== 0 && composingRound === 0;
      if (slot > 0) slots[slot - 1] = { ...slots[slot - 1]!, closed: { miner: drawn ? composer : null } };
      if (slot > 1) slots[slot - 2] = { ...slots[slot - 2]!, metered: readings };
      slots.push({ seed, announced, closed: null, metered: [] });
      announcedIn.push(announced);
      expect(conservationFaults(chain.state.ledger)).toEqual([]);
    }
    const publicKeys = chain.rules.genesis.members.map(({ publicKey }) => publicKey);
    const totals = totalsOf(chain);
    expect(offlineTotals({ parameters: chain.parameters, publicKeys, slots })).toEqual(totals);
    // The comparison says something only if there was something to compare.
    expect(totals.settledSlots).toBe(lastSlot);
    expect(totals.energyTradedWh).toBeGreaterThan(10_000n);
    expect(totals.rewardMicro).toBeGreaterThan(0n);
    expect(totals.members.some(({ deviationMicro }) => deviationMicro > 0n)).toBe(true);
    expect(slots.some(({ closed }) => closed?.miner === null)).toBe(true);
    const paid = totals.members.map(({ billMicro, deviationMicro }) => -billMicro - deviationMicro);
    expect(clearing(chain).slice(0, size)).toEqual(paid);
  });

  test('comes out the same whatever order the gossip arrived in', () => {
    const homes = neighbourhood(7, 5);
    const run = (order: (contributions: Contribution[]) => Contribution[]) => {
      const chain = new PoegChain(homes);
      for (let slot = 0; slot < 4; slot += 1) {
        const readings =
          slot < 2 ? [] : homes.map((home, rank) => chain.reading(slot - 1, rank, home.consumptionWh, 7n));
        chain.settle(order([...announceAll(chain, slot + 1, homes), ...readings]));
      }
      return chain.blocks;
    };
    const inOrder = run((contributions) => contributions);
    const shuffled = run((contributions) => contributions.reverse().sort((a, b) => (a.author % 3) - (b.author % 3)));
    expect(shuffled.map(({ blockHash }) => blockHash)).toEqual(inOrder.map(({ blockHash }) => blockHash));
    expect(inOrder.at(-1)!.block.header.stateRoot).toBe(shuffled.at(-1)!.block.header.stateRoot);
  });

  test('gives every household the same whatever its key, and hence its rank, is', () => {
    const homes = neighbourhood(6, 8);
    const outcome = (places: readonly number[], seed: string) => {
      const chain = new PoegChain(
        places.map((home) => homes[home]!),
        { seed },
      );
      chain.settle(
        announceAll(
          chain,
          1,
          places.map((home) => homes[home]!),
        ),
      );
      const { results } = decodePayload(chain.blocks.at(-1)!.block.payload);
      const home = (rank: number) => places[rank]!;
      const byHome = <T>(items: readonly T[], key: (item: T) => string) =>
        [...items].sort((a, b) => (key(a) < key(b) ? -1 : 1));
      return {
        scores: byHome(
          results.scores.map((score) => ({ ...score, rank: home(score.rank) })),
          ({ rank }) => `${rank}`,
        ),
        trades: byHome(
          results.trades.map(({ seller, buyer, energyWh }) => ({ seller: home(seller), buyer: home(buyer), energyWh })),
          ({ seller, buyer }) => `${seller}-${buyer}`,
        ),
        partition: byHome(
          results.partition.map((one) => ({ ...one, members: one.members.map(home).sort((a, b) => a - b) })),
          ({ members }) => members.join(),
        ),
      };
    };
    const plain = outcome([0, 1, 2, 3, 4, 5], 'one');
    expect(plain.trades.length).toBeGreaterThan(1);
    expect(outcome([4, 2, 5, 0, 3, 1], 'other')).toEqual(plain);
    expect(outcome([5, 4, 3, 2, 1, 0], 'third')).toEqual(plain);
  });
});
