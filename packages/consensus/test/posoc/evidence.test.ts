import { tensorBytes } from '@wattmesh/frl';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Contribution } from '../../src/application/types.ts';
import { payloadHash } from '../../src/chain/block.ts';
import { blockHash, MAX_CONTESTED_CONTRIBUTION_BYTES } from '../../src/chain/index.ts';
import type { Block } from '../../src/chain/types.ts';
import { signProposal } from '../../src/chain/votes.ts';
import type { ComposedBlock } from '../../src/composition/index.ts';
import { assessEvidence } from '../../src/evidence/index.ts';
import { invalidBlockOf } from '../../src/evidence/invalid-block.ts';
import { executeBlock, settlementContext, stateRoot } from '../../src/execution/index.ts';
import { layoutOf, signUpdate } from '../../src/posoc/index.ts';
import { decodePayload, encodePayload } from '../../src/posoc/payload.ts';
import { settleSlot } from '../../src/posoc/settlement.ts';
import { PosocChain, posocParameters, tinyTensor } from '../fixtures/posoc-chain.ts';

const LAST_HOUR = 23;
const tensors = [0, 1, 2, 3].map((rank) => tinyTensor((k) => rank + k / 7));

let chain: PosocChain;
let updates: Contribution[];
let settlement: ComposedBlock;
beforeEach(() => {
  chain = new PosocChain();
  chain.skipTo(LAST_HOUR);
  updates = tensors.map((tensor, rank) => chain.update(rank, tensor));
  chain.close();
  settlement = chain.compose('settlement', { contributions: updates });
});

/** The same block with a model that its updates do not give, and a state root that fits it. */
function withWrongModel({ block }: ComposedBlock): Block {
  const claimed = decodePayload(block.payload);
  const model = { ...(claimed.results.model as NonNullable<typeof claimed.results.model>), hash: 'ab'.repeat(32) };
  const payload = encodePayload({ ...claimed, results: { ...claimed.results, model } });
  const draft = { ...block, payload, header: { ...block.header, payloadHash: payloadHash(payload) } };
  const { blobs: _, ...trusting } = chain.rules;
  const root = stateRoot(trusting, executeBlock(trusting, chain.state, draft, blockHash(draft.header)));
  return { ...draft, header: { ...draft.header, stateRoot: root } };
}

function proposalOf(block: Block) {
  const { height, composer, composingRound: round } = block.header;
  const place = { height, round, blockHash: blockHash(block.header), polRound: -1, proposer: composer };
  return signProposal(chain.rules.chainId, place, chain.network.signers[composer]!);
}

/** What the chain finds: `proven`, or why not. The rules hold no bytes: nothing may depend on what a peer happens to have. */
function faultOf(block: Block, blobs: readonly Uint8Array[]): string {
  const { blobs: _, ...rules } = chain.rules;
  const { state: parent, certificate } = chain;
  const history = { at: () => ({ state: parent, certificate }) };
  const assessment = assessEvidence({ rules, parent, history }, invalidBlockOf(proposalOf(block), block, blobs));
  return assessment.ok ? 'proven' : assessment.fault;
}

describe('an aggregator whose model is wrong', () => {
  test('is convicted by the block with all the updates that it lists, wherever it is looked at', () => {
    expect(faultOf(withWrongModel(settlement), tensors)).toBe('proven');
    expect(faultOf(withWrongModel(settlement), [...tensors].reverse())).toBe('proven');
  });

  test('is not convicted by the block alone, nor when an update is missing: that would convict the honest', () => {
    expect(faultOf(withWrongModel(settlement), [])).toBe('EVIDENCE_BLOCK_IS_VALID');
    expect(faultOf(withWrongModel(settlement), tensors.slice(1))).toBe('EVIDENCE_BLOCK_IS_VALID');
    expect(faultOf(settlement.block, tensors)).toBe('EVIDENCE_BLOCK_IS_VALID');
    expect(faultOf(settlement.block, tensors.slice(1))).toBe('EVIDENCE_BLOCK_IS_VALID');
  });

  test('is not accused with bytes that the block does not name, or twice the same', () => {
    expect(faultOf(withWrongModel(settlement), [...tensors, tinyTensor(() => 9)])).toBe('EVIDENCE_MALFORMED');
    expect(faultOf(withWrongModel(settlement), [...tensors, tensors[0]!])).toBe('EVIDENCE_MALFORMED');
    const other = { ...settlement.block, header: { ...settlement.block.header, kind: 'closing' as const } };
    expect(faultOf(other, tensors)).toBe('EVIDENCE_MALFORMED');
  });
});

describe('who is jailed', () => {
  test('has weight 0 in the next draw, and earns no mining reward', () => {
    const { rules, state, certificate } = chain;
    const context = settlementContext(rules, state, certificate, settlement.block.header);
    const inputs = { actions: [], paid: new Set<number>() };
    const free = settleSlot({ ...context, state: scored() }, inputs, null);
    const jailed = settleSlot(
      {
        ...context,
        winner: free.candidates[context.composer]!,
        jailed: new Set([1, context.composer]),
        state: scored(),
      },
      inputs,
      null,
    );
    expect(free.candidates.map(({ weight }) => weight > 0n)).toEqual([true, true, true, true]);
    expect(jailed.candidates.map(({ weight }, rank) => weight === 0n && [1, context.composer].includes(rank))).toEqual(
      free.candidates.map((_, rank) => [1, context.composer].includes(rank)),
    );
    expect(jailed.results.day?.miner).toBeNull();
  });

  /** A state in which every EV has a score. */
  function scored(): PosocChain['app'] {
    return { ...chain.app, scores: [4n, 3n, 2n, 1n].map((score) => score * 1_000_000n) };
  }
});

describe('two model updates for one slot', () => {
  /** Tens of kilobytes each, as much as an update may have. */
  const size = { observationSize: 30, hidden: [40, 40] };
  const { parameterCount } = layoutOf(size);
  const tensorOf = (seed: number) => tensorBytes(Float64Array.from({ length: parameterCount }, (_, k) => seed + k));
  const base = posocParameters();
  const learning = { ...base.learning, ...size, initialModel: tensorOf(0) };
  const large = new PosocChain({ parameters: { learning } });
  const { application, genesis, chainId } = large.rules;
  const sign = (rank: number) => (digest: string) => large.network.signers[rank]!.sign(digest);
  const updateOf = (rank: number, seed: number) =>
    signUpdate({ chainId, slot: 0, rank, shape: [30, 40, 40], tensor: tensorOf(seed) }, sign(rank));
  const statement = (rank: number, seed: number) => application.statementOf!(updateOf(rank, seed));
  const assess = (first: Uint8Array, second: Uint8Array) => {
    const { state: parent, certificate } = large;
    const history = { at: () => ({ state: parent, certificate }) };
    const assessment = assessEvidence(
      { rules: large.rules, parent, history },
      { type: 'contributions', first, second },
    );
    return assessment.ok ? assessment.finding : assessment.fault;
  };

  test('convict by what was signed of them, in a few bytes', () => {
    expect(updateOf(2, 1).length).toBeGreaterThan(MAX_CONTESTED_CONTRIBUTION_BYTES);
    expect(statement(2, 1).length).toBeLessThan(256);
    const finding = { kind: 'offence', member: 2, key: 'contributions/update/0/2', term: null };
    expect(assess(statement(2, 1), statement(2, 2))).toEqual(finding);
    expect(application.checkContribution(genesis, chainId, statement(2, 1), null).ok).toBe(false);
  });

  test('convict nobody when they are one, of two members, forged, or no statements', () => {
    expect(assess(statement(2, 1), statement(2, 1))).toBe('EVIDENCE_NO_CONFLICT');
    expect(assess(statement(2, 1), statement(3, 2))).toBe('EVIDENCE_NO_CONFLICT');
    const forged = signUpdate({ chainId, slot: 0, rank: 2, shape: [30, 40, 40], tensor: tensorOf(2) }, sign(3));
    expect(assess(statement(2, 1), application.statementOf!(forged))).toBe('EVIDENCE_BAD_SIGNATURE');
    expect(assess(statement(2, 1), updateOf(2, 2))).toBe('EVIDENCE_BAD_SIGNATURE');
    expect(assess(statement(2, 1), new Uint8Array(9))).toBe('EVIDENCE_BAD_SIGNATURE');
  });

  test('are told apart from actions and payments, which are their own statements', () => {
    for (const { bytes } of [chain.action(1, null), chain.payment(1, true)]) {
      expect(application.statementOf!(bytes)).toEqual(bytes);
      const verdict = chain.rules.application.checkStatement!(chain.rules.genesis, chain.rules.chainId, bytes);
      expect(verdict).toMatchObject({ ok: true, statement: { author: 1, signedBy: 'member', dueInSlot: LAST_HOUR } });
    }
  });
});

describe('two statements under one key', () => {
  test('are left out by the composer, and refused by voters', () => {
    const { rules, state, certificate } = chain;
    const context = { ...settlementContext(rules, state, certificate, settlement.block.header), blobs: chain.blobs };
    const barred = new Set(['update/23/2']);
    const payload = rules.application.prepare({ ...context, barred }, updates);
    expect(decodePayload(payload).updates.map(({ rank }) => rank)).toEqual([0, 1, 3]);
    const execute = () => rules.application.execute({ ...context, barred }, settlement.block.payload, {} as never);
    expect(execute).toThrow(expect.objectContaining({ code: 'POSOC_BARRED_MESSAGE' }));
  });
});

describe('what a settlement includes', () => {
  test('is told by key, for what enough voters have reported to hold', () => {
    const { application, genesis } = chain.rules;
    const keys = application.included(settlement.block.payload);
    expect([...keys].sort()).toEqual([0, 1, 2, 3].map((rank) => application.owed(genesis, LAST_HOUR, rank)[1]));
    expect(() => application.included(new Uint8Array(3))).toThrow(
      expect.objectContaining({ code: 'POSOC_MALFORMED_PAYLOAD' }),
    );
  });

  test('holds only what may stand there: an EV that is away or does not pay is not reported', () => {
    const { application, genesis } = chain.rules;
    const admits = (contribution: Contribution) => application.admits(genesis, chain.app, LAST_HOUR, contribution);
    expect(admits(updates[0]!)).toBe(true);
    expect(admits(chain.action(0, { actionWh: 0n }))).toBe(true);
    expect(admits(chain.action(0, null))).toBe(false);
    expect(admits(chain.payment(0, true))).toBe(true);
    expect(admits(chain.payment(0, false))).toBe(false);
    expect(admits(chain.payment(0, true, LAST_HOUR + 1))).toBe(false);
  });
});
