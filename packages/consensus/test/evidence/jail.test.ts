import { describe, expect, test } from 'vitest';
import { conservationFaults } from '../../src/ledger/conservation.ts';
import { decodePayload } from '../../src/poeg/payload.ts';
import { type PoegChain, WORKED4 } from '../fixtures/poeg-chain.ts';
import { doubleVote, grown } from './accusations.ts';

describe('who is jailed', () => {
  test('has weight 0, is drawn for nothing, earns no score and no share', () => {
    const free = grown();
    const chain = grown();
    for (const one of [free, chain]) one.settle(WORKED4.map((home, rank) => one.announcement(2, rank, home)));
    const { members, miner, weight } = chain.state.election.candidates[0]!;
    expect(members).toEqual([0, 1, 2, 3]);
    // The best of the coalition: its reward is in the settlement that closes this slot, composed by the next in line.
    const evidence = [doubleVote(chain, miner)];
    for (const one of [free, chain]) {
      one.grow('closing', one === chain ? { evidence } : {});
      const contributions = WORKED4.map((home, rank) => one.announcement(3, rank, home));
      one.grow('settlement', { contributions });
    }
    const [fair, jailed] = [free, chain].map((one) => one.state.election.candidates[0]!);
    const results = decodePayload(chain.blocks.at(-1)!.block.payload).results;
    expect(fair).toMatchObject({ miner, weight });
    expect(jailed!.miner).toBe(fair!.successors[0]);
    expect(jailed!.successors.at(-1)).toBe(miner);
    expect(weight - jailed!.weight).toBe(results.scores.find(({ rank }) => rank === miner)!.proofScoreWh);
    const epos = (one: PoegChain) => one.state.ledger.accounts[miner]!.eposMicro;
    expect(epos(free)).toBeGreaterThan(epos(chain));
    expect(results.rewards.rewarded).toEqual([]);
    // In the next slot another member composes for the coalition, and the jailed one's share stays with the EDC.
    for (const one of [free, chain]) one.settle(WORKED4.map((home, rank) => one.announcement(4, rank, home)));
    const shares = (one: PoegChain) => decodePayload(one.blocks.at(-1)!.block.payload).results.rewards;
    expect(shares(chain).rewarded).toEqual(shares(free).rewarded);
    const [due, paid] = [shares(free), shares(chain)].map(({ bills }) => bills.find(({ rank }) => rank === miner)!);
    expect(due!.shareMicro).toBeGreaterThan(0n);
    expect(paid!.shareMicro).toBe(0n);
    expect(paid!.billMicro - due!.billMicro).toBe(due!.shareMicro);
    expect(shares(free).edcMicro - shares(chain).edcMicro).toBe(due!.shareMicro);
    expect(conservationFaults(chain.state.ledger)).toEqual([]);
  });

  test('keeps its vote', () => {
    const chain = grown();
    chain.grow('closing', { evidence: [doubleVote(chain, 0), doubleVote(chain, 1)] });
    expect(chain.certificate!.votes.map(({ voter }) => voter)).toEqual([0, 1, 2]);
    chain.grow('settlement');
  });
});
