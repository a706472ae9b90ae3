import { afterAll, describe, expect, test } from 'vitest';
import { blockHash, encodeBlock } from '../../src/chain/block.ts';
import { encodeEvidence, evidenceHash, evidenceRoot, withoutNesting } from '../../src/chain/evidence.ts';
import type { Block, EvidenceItem, Hash, Proposal, Vote } from '../../src/chain/types.ts';
import { signProposal, signVote } from '../../src/chain/votes.ts';
import { fromHex } from '../../src/codec/index.ts';
import { electionListOf, proposerAt } from '../../src/election/index.ts';
import { assessEvidence, jailedMembers } from '../../src/evidence/index.ts';
import { invalidBlockOf } from '../../src/evidence/invalid-block.ts';
import { timeoutOf } from '../../src/evidence/timeout.ts';
import { conservationFaults } from '../../src/ledger/conservation.ts';
import { decodePayload } from '../../src/poeg/payload.ts';
import { PoegChain, type PoegChainOptions, WORKED4 } from '../fixtures/poeg-chain.ts';

const HASHES = ['aa'.repeat(32), 'bb'.repeat(32)] as const;
const seen = new Set<string>();

/** In slot 1, after its first block: the list is drawn from the coalition's and the households' scores. */
function grown(options: PoegChainOptions = {}): PoegChain {
  const chain = new PoegChain(WORKED4, options);
  chain.settle(WORKED4.map((home, rank) => chain.announcement(1, rank, home)));
  const payer = chain.network.accounts[0]!;
  const pay = { type: 'transfer', asset: 'upos', to: payer.publicKey, amount: 1n } as const;
  chain.grow('transactions', { batches: [chain.batch(payer, 0, [pay])] });
  return chain;
}

const vote = (chain: PoegChain, voter: number, height: number, round: number, hash: Hash | null): Vote =>
  signVote(
    chain.rules.chainId,
    { type: 'prevote', height, round, blockHash: hash, timestampMs: 5, extension: null, voter },
    chain.network.signers[voter]!,
  );

const proposalOf = (chain: PoegChain, proposer: number, height: number, round: number, hash: Hash): Proposal =>
  signProposal(
    chain.rules.chainId,
    { height, round, blockHash: hash, polRound: -1, proposer },
    chain.network.signers[proposer]!,
  );

const timeout = (chain: PoegChain, height: number, round: number, voters = [0, 1, 2]) =>
  timeoutOf(voters.map((voter) => vote(chain, voter, height, round, null)));

const doubleVote = (chain: PoegChain, voter: number, height = chain.state.height, round = 0): EvidenceItem => ({
  type: 'votes',
  first: vote(chain, voter, height, round, HASHES[0]),
  second: vote(chain, voter, height, round, null),
});

const faultOf = (chain: PoegChain, item: EvidenceItem): string => {
  const { rules, state: parent, certificate } = chain;
  const history = { at: (h: number) => (h === parent.height ? { state: parent, certificate } : chain.history.at(h)) };
  const assessment = assessEvidence({ rules, parent, history }, item);
  if (assessment.ok) return 'proven';
  expect(assessment.reason).not.toBe('');
  seen.add(assessment.fault);
  return assessment.fault;
};

const proposer = (chain: PoegChain, round = 0): number =>
  proposerAt(electionListOf(chain.rules, chain.state, chain.certificate), round);

const stake = (chain: PoegChain, rank: number): bigint => chain.state.ledger.accounts[rank]!.stakeMicro;

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

describe('an invalid block', () => {
  const lie = (chain: PoegChain, change: Partial<Block['header']> = { stateRoot: HASHES[0] }) => {
    const { block } = chain.compose('closing');
    const tampered = { ...block, header: { ...block.header, ...change } };
    const { composer, height, composingRound } = block.header;
    return {
      tampered,
      composer,
      proposal: proposalOf(chain, composer, height, composingRound, blockHash(tampered.header)),
    };
  };

  test('convicts its composer, at its own height and later', () => {
    for (const wait of [false, true]) {
      const chain = grown();
      const { tampered, composer, proposal } = lie(chain);
      if (wait) chain.settle([], { composingRound: 1 });
      chain.grow('closing', { composingRound: 1, evidence: [invalidBlockOf(proposal, tampered)] });
      expect(chain.state.discipline.outcomes[0]).toMatchObject({ member: composer, fault: null });
      expect(stake(chain, composer)).toBe(90_000_000n);
    }
  });

  test('a block composed out of turn is one', () => {
    const chain = grown();
    const usurper = proposer(chain, 2);
    const { block } = chain.compose('closing', { composer: usurper });
    const proposal = proposalOf(chain, usurper, block.header.height, 0, blockHash(block.header));
    expect(faultOf(chain, invalidBlockOf(proposal, block))).toBe('proven');
  });

  test('is none when it is valid, by somebody else, other bytes, or not proposed by its composer', () => {
    const chain = grown();
    const { block } = chain.compose('closing');
    const { tampered, composer, proposal } = lie(chain);
    const { height, composingRound } = block.header;
    const honest = proposalOf(chain, composer, height, composingRound, blockHash(block.header));
    expect(faultOf(chain, invalidBlockOf(proposal, tampered))).toBe('proven');
    expect(faultOf(chain, invalidBlockOf(honest, block))).toBe('EVIDENCE_BLOCK_IS_VALID');
    expect(faultOf(chain, invalidBlockOf(honest, tampered))).toBe('EVIDENCE_NOT_THE_COMPOSER');
    const framed = proposalOf(chain, (composer + 1) % 4, height, composingRound, blockHash(tampered.header));
    expect(faultOf(chain, invalidBlockOf(framed, tampered))).toBe('EVIDENCE_NOT_THE_COMPOSER');
    const forged = { ...proposal, signature: framed.signature };
    expect(faultOf(chain, invalidBlockOf(forged, tampered))).toBe('EVIDENCE_BAD_SIGNATURE');
    expect(faultOf(chain, { type: 'invalid-block', proposal, block: new Uint8Array(7), blobs: [] })).toBe(
      'EVIDENCE_MALFORMED',
    );
    const old = lie(chain, { height: 99 });
    expect(faultOf(chain, invalidBlockOf(old.proposal, old.tampered))).toBe('EVIDENCE_NOT_THE_COMPOSER');
  });

  test('a check that breaks down convicts nobody', () => {
    const chain = grown();
    chain.grow('closing');
    const { block } = chain.compose('settlement');
    const { composer, height, composingRound } = block.header;
    const proposal = proposalOf(chain, composer, height, composingRound, blockHash(block.header));
    const application = {
      ...chain.rules.application,
      execute: () => {
        throw new TypeError('out of order');
      },
    };
    const { state: parent, certificate } = chain;
    const history = { at: (h: number) => (h === parent.height ? { state: parent, certificate } : chain.history.at(h)) };
    const hearing = { rules: { ...chain.rules, application }, parent, history };
    const assessment = assessEvidence(hearing, invalidBlockOf(proposal, block));
    expect(assessment).toMatchObject({ ok: false, fault: 'EVIDENCE_BLOCK_IS_VALID' });
  });

  test('that accuses others is proven without their blocks, whose hashes stand in for them', () => {
    const chain = grown();
    const inner = lie(chain);
    const accusation = invalidBlockOf(inner.proposal, inner.tampered);
    const small = doubleVote(chain, 3);
    const evidence = [accusation, small];
    const { block } = chain.compose('closing', { composingRound: 1, evidence });
    const { composer, height } = block.header;
    const seal = (change: Partial<Block['header']>) => {
      const changed = { ...block, header: { ...block.header, ...change } };
      return invalidBlockOf(proposalOf(chain, composer, height, 1, blockHash(changed.header)), changed);
    };
    const stripped = withoutNesting(evidence);
    expect(stripped).toEqual([{ type: 'omitted', hash: evidenceHash(accusation) }, small]);
    expect(evidenceRoot(stripped)).toBe(evidenceRoot(evidence));
    expect(faultOf(chain, seal({ chainTimeMs: 1 }))).toBe('proven');
    // Its state rests on what was left out.
    expect(faultOf(chain, seal({ stateRoot: HASHES[1] }))).toBe('EVIDENCE_BLOCK_IS_VALID');
    const whole = { ...seal({ chainTimeMs: 1 }), block: encodeBlock({ ...block, evidence }) };
    expect(faultOf(chain, whole)).toBe('EVIDENCE_MALFORMED');
    expect(faultOf(chain, stripped[0]!)).toBe('EVIDENCE_OMITTED');
    // A block that carries evidence of small kinds only is proven in full.
    const { block: plain } = chain.compose('closing', { composingRound: 1, evidence: [small] });
    const altered = { ...plain, header: { ...plain.header, stateRoot: HASHES[1] } };
    const proposal = proposalOf(chain, composer, height, 1, blockHash(altered.header));
    expect(faultOf(chain, invalidBlockOf(proposal, altered))).toBe('proven');
  });

  test('evidence of no worth is recorded, and changes nothing else', () => {
    const chain = grown();
    const junk: EvidenceItem = {
      type: 'invalid-block',
      proposal: proposalOf(chain, 1, 4, 0, HASHES[0]),
      block: fromHex('00'),
      blobs: [],
    };
    const { ledger, election } = chain.state;
    chain.grow('closing', { evidence: [junk] });
    expect(chain.state.discipline.outcomes).toEqual([
      { type: 'invalid-block', member: null, fault: 'EVIDENCE_MALFORMED', slashedMicro: 0n },
    ]);
    expect(chain.state).toMatchObject({ ledger, election: { demoted: election.demoted } });
    expect(encodeEvidence(junk).length).toBeLessThan(200);
  });
});

afterAll(() => {
  const faults = [
    'EVIDENCE_MALFORMED',
    'EVIDENCE_OUT_OF_WINDOW',
    'EVIDENCE_NO_QUORUM',
    'EVIDENCE_BAD_SIGNATURE',
    'EVIDENCE_NO_CONFLICT',
    'EVIDENCE_NOT_THE_COMPOSER',
    'EVIDENCE_BLOCK_IS_VALID',
    'EVIDENCE_OMITTED',
    'EVIDENCE_PUNISHED',
  ];
  expect([...seen].sort()).toEqual(faults.sort());
});
