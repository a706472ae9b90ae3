import { describe, expect, test } from 'vitest';
import { addVotes, emptyRoundVotes, findBundle } from '../../src/engine/round-votes.ts';
import { fakeVote, fakeVotes } from './fake-chain.ts';

const QUORUM = 3;

describe('votes of one type and round', () => {
  test('a quorum is exactly q votes for one hash in ascending rank', () => {
    const { held } = addVotes(emptyRoundVotes(4), fakeVotes('prevote', [3, 1, 0, 2], 0, 'x'), QUORUM);
    expect(held.total).toBe(4);
    expect(held.quorum).toEqual({ blockHash: 'x', votes: fakeVotes('prevote', [0, 1, 3], 0, 'x') });
  });

  test('votes for different hashes make no quorum together', () => {
    const votes = [
      ...fakeVotes('prevote', [0, 1], 0, 'x'),
      ...fakeVotes('prevote', [2], 0, 'y'),
      ...fakeVotes('prevote', [3], 0, null),
    ];
    const { held } = addVotes(emptyRoundVotes(4), votes, QUORUM);
    expect(held.total).toBe(4);
    expect(held.quorum).toBeNull();
  });

  test('repeating one voter makes no quorum', () => {
    const votes = [0, 1, 0, 1, 0].map((voter, index) => fakeVote('prevote', voter, 0, 'x', index));
    expect(findBundle(votes, QUORUM)).toBeNull();
    expect(addVotes(emptyRoundVotes(4), votes, QUORUM).held.quorum).toBeNull();
  });

  test('a quorum collected vote by vote is the first q and stays when more come', () => {
    let held = emptyRoundVotes(4);
    for (const voter of [3, 2, 0, 1]) held = addVotes(held, [fakeVote('prevote', voter, 0, 'x')], QUORUM).held;
    expect(held.quorum?.votes.map((vote) => vote.voter)).toEqual([0, 2, 3]);
  });

  test('a complete bundle is kept as it came, not mixed with what was counted before', () => {
    const first = addVotes(emptyRoundVotes(4), [fakeVote('prevote', 0, 0, 'x')], QUORUM).held;
    const bundle = fakeVotes('prevote', [1, 2, 3], 0, 'x');
    expect(addVotes(first, bundle, QUORUM).held.quorum?.votes).toEqual(bundle);
  });

  test('the first vote of a voter counts and the second is a conflict, reported once', () => {
    const first = fakeVote('prevote', 2, 0, 'x');
    const second = fakeVote('prevote', 2, 0, null);
    const third = fakeVote('prevote', 2, 0, 'y');
    const start = addVotes(emptyRoundVotes(4), [first], QUORUM);
    const next = addVotes(start.held, [second], QUORUM);
    expect(next.conflicts).toEqual([{ first, second }]);
    expect(next.held.byVoter[2]).toBe(first);
    expect(next.held.total).toBe(1);
    expect(addVotes(next.held, [third], QUORUM).conflicts).toEqual([]);
  });

  test('two votes for one hash do not conflict, whatever else differs', () => {
    const start = addVotes(emptyRoundVotes(4), [fakeVote('prevote', 2, 0, 'x', 1)], QUORUM).held;
    const next = addVotes(start, [fakeVote('prevote', 2, 0, 'x', 2)], QUORUM);
    expect(next.conflicts).toEqual([]);
    expect(next.held.byVoter[2]?.timestampMs).toBe(1);
  });

  test('a bundle proves its quorum although a double voter was counted for something else', () => {
    const start = addVotes(emptyRoundVotes(4), fakeVotes('prevote', [3], 0, null), QUORUM).held;
    const next = addVotes(start, fakeVotes('prevote', [1, 2, 3], 0, 'x'), QUORUM);
    expect(next.held.quorum?.blockHash).toBe('x');
    expect(next.conflicts).toHaveLength(1);
  });

  test('what was given stays as it was', () => {
    const start = emptyRoundVotes(4);
    addVotes(start, fakeVotes('prevote', [0, 1, 2], 0, 'x'), QUORUM);
    expect(start).toEqual(emptyRoundVotes(4));
  });
});
