import { afterAll, describe, expect, test } from 'vitest';
import { electionListOf } from '../../src/election/index.ts';
import { jailedMembers } from '../../src/evidence/index.ts';
import { conservationFaults } from '../../src/ledger/conservation.ts';
import { decodePayload } from '../../src/poeg/payload.ts';
import { WORKED4 } from '../fixtures/poeg-chain.ts';
import { expectFaultsFound, faultOf, grown, proposer, stake, timeout } from './accusations.ts';

describe('a timeout certificate', () => {
  test('costs the round’s proposer the penalty and its place for the rest of the term, and is recorded', () => {
    const chain = grown();
    const refuser = proposer(chain);
    const list = electionListOf(chain.rules, chain.state, chain.certificate);
    const before = stake(chain, refuser);
    chain.grow('closing', { composingRound: 1, evidence: [timeout(chain, chain.state.height + 1, 0)] });
    expect(before - stake(chain, refuser)).toBe(1_000n);
    expect(chain.state.ledger.supply.burnedMicro.epos).toBe(1_000n);
    expect(conservationFaults(chain.state.ledger)).toEqual([]);
    expect(chain.state.election.demoted).toEqual([refuser]);
    expect(chain.state.discipline.outcomes).toEqual([
      { type: 'timeout', member: refuser, fault: null, slashedMicro: 1_000n },
    ]);
    const after = electionListOf(chain.rules, chain.state, chain.certificate);
    expect(after).toEqual([...list.slice(1), { rank: refuser, candidate: null }]);
    expect(jailedMembers(chain.state.discipline, chain.state.height).size).toBe(0);
  });

  test('withholds the reward: whoever composes from the end of the list is not drawn', () => {
    const chain = grown();
    chain.settle(WORKED4.map((home, rank) => chain.announcement(2, rank, home)));
    const refuser = proposer(chain);
    chain.grow('closing', { composingRound: 1, evidence: [timeout(chain, chain.state.height + 1, 0)] });
    const rewarded = (composingRound: number) =>
      decodePayload(chain.compose('settlement', { composingRound }).block.payload).results.rewards.rewarded;
    const last = electionListOf(chain.rules, chain.state, chain.certificate).length - 1;
    expect(proposer(chain, last)).toBe(refuser);
    expect(rewarded(last)).toEqual([]);
  });

  test('is punished once in a term, whichever round or height it is of', () => {
    const chain = grown();
    const refuser = proposer(chain);
    const height = chain.state.height + 1;
    const [first, again] = [timeout(chain, height, 0), timeout(chain, height, 4, [1, 2, 3])];
    const before = stake(chain, refuser);
    chain.grow('closing', { composingRound: 1, evidence: [first, again] });
    expect(chain.state.discipline.outcomes.map(({ fault }) => fault)).toEqual([null, 'EVIDENCE_PUNISHED']);
    expect(faultOf(chain, again)).toBe('EVIDENCE_PUNISHED');
    chain.grow('settlement', { evidence: [again] });
    expect(before - stake(chain, refuser)).toBe(1_000n);
    expect(chain.state.election.demoted).toEqual([]);
    // The next term remembers it for as long as it could be brought forward again.
    expect(faultOf(chain, again)).toBe('EVIDENCE_PUNISHED');
  });

  test('of the term before still costs the penalty, and no place in the new list', () => {
    const chain = grown();
    const refuser = proposer(chain);
    const late = timeout(chain, chain.state.height + 1, 0);
    chain.grow('closing', { composingRound: 1 });
    chain.grow('settlement');
    const before = stake(chain, refuser);
    chain.grow('closing', { evidence: [late] });
    expect(before - stake(chain, refuser)).toBe(1_000n);
    expect(chain.state.election.demoted).toEqual([]);
  });

  test('proves nothing without exactly q signed nil prevotes of distinct members', () => {
    const chain = grown();
    const height = chain.state.height + 1;
    const honest = timeout(chain, height, 0);
    expect(faultOf(chain, honest)).toBe('proven');
    expect(faultOf(chain, timeout(chain, height, 0, [0, 1]))).toBe('EVIDENCE_NO_QUORUM');
    expect(faultOf(chain, timeout(chain, height, 0, [0, 1, 2, 3]))).toBe('EVIDENCE_NO_QUORUM');
    expect(faultOf(chain, timeout(chain, height, 0, [0, 1, 1]))).toBe('EVIDENCE_NO_QUORUM');
    expect(faultOf(chain, { ...honest, votes: [...honest.votes].reverse() })).toBe('EVIDENCE_NO_QUORUM');
    expect(faultOf(chain, { ...honest, round: 1 })).toBe('EVIDENCE_BAD_SIGNATURE');
    expect(faultOf(chain, timeout(chain, height + 1, 0))).toBe('EVIDENCE_OUT_OF_WINDOW');
  });

  test('with the exclusion of miners lets the candidate’s next-best member compose, for the same reward', () => {
    const chain = grown({ penalties: { exclusion: 'miner' } });
    chain.settle(WORKED4.map((home, rank) => chain.announcement(2, rank, home)));
    const { miner, successors } = chain.state.election.candidates[0]!;
    expect(proposer(chain)).toBe(miner);
    chain.grow('closing', { composingRound: 1, evidence: [timeout(chain, chain.state.height + 1, 0)] });
    expect(proposer(chain)).toBe(successors[0]);
    const { block } = chain.grow('settlement');
    expect(block.header.composer).toBe(successors[0]);
    expect(decodePayload(block.payload).results.rewards.rewarded).toEqual([0, 1, 2, 3]);
  });
});

afterAll(() =>
  expectFaultsFound('EVIDENCE_PUNISHED', 'EVIDENCE_NO_QUORUM', 'EVIDENCE_BAD_SIGNATURE', 'EVIDENCE_OUT_OF_WINDOW'),
);
