import { describe, expect, test } from 'vitest';
import { ROUND_WINDOW } from '../../src/engine/index.ts';
import { type ProposalFault, proposalFault } from '../../src/engine/proposals.ts';
import { Bench } from './bench.ts';
import { fakeBlock, fakeContext, fakeProposal, fakeVotes, HEIGHT } from './fake-chain.ts';

const context = fakeContext({ members: 4, self: 3 });
const X = fakeBlock(0, 0);
const POL = fakeVotes('prevote', [0, 1, 2], 1, X.blockHash);

describe('form of a proposal', () => {
  const faultOf = (proposal: ReturnType<typeof fakeProposal>, block = X.block, polVotes = POL): ProposalFault | null =>
    proposalFault(context, proposal, block, polVotes);

  test('a fresh block of the proposer and a block proposed again with its prevotes are acceptable', () => {
    expect(faultOf(fakeProposal(0, 0, X.blockHash), X.block, [])).toBeNull();
    expect(faultOf(fakeProposal(2, 2, X.blockHash, 1))).toBeNull();
    const fifth = fakeBlock(1, 5);
    expect(faultOf(fakeProposal(1, 5, fifth.blockHash), fifth.block, [])).toBeNull();
  });

  test('its height is this one, and so is the block', () => {
    expect(faultOf(fakeProposal(0, 0, X.blockHash, -1, HEIGHT + 1))).toBe('height');
    const other = fakeBlock(0, 0, 'a', HEIGHT + 1);
    expect(faultOf(fakeProposal(0, 0, other.blockHash), other.block)).toBe('height');
  });

  test('only the proposer of the round proposes', () => {
    expect(faultOf(fakeProposal(1, 0, X.blockHash))).toBe('proposer');
    expect(faultOf(fakeProposal(0, 2, X.blockHash, 1))).toBe('proposer');
  });

  test('a fresh block is composed in the round of the proposal', () => {
    expect(faultOf(fakeProposal(1, 1, X.blockHash))).toBe('composing-round');
    expect(faultOf(fakeProposal(0, 4, X.blockHash))).toBe('composing-round');
  });

  test('a block proposed again was composed no later than polRound', () => {
    const second = fakeBlock(2, 2);
    const votes = fakeVotes('prevote', [0, 1, 2], 1, second.blockHash);
    expect(faultOf(fakeProposal(3, 3, second.blockHash, 1), second.block, votes)).toBe('composing-round');
    const negative = fakeBlock(0, -4);
    expect(faultOf(fakeProposal(2, 2, negative.blockHash, 1), negative.block)).toBe('composing-round');
  });

  test('the composer is the proposer of the composing round', () => {
    const foreign = fakeBlock(1, 0);
    expect(faultOf(fakeProposal(0, 0, foreign.blockHash), foreign.block)).toBe('composer');
    const votes = fakeVotes('prevote', [0, 1, 2], 1, foreign.blockHash);
    expect(faultOf(fakeProposal(2, 2, foreign.blockHash, 1), foreign.block, votes)).toBe('composer');
  });

  test.each([
    ['polRound = round', 2],
    ['polRound after round', 3],
    ['polRound before -1', -2],
    ['polRound that is no integer', 0.5],
  ])('%s is out of range', (_name, polRound) => {
    expect(faultOf(fakeProposal(2, 2, X.blockHash, polRound))).toBe('round');
  });

  test.each([
    ['none', []],
    ['too few', POL.slice(1)],
    ['one voter twice', [POL[0], POL[0], POL[1]]],
    ['of another round', fakeVotes('prevote', [0, 1, 2], 0, X.blockHash)],
    ['for another block', fakeVotes('prevote', [0, 1, 2], 1, 'other')],
    ['of the other type', fakeVotes('precommit', [0, 1, 2], 1, X.blockHash)],
    ['of no members', fakeVotes('prevote', [0, 1, 4], 1, X.blockHash)],
    ['of another height', POL.map((vote) => ({ ...vote, height: HEIGHT + 1 }))],
  ])('prevotes of polRound: %s', (_name, votes) => {
    expect(faultOf(fakeProposal(2, 2, X.blockHash, 1), X.block, votes as typeof POL)).toBe('pol-votes');
  });
});

describe('prevoting on a proposal', () => {
  test('a valid block gets a prevote at once, for the round proposer only', () => {
    const bench = new Bench({ members: 4, self: 3 });
    const effects = bench.fresh(X);
    expect(effects.signed('prevote')).toBe(X.blockHash);
    expect(effects.of('send-vote').map(({ to, vote }) => [to, vote.blockHash, vote.timestampMs])).toEqual([
      [0, X.blockHash, 1000],
    ]);
    expect(effects.of('broadcast-votes')).toEqual([]);
  });

  test('an invalid block gets nil at once, broadcast', () => {
    const bench = new Bench({ members: 4, self: 3, judge: () => 'invalid' });
    const effects = bench.fresh(X);
    expect(effects.signed('prevote')).toBeNull();
    expect(effects.of('send-vote')).toEqual([]);
    expect(effects.broadcasts).toEqual(['prevote 0 3 nil']);
  });

  test('a proposal that breaks the rules is not voted on', () => {
    const bench = new Bench({ members: 4, self: 3 });
    const effects = bench.proposal(fakeProposal(1, 0, X.blockHash), X.block);
    expect(effects.all).toEqual([]);
  });

  test('one vote per round: neither a second proposal nor the timer brings another', () => {
    const bench = new Bench({ members: 4, self: 3 });
    bench.fresh(X);
    expect(bench.fresh(fakeBlock(0, 0, 'b')).signed('prevote')).toBeUndefined();
    expect(bench.timer('propose', 0).signed('prevote')).toBeUndefined();
  });

  test('a proposal of a later round waits until the peer is there', () => {
    const bench = new Bench({ members: 4, self: 3 });
    const second = fakeBlock(1, 1);
    bench.step({ type: 'block-wanted' });
    expect(bench.fresh(second).signed('prevote')).toBeUndefined();
    bench.timer('propose', 0);
    bench.votes('precommit', [0, 1, 2], 0, null);
    expect(bench.timer('precommit', 0).signed('prevote')).toBe(second.blockHash);
  });

  test('proposals too far ahead are not held', () => {
    const bench = new Bench({ members: 4, self: 3 });
    for (let round = 1; round <= 3 * ROUND_WINDOW; round++) bench.fresh(fakeBlock(round % 4, round));
    expect(bench.state.round).toBeLessThanOrEqual(3 * ROUND_WINDOW);
    expect(Math.max(...bench.state.rounds.keys())).toBeLessThanOrEqual(bench.state.round + ROUND_WINDOW);
    expect(bench.state.blocks.size).toBeLessThanOrEqual(ROUND_WINDOW + 2);
    const lone = new Bench({ members: 4, self: 3 });
    lone.fresh(fakeBlock(0, 4 * ROUND_WINDOW));
    expect(lone.state.blocks.size).toBe(0);
  });

  test('two proposals of one round are a conflict, once, and the first one counts', () => {
    const bench = new Bench({ members: 4, self: 3, judge: () => 'defer' });
    bench.fresh(X);
    expect(bench.fresh(X).of('conflict')).toEqual([]);
    const effects = bench.fresh(fakeBlock(0, 0, 'b'));
    expect(effects.of('conflict').map(({ first, second }) => [first.blockHash, second.blockHash])).toEqual([
      [X.blockHash, fakeBlock(0, 0, 'b').blockHash],
    ]);
    expect(bench.fresh(fakeBlock(0, 0, 'c')).of('conflict')).toEqual([]);
    expect(bench.state.rounds.get(0)?.proposal?.proposal.blockHash).toBe(X.blockHash);
  });
});

describe('deferring', () => {
  test('a deferred block is neither accepted nor refused until the peer reconsiders', () => {
    let verdict: 'defer' | 'valid' = 'defer';
    let asked = 0;
    const judge = (): 'defer' | 'valid' => {
      asked += 1;
      return verdict;
    };
    const bench = new Bench({ members: 4, self: 3, judge });
    expect(bench.fresh(X).signed('prevote')).toBeUndefined();
    verdict = 'valid';
    expect(bench.votes('prevote', [1], 0, X.blockHash).signed('prevote')).toBeUndefined();
    expect(asked).toBe(1);
    expect(bench.step({ type: 'reconsider' }).signed('prevote')).toBe(X.blockHash);
  });

  test('a block that is still deferred when the propose timer ends gets nil', () => {
    const bench = new Bench({ members: 4, self: 3, judge: () => 'defer' });
    bench.fresh(X);
    expect(bench.step({ type: 'reconsider' }).signed('prevote')).toBeUndefined();
    expect(bench.timer('propose', 0).signed('prevote')).toBeNull();
    expect(bench.step({ type: 'reconsider' }).signed('prevote')).toBeUndefined();
  });

  test('a final verdict is asked for once', () => {
    let asked = 0;
    const judge = (): 'invalid' => {
      asked += 1;
      return 'invalid';
    };
    const bench = new Bench({ members: 4, self: 3, judge });
    bench.fresh(X);
    bench.step({ type: 'reconsider' });
    bench.again(X, 1, 0);
    bench.votes('prevote', [0, 1, 2], 0, X.blockHash);
    expect(asked).toBe(1);
  });
});

describe('proposing', () => {
  const ownTurn = (): Bench => new Bench({ members: 4, self: 0 });

  test('nothing is composed unasked at the start; asked, the round 0 proposer composes once', () => {
    const bench = ownTurn();
    expect(bench.step({ type: 'block-wanted' }).of('compose')).toEqual([]);
    expect(bench.step({ type: 'can-compose' }).of('compose')).toEqual([{ type: 'compose', round: 0 }]);
    expect(bench.step({ type: 'can-compose' }).of('compose')).toEqual([]);
  });

  test('who is not the proposer composes nothing', () => {
    const bench = new Bench({ members: 4, self: 1 });
    expect(bench.step({ type: 'can-compose' }).all).toEqual([]);
    expect(bench.step({ type: 'composed', round: 0, ...fakeBlock(1, 0) }).all).toEqual([]);
  });

  test('the composed block is logged, proposed and prevoted; the vote counts without travelling', () => {
    const bench = ownTurn();
    bench.step({ type: 'can-compose' });
    const effects = bench.step({ type: 'composed', round: 0, ...X });
    expect(effects.records('proposal').map(({ proposal }) => proposal)).toEqual([fakeProposal(0, 0, X.blockHash)]);
    expect(effects.of('broadcast-proposal').map(({ proposal, polVotes }) => [proposal.blockHash, polVotes])).toEqual([
      [X.blockHash, []],
    ]);
    expect(effects.signed('prevote')).toBe(X.blockHash);
    expect(effects.of('send-vote')).toEqual([]);
    expect(bench.state.rounds.get(0)?.prevote.total).toBe(1);
    expect(bench.step({ type: 'can-compose' }).of('compose')).toEqual([]);
  });

  test('nothing to compose: the peer may be asked again', () => {
    const bench = ownTurn();
    bench.step({ type: 'can-compose' });
    expect(bench.step({ type: 'composed', round: 0, block: null, blockHash: null }).all).toEqual([]);
    expect(bench.step({ type: 'can-compose' }).of('compose')).toHaveLength(1);
  });

  test('a second block of the round, a block of another round and one that is too late are not proposed', () => {
    const bench = ownTurn();
    bench.step({ type: 'composed', round: 0, ...X });
    expect(bench.step({ type: 'composed', round: 0, ...fakeBlock(0, 0, 'b') }).of('broadcast-proposal')).toEqual([]);
    expect(
      ownTurn()
        .step({ type: 'composed', round: 0, ...fakeBlock(0, 4) })
        .of('broadcast-proposal'),
    ).toEqual([]);
    expect(
      ownTurn()
        .step({ type: 'composed', round: 4, ...fakeBlock(0, 4) })
        .of('broadcast-proposal'),
    ).toEqual([]);
    const late = ownTurn();
    late.step({ type: 'block-wanted' });
    late.timer('propose', 0);
    expect(late.step({ type: 'composed', round: 0, ...X }).of('broadcast-proposal')).toEqual([]);
    expect(late.step({ type: 'can-compose' }).of('compose')).toEqual([]);
  });

  test('a peer proposes and holds nothing that it would not vote for', () => {
    const bench = new Bench({ members: 4, self: 0, judge: () => 'invalid' });
    expect(bench.step({ type: 'composed', round: 0, ...X }).all).toEqual([]);
    expect(bench.state.blocks.size).toBe(0);
  });

  test('the proposer of a later round composes on entering it', () => {
    const bench = new Bench({ members: 4, self: 1 });
    bench.votes('precommit', [0, 2, 3], 0, null);
    expect(bench.timer('precommit', 0).of('compose')).toEqual([{ type: 'compose', round: 1 }]);
  });

  test('the proposer of a later round proposes its valid value again, with its prevotes', () => {
    const bench = new Bench({ members: 4, self: 1 });
    bench.fresh(X);
    bench.votes('prevote', [0, 2, 3], 0, X.blockHash);
    bench.votes('precommit', [0, 2, 3], 0, null);
    const effects = bench.timer('precommit', 0);
    expect(effects.of('compose')).toEqual([]);
    const [sent] = effects.of('broadcast-proposal');
    expect(sent?.proposal).toEqual(fakeProposal(1, 1, X.blockHash, 0));
    expect(sent?.polVotes).toEqual(fakeVotes('prevote', [0, 2, 3], 0, X.blockHash));
    expect(effects.records('proposal')).toHaveLength(1);
    expect(effects.signed('prevote')).toBe(X.blockHash);
  });

  test('a valid value that comes while the peer composes goes before the composed block', () => {
    const bench = new Bench({ members: 4, self: 1 });
    bench.step({ type: 'block-wanted' });
    bench.votes('precommit', [0, 2, 3], 0, null);
    expect(bench.timer('precommit', 0).of('compose')).toHaveLength(1);
    bench.fresh(X);
    const effects = bench.votes('prevote', [0, 2, 3], 0, X.blockHash);
    const fetched = effects.of('fetch-block').length > 0 ? bench.step({ type: 'block', ...X }) : effects;
    expect(fetched.of('broadcast-proposal').map(({ proposal }) => proposal.polRound)).toEqual([0]);
    expect(bench.step({ type: 'composed', round: 1, ...fakeBlock(1, 1) }).of('broadcast-proposal')).toEqual([]);
  });
});
