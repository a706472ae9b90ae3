import { afterAll, describe, expect, test } from 'vitest';
import { blockHash } from '../../src/chain/block.ts';
import { evidenceRoot } from '../../src/chain/evidence.ts';
import type { Block, EvidenceItem, Proposal, Vote } from '../../src/chain/types.ts';
import { jailedMembers } from '../../src/evidence/index.ts';
import { conservationFaults } from '../../src/ledger/conservation.ts';
import { type PoegChain, WORKED4 } from '../fixtures/poeg-chain.ts';
import {
  doubleVote,
  expectFaultsFound,
  faultOf,
  grown,
  HASHES,
  proposalOf,
  proposer,
  stake,
  vote,
} from './accusations.ts';

describe('two votes and two proposals in one place', () => {
  test('cost a part of all that is locked, weight and rewards, and the place in the list', () => {
    const chain = grown({ limits: { minStakeMicro: 1n } });
    const thief = proposer(chain);
    const unstake = { type: 'unstake', amount: 99_000_000n } as const;
    chain.grow('transactions', { batches: [chain.batch(chain.network.signers[thief]!, 0, [unstake])] });
    chain.grow('closing', { evidence: [doubleVote(chain, thief)] });
    const { stakeMicro, unbonding } = chain.state.ledger.accounts[thief]!;
    // 10 % of 1 + 99: what is on its way out does not escape.
    expect([stakeMicro, unbonding.map(({ amountMicro }) => amountMicro)]).toEqual([0n, [90_000_000n]]);
    expect(chain.state.ledger.supply.burnedMicro.epos).toBe(10_000_000n);
    expect(conservationFaults(chain.state.ledger)).toEqual([]);
    expect(chain.state.election.demoted).toEqual([thief]);
    expect([...jailedMembers(chain.state.discipline, 10 ** 9)]).toEqual([thief]);
  });

  test('by a proposer as well as by a voter, each place once', () => {
    const chain = grown();
    const { height } = chain.state;
    const [a, b] = HASHES;
    const proposals = (round: number): EvidenceItem => ({
      type: 'proposals',
      first: proposalOf(chain, 2, height, round, a),
      second: proposalOf(chain, 2, height, round, b),
    });
    const votes = doubleVote(chain, 2);
    chain.grow('closing', { evidence: [proposals(0), votes, proposals(1), proposals(0), votes] });
    const faults = chain.state.discipline.outcomes.map(({ fault }) => fault);
    expect(faults).toEqual([null, null, null, 'EVIDENCE_PUNISHED', 'EVIDENCE_PUNISHED']);
    expect(stake(chain, 2)).toBe(72_900_000n);
    expect(chain.state.election.demoted).toEqual([2]);
  });

  test('prove nothing when they do not contradict each other or are not signed', () => {
    const chain = grown();
    const { height } = chain.state;
    const [a, b] = HASHES;
    const first = vote(chain, 1, height, 0, a);
    const pair = (second: Vote) => faultOf(chain, { type: 'votes', first, second });
    expect(pair(vote(chain, 1, height, 0, b))).toBe('proven');
    expect(pair(first)).toBe('EVIDENCE_NO_CONFLICT');
    expect(pair({ ...first, timestampMs: 9 })).toBe('EVIDENCE_NO_CONFLICT');
    for (const other of [vote(chain, 2, height, 0, b), vote(chain, 1, height - 1, 0, b), vote(chain, 1, height, 1, b)])
      expect(pair(other)).toBe('EVIDENCE_NO_CONFLICT');
    expect(pair({ ...first, blockHash: b })).toBe('EVIDENCE_BAD_SIGNATURE');
    expect(pair({ ...vote(chain, 2, height, 0, b), voter: 1 })).toBe('EVIDENCE_BAD_SIGNATURE');
    const proposal = proposalOf(chain, 1, height, 0, a);
    const proposals = (second: Proposal) => faultOf(chain, { type: 'proposals', first: proposal, second });
    expect(proposals(proposalOf(chain, 1, height, 0, b))).toBe('proven');
    expect(proposals(proposalOf(chain, 1, height, 1, b))).toBe('EVIDENCE_NO_CONFLICT');
    expect(proposals(proposal)).toBe('EVIDENCE_NO_CONFLICT');
    expect(proposals({ ...proposal, blockHash: b })).toBe('EVIDENCE_BAD_SIGNATURE');
  });

  test('count for K heights, are remembered as long, and then forgotten', () => {
    const chain = grown({ penalties: { evidenceBlocks: 3 } });
    const at = chain.state.height;
    const item = doubleVote(chain, 3, at);
    const grow = (evidence: readonly EvidenceItem[] = []) => {
      const payer = chain.network.accounts[0]!;
      const pay = { type: 'transfer', asset: 'upos', to: payer.publicKey, amount: 1n } as const;
      const { nonce } = chain.state.ledger.accounts[4]!;
      chain.grow('transactions', { batches: [chain.batch(payer, nonce, [pay])], evidence });
    };
    grow();
    grow();
    expect(faultOf(chain, item)).toBe('proven');
    grow([item]);
    expect(chain.state.discipline.outcomes[0]).toMatchObject({ member: 3, fault: null });
    expect(faultOf(chain, item)).toBe('EVIDENCE_OUT_OF_WINDOW');
    const included = chain.state.height;
    while (chain.state.height < included + 3) {
      grow();
      expect(chain.state.discipline.punished).toHaveLength(1);
    }
    grow();
    expect(chain.state.discipline).toMatchObject({ punished: [], outcomes: [] });
  });

  test('jail for as many blocks as the chain says', () => {
    const chain = grown({ penalties: { jailBlocks: 2 } });
    chain.grow('closing', { evidence: [doubleVote(chain, 3)] });
    const { height, discipline } = chain.state;
    expect([0, 1, 2, 3].map((more) => jailedMembers(discipline, height + more).has(3))).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });
});

describe('two announcements for one slot', () => {
  const [home, other] = WORKED4 as [(typeof WORKED4)[number], (typeof WORKED4)[number]];
  const pairOf = (chain: PoegChain, slot: number, rank: number): EvidenceItem => ({
    type: 'contributions',
    first: chain.announcement(slot, rank, home).bytes,
    second: chain.announcement(slot, rank, other).bytes,
  });

  test('are left out of the settlement that carries the proof, and of one after it', () => {
    for (const together of [true, false]) {
      const chain = grown();
      const contributions = WORKED4.map((one, rank) => chain.announcement(2, rank, one));
      const evidence = [pairOf(chain, 2, 0)];
      chain.grow('closing', together ? {} : { evidence });
      const included = () =>
        chain.rules.application.included(chain.compose('settlement', { contributions }).block.payload);
      expect(included().has('announcement/2/0')).toBe(together);
      const { block } = chain.grow('settlement', { contributions, evidence: together ? evidence : [] });
      expect([...chain.rules.application.included(block.payload)]).toEqual([1, 2, 3].map((k) => `announcement/2/${k}`));
      expect(stake(chain, 0)).toBe(90_000_000n);
      // In the list of the term that begins it is at the end when the settlement itself carries the proof.
      expect(chain.state.election.demoted).toEqual(together ? [0] : []);
    }
  });

  test('make a settlement that holds one of them invalid', () => {
    const chain = grown();
    const contributions = WORKED4.map((one, rank) => chain.announcement(2, rank, one));
    chain.grow('closing');
    const honest = chain.compose('settlement', { contributions }).block;
    const evidence = [pairOf(chain, 2, 0)];
    const block: Block = { ...honest, evidence, header: { ...honest.header, evidenceRoot: evidenceRoot(evidence) } };
    expect(() => chain.commit({ block, blockHash: blockHash(block.header), state: chain.state })).toThrow(
      expect.objectContaining({ code: 'POEG_BARRED_MESSAGE' }),
    );
  });

  test('prove nothing when they are of two members or slots, the same, a meter’s, forged, or too old', () => {
    const chain = grown({ penalties: { evidenceBlocks: 2 } });
    const [a, b] = [chain.announcement(2, 0, home).bytes, chain.announcement(2, 0, other).bytes];
    const pair = (first: Uint8Array, second: Uint8Array) => faultOf(chain, { type: 'contributions', first, second });
    expect(pair(a, b)).toBe('proven');
    expect(pair(a, a)).toBe('EVIDENCE_NO_CONFLICT');
    expect(pair(a, chain.announcement(2, 1, other).bytes)).toBe('EVIDENCE_NO_CONFLICT');
    expect(pair(a, chain.announcement(3, 0, other).bytes)).toBe('EVIDENCE_NO_CONFLICT');
    expect(pair(chain.reading(1, 0, 1n, 1n).bytes, chain.reading(1, 0, 1n, 2n).bytes)).toBe('EVIDENCE_NO_CONFLICT');
    expect(pair(a, b.with(60, 1))).toBe('EVIDENCE_BAD_SIGNATURE');
    expect(pair(a, new Uint8Array(3))).toBe('EVIDENCE_BAD_SIGNATURE');
    const later = faultOf(chain, {
      type: 'contributions',
      first: chain.announcement(4, 0, home).bytes,
      second: chain.announcement(4, 0, other).bytes,
    });
    expect(later).toBe('EVIDENCE_OUT_OF_WINDOW');
    chain.settle([]);
    chain.settle([]);
    expect(pair(a, b)).toBe('EVIDENCE_OUT_OF_WINDOW');
  });
});

afterAll(() => expectFaultsFound('EVIDENCE_NO_CONFLICT', 'EVIDENCE_BAD_SIGNATURE', 'EVIDENCE_OUT_OF_WINDOW'));
