import { describe, expect, test } from 'vitest';
import { conservationFaults } from '../../src/ledger/index.ts';
import { decodePayload, poegParametersOf, tieWeight } from '../../src/poeg/index.ts';
import { formMarket } from '../../src/poeg/slot-market.ts';
import { type Household, PoegChain, PRICES, WORKED4 } from '../fixtures/poeg-chain.ts';
import { announceAll, clearing, totalsOf } from './slots.ts';

describe('the worked example of chapter 3', () => {
  const chain = new PoegChain(WORKED4);
  const bootstrap = chain.settle(announceAll(chain, 1));
  const first = chain.settle(announceAll(chain, 2));

  test('forms one coalition with the trades, scores and savings of the text', () => {
    const { results } = decodePayload(bootstrap.block.payload);
    expect(results.partition).toEqual([
      { members: [0, 1, 2, 3], valueHalfNanoWh: 987_433_990_000n, proofScoreWh: 11_113n },
    ]);
    expect(results.trades).toEqual([
      { seller: 0, buyer: 1, energyWh: 2_000n },
      { seller: 0, buyer: 2, energyWh: 6_000n },
      { seller: 3, buyer: 1, energyWh: 3_000n },
    ]);
    expect(results.scores).toEqual([
      { rank: 0, singletonScoreWh: 7_680n, proofScoreWh: 7_907n },
      { rank: 1, singletonScoreWh: 0n, proofScoreWh: 75n },
      { rank: 2, singletonScoreWh: 0n, proofScoreWh: 143n },
      { rank: 3, singletonScoreWh: 2_940n, proofScoreWh: 2_988n },
    ]);
  });

  test('draws single members after the bootstrap slot, the best one first, and coalitions from then on', () => {
    const stateAfterBootstrap = chain.blocks.find(({ state }) => state.height === 2)!.state;
    expect(stateAfterBootstrap.election).toMatchObject({
      first: 0,
      seed: null,
      candidates: [7_680n, 0n, 0n, 2_940n].map((weight, rank) => ({
        members: [rank],
        miner: rank,
        successors: [],
        weight,
      })),
    });
    expect(chain.state.election).toMatchObject({
      first: null,
      candidates: [{ members: [0, 1, 2, 3], miner: 0, successors: [3, 2, 1], weight: 11_113n }],
    });
    expect(first.block.header.composer).toBe(0);
  });

  test('shares the reward by Shapley value, 0.2010 0.1028 0.1364 0.0535 of 0.4937', () => {
    const { rewards } = decodePayload(first.block.payload).results;
    // 10 % of 0.493716995 kWh at 0.19 per kWh.
    expect(rewards.rewardMicro).toBe(9_380n);
    expect(rewards.rewarded).toEqual([0, 1, 2, 3]);
    expect(rewards.bills.map(({ shareMicro }) => shareMicro)).toEqual([3_819n, 1_953n, 2_591n, 1_017n]);
    expect(rewards.bills.map(({ feeMicro }) => feeMicro)).toEqual([4_313n, 1_438n, 2_717n, 912n]);
  });

  test('bills energy, losses, fee and share so that members and EDC pay 0 together', () => {
    const { rewards } = decodePayload(first.block.payload).results;
    // Seller 0 trades all of its 8 kWh: -8 * 0.19, losses 0.32 - 0.22700685 at 0.19, fee and share as above.
    expect(rewards.bills[0]).toEqual({
      rank: 0,
      withoutTradingMicro: -579_200n,
      billMicro: -1_520_000n + 17_669n + 4_313n - 3_819n,
      feeMicro: 4_313n,
      shareMicro: 3_819n,
    });
    const paid = rewards.bills.reduce((sum, { billMicro }) => sum + billMicro, 0n);
    expect(paid + rewards.edcMicro).toBe(0n);
    expect(clearing(chain)).toEqual([...rewards.bills.map(({ billMicro }) => -billMicro), -rewards.edcMicro]);
  });

  test('mints EPOS for scores and credits for surplus, which follow the trades', () => {
    const accounts = chain.state.ledger.accounts;
    // Two markets have been formed.
    expect(accounts.slice(0, 4).map(({ eposMicro }) => eposMicro)).toEqual(
      [7_907_000n, 75_000n, 143_000n, 2_988_000n].map((once) => 2n * once),
    );
    expect(accounts.map(({ creditWh }) => creditWh)).toEqual([0n, 10_000n, 12_000n, 0n, 0n]);
    expect(chain.state.ledger.supply.mintedMicro.credit).toBe(22_000n);
    expect(conservationFaults(chain.state.ledger)).toEqual([]);
  });

  test('counts a slot in the totals once it is billed', () => {
    expect(totalsOf(chain)).toMatchObject({
      settledSlots: 1,
      energyTradedWh: 11_000n,
      physicalSavingHalfNanoWh: 987_433_990_000n,
      rewardMicro: 9_380n,
    });
  });
});

describe('a tie', () => {
  test('between equally good flows is broken by seed and keys, not by whoever composes', () => {
    // Two sellers on one bus, two buyers on another: one kWh can go either way round without any difference in losses.
    const neighbours: readonly Household[] = [
      { x: 2, y: 2, productionWh: 3_000n, consumptionWh: 1_000n },
      { x: 2, y: 2, productionWh: 4_000n, consumptionWh: 2_000n },
      { x: 3, y: 3, productionWh: 0n, consumptionWh: 3_000n },
      { x: 3, y: 3, productionWh: 1_000n, consumptionWh: 2_000n },
    ];
    const straight = [
      { seller: 0, buyer: 2, energyWh: 2_000n },
      { seller: 1, buyer: 2, energyWh: 1_000n },
      { seller: 1, buyer: 3, energyWh: 1_000n },
    ];
    const crossed = [
      { seller: 0, buyer: 2, energyWh: 1_000n },
      { seller: 0, buyer: 3, energyWh: 1_000n },
      { seller: 1, buyer: 2, energyWh: 2_000n },
    ];
    const outcomes = new Set<unknown>();
    for (const seed of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) {
      const chain = new PoegChain(neighbours, { seed });
      const settlement = chain.settle(announceAll(chain, 1, neighbours));
      const weight = (seller: number, buyer: number) => {
        const [one, other] = [chain.network.signers[seller]!, chain.network.signers[buyer]!];
        return tieWeight(chain.rules.chainId, one.publicKey, other.publicKey);
      };
      const expected = weight(0, 3) + weight(1, 2) > weight(0, 2) + weight(1, 3) ? crossed : straight;
      expect(decodePayload(settlement.block.payload).results.trades).toEqual(expected);
      outcomes.add(expected);
    }
    expect(outcomes.size).toBe(2);
    // The same balances under another seed are another market, however recently this one was formed.
    const { genesis } = new PoegChain(neighbours).rules;
    const announced = neighbours.map(({ productionWh, consumptionWh }, rank) => ({
      rank,
      productionWh,
      consumptionWh,
    }));
    const tradesUnder = (byte: string) =>
      formMarket(genesis, poegParametersOf(genesis), { slot: 1, seed: byte.repeat(64), announced }).outcome.trades;
    expect(new Set([...'0123456789abcdef'].map((byte) => tradesUnder(byte).length))).toEqual(new Set([3]));
    expect(new Set([...'0123456789abcdef'].map((byte) => tradesUnder(byte)[0]!.energyWh)).size).toBe(2);
  });
});

describe('who is absent', () => {
  test('takes no part in the market, and a slot without anybody settles too', () => {
    const chain = new PoegChain(WORKED4);
    chain.settle([]);
    expect(chain.state.election).toMatchObject({ candidates: [], first: null });
    chain.settle([chain.announcement(2, 1, WORKED4[1]!), chain.announcement(2, 3, WORKED4[3]!)]);
    expect(chain.state.election.candidates).toEqual([{ members: [1, 3], miner: 3, successors: [1], weight: 3_040n }]);
    chain.settle([]);
    expect(totalsOf(chain).members.map(({ slots }) => slots)).toEqual([0, 1, 0, 1]);
    expect(totalsOf(chain).settledSlots).toBe(2);
    expect(clearing(chain)[0]).toBe(0n);
    expect(conservationFaults(chain.state.ledger)).toEqual([]);
  });

  test('is rewarded nothing: from the tail of the list nobody is, and no fee is due', () => {
    const chain = new PoegChain(WORKED4);
    chain.settle(announceAll(chain, 1));
    chain.settle([chain.announcement(2, 1, WORKED4[1]!), chain.announcement(2, 3, WORKED4[3]!)]);
    // Only member 3 is a candidate's miner in this term; round 1 falls to somebody in the tail.
    const settlement = chain.settle([], { composingRound: 1 });
    expect(settlement.block.header.composer).not.toBe(3);
    const { rewards } = decodePayload(settlement.block.payload).results;
    expect(rewards).toMatchObject({ rewarded: [], rewardMicro: 0n });
    expect(rewards.bills.map(({ feeMicro, shareMicro }) => [feeMicro, shareMicro])).toEqual([
      [0n, 0n],
      [0n, 0n],
    ]);
  });

  test('after the bootstrap draw the coalition that the drawn member joined is rewarded', () => {
    const chain = new PoegChain(WORKED4);
    // Without member 0 the best single score is that of member 3, who joins a coalition in the market of slot 1.
    const present = [1, 2, 3].map((rank) => chain.announcement(1, rank, WORKED4[rank]!));
    const bootstrap = chain.settle(present);
    const drawn = chain.state.election.candidates[chain.state.election.first!]!;
    expect(drawn).toEqual({ members: [3], miner: 3, successors: [], weight: 2_940n });
    const joined = decodePayload(bootstrap.block.payload).results.partition.find(({ members }) => members.includes(3))!;
    const settlement = chain.settle([]);
    expect(settlement.block.header.composer).toBe(3);
    expect(decodePayload(settlement.block.payload).results.rewards.rewarded).toEqual(joined.members);
    expect(joined.members.length).toBeGreaterThan(1);
  });
});

describe('deviations', () => {
  test('settle the metered remainder with the EDC and charge each kWh of it', () => {
    const chain = new PoegChain(WORKED4);
    chain.settle(announceAll(chain, 1));
    chain.settle(announceAll(chain, 2));
    const before = clearing(chain);
    const announced = announceAll(chain, 3);
    const settlement = chain.settle([
      ...announced,
      chain.reading(1, 0, 13_000n, 6_000n),
      chain.reading(1, 1, 4_500n, 10_000n),
      chain.reading(1, 3, 9_000n, 6_000n),
    ]);
    const { deviations, rewards } = decodePayload(settlement.block.payload).results;
    // 1 kWh short: bought at 0.30, charged 0.22. 0.5 kWh over: sold at 0.08, charged 0.22 per kWh.
    expect(deviations).toEqual([
      { rank: 0, memberMicro: PRICES.importMicroPerKwh + PRICES.deviationMicroPerKwh },
      { rank: 1, memberMicro: (PRICES.deviationMicroPerKwh - PRICES.exportMicroPerKwh) / 2n },
      { rank: 3, memberMicro: 0n },
    ]);
    const bill = (rank: number) => rewards.bills[rank]!.billMicro;
    expect(clearing(chain)[0]).toBe(before[0]! - bill(0) - 520_000n);
    expect(clearing(chain)[1]).toBe(before[1]! - bill(1) - 70_000n);
    expect(totalsOf(chain).members.map(({ deviationMicro }) => deviationMicro)).toEqual([520_000n, 70_000n, 0n, 0n]);
    expect(conservationFaults(chain.state.ledger)).toEqual([]);
  });
});

describe('the description', () => {
  test('is JSON and tells what the block holds', () => {
    const chain = new PoegChain(WORKED4);
    chain.settle(announceAll(chain, 1));
    chain.settle(announceAll(chain, 2));
    chain.grow('closing');
    const { application, genesis, chainId } = chain.rules;
    const parent = chain.state;
    const settlement = chain.grow('settlement', {
      contributions: [...announceAll(chain, 3), chain.reading(1, 2, 3_000n, 9_100n)],
    });
    const { composer, chainTimeMs } = settlement.block.header;
    const context = {
      genesis,
      chainId,
      slot: parent.slot,
      term: parent.term,
      lastOfTerm: true,
      seed: parent.election.seed!,
      chainTimeMs,
      composer,
      winner: parent.election.candidates[0]!,
      blobs: null,
      jailed: new Set<number>(),
      barred: new Set<string>(),
      state: parent.app,
    };
    const description = application.describe(context, settlement.block.payload);
    expect(JSON.parse(JSON.stringify(description))).toEqual(description);
    expect(description).toMatchObject({
      billed: {
        slot: 2,
        composer: 0,
        rewarded: [0, 1, 2, 3],
        rewardMicro: '9380',
        energyTradedWh: '11000',
        members: [{ rank: 0, withoutTradingMicro: '-579200' }, {}, {}, {}],
      },
      deviations: [{ slot: 1, rank: 2, announcedNetWh: '-6000', meteredNetWh: '-6100', memberMicro: '52000' }],
      market: {
        slot: 3,
        coalitions: [{ members: [0, 1, 2, 3], proofScoreWh: '11113', savingHalfNanoWh: '987433990000' }],
        trades: [{}, { seller: 0, buyer: 2, energyWh: '6000' }, {}],
        members: [{ rank: 0, exportWh: '0', lossAloneHalfNanoWh: '640000000000' }, { importWh: '1000' }, {}, {}],
        candidates: [{ miner: 0, weightWh: '11113' }],
      },
    });
  });
});
