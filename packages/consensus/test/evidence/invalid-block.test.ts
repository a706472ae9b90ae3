import { afterAll, describe, expect, test } from 'vitest';
import { blockHash, encodeBlock } from '../../src/chain/block.ts';
import { encodeEvidence, evidenceHash, evidenceRoot, withoutNesting } from '../../src/chain/evidence.ts';
import type { Block, EvidenceItem } from '../../src/chain/types.ts';
import { fromHex } from '../../src/codec/index.ts';
import { assessEvidence } from '../../src/evidence/index.ts';
import { invalidBlockOf } from '../../src/evidence/invalid-block.ts';
import type { PoegChain } from '../fixtures/poeg-chain.ts';
import { doubleVote, expectFaultsFound, faultOf, grown, HASHES, proposalOf, proposer, stake } from './accusations.ts';

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

afterAll(() =>
  expectFaultsFound(
    'EVIDENCE_MALFORMED',
    'EVIDENCE_BAD_SIGNATURE',
    'EVIDENCE_NOT_THE_COMPOSER',
    'EVIDENCE_BLOCK_IS_VALID',
    'EVIDENCE_OMITTED',
  ),
);
