import { describe, expect, test } from 'vitest';
import { lockAllows } from '../../src/engine/locking.ts';
import { Bench } from './bench.ts';
import { fakeBlock, fakeVotes } from './fake-chain.ts';

const X = fakeBlock(0, 0);
const OTHERS = [0, 1, 2];

/** Rank 3 of 4, locked on X in round 0 and now in round 1 without a decision. */
function lockedOnX(): Bench {
  const bench = new Bench({ members: 4, self: 3 });
  bench.fresh(X);
  bench.votes('prevote', OTHERS, 0, X.blockHash);
  bench.votes('precommit', OTHERS, 0, null);
  bench.timer('precommit', 0);
  expect([bench.state.round, bench.state.locked?.blockHash]).toEqual([1, X.blockHash]);
  return bench;
}

describe('a quorum of prevotes for a valid block', () => {
  test('in the current round, seen in time: lock, precommit, bundle', () => {
    const bench = new Bench({ members: 4, self: 3 });
    bench.fresh(X);
    const effects = bench.votes('prevote', OTHERS, 0, X.blockHash);
    const prevotes = fakeVotes('prevote', OTHERS, 0, X.blockHash);
    expect(effects.records('lock')).toEqual([{ type: 'lock', round: 0, ...X, prevotes }]);
    expect(effects.records('valid')).toEqual([]);
    expect(effects.signed('precommit')).toBe(X.blockHash);
    expect(effects.of('broadcast-votes').map(({ votes }) => votes)).toEqual([prevotes]);
    expect(effects.of('send-vote').map(({ to, vote }) => [to, vote.type])).toEqual([[0, 'precommit']]);
    expect(bench.state.locked).toEqual(bench.state.valid);
    expect(bench.state.locked?.round).toBe(0);
  });

  test('one vote short does nothing', () => {
    const bench = new Bench({ members: 4, self: 3 });
    bench.fresh(X);
    const effects = bench.votes('prevote', [0], 0, X.blockHash);
    expect(effects.signed('precommit')).toBeUndefined();
    expect(bench.state.locked).toBeNull();
  });

  test('a precommit for a block carries the extension, nil does not', () => {
    const bench = new Bench({ members: 4, self: 3 });
    const prevote = bench.fresh(X);
    expect(prevote.records('vote').map(({ vote }) => vote.extension)).toEqual([null]);
    const forBlock = bench.votes('prevote', OTHERS, 0, X.blockHash);
    expect(forBlock.records('vote').map(({ vote }) => vote.extension)).toEqual([
      { beaconShare: null, held: '', overdue: [] },
    ]);
    bench.advanceTo(1, OTHERS);
    bench.timer('propose', 1);
    const nil = bench.votes('prevote', OTHERS, 1, null);
    expect(nil.records('vote').map(({ vote }) => [vote.type, vote.extension])).toEqual([['precommit', null]]);
  });

  test('an invalid or a deferred block is not locked', () => {
    for (const verdict of ['invalid', 'defer'] as const) {
      const bench = new Bench({ members: 4, self: 3, judge: () => verdict });
      bench.fresh(X);
      bench.timer('propose', 0);
      const effects = bench.votes('prevote', OTHERS, 0, X.blockHash);
      expect(effects.signed('precommit')).toBeUndefined();
      expect([bench.state.locked, bench.state.valid]).toEqual([null, null]);
    }
  });

  test('a peer that prevoted nil locks all the same, once it has fetched the block', () => {
    const bench = new Bench({ members: 4, self: 3 });
    bench.step({ type: 'block-wanted' });
    bench.timer('propose', 0);
    const effects = bench.votes('prevote', OTHERS, 0, X.blockHash);
    expect(effects.of('fetch-block')).toEqual([{ type: 'fetch-block', blockHash: X.blockHash }]);
    expect(bench.state.missing).toEqual([X.blockHash]);
    expect(effects.signed('precommit')).toBeUndefined();
    expect(bench.step({ type: 'block', ...X }).signed('precommit')).toBe(X.blockHash);
    expect(bench.state.missing).toEqual([]);
  });

  test('before the own prevote it only waits', () => {
    const bench = new Bench({ members: 4, self: 3, judge: () => 'defer' });
    bench.fresh(X);
    bench.votes('prevote', OTHERS, 0, X.blockHash);
    expect([bench.state.step, bench.state.locked, bench.state.valid]).toEqual(['propose', null, null]);
    const without = new Bench({ members: 4, self: 3 });
    without.votes('prevote', OTHERS, 0, X.blockHash);
    expect(without.step({ type: 'block', ...X }).of('persist')).toEqual([]);
    const effects = without.timer('propose', 0);
    expect([effects.signed('prevote'), effects.signed('precommit')]).toEqual([null, X.blockHash]);
  });

  test('after the own precommit it is a valid value and no lock', () => {
    const bench = new Bench({ members: 4, self: 3 });
    bench.fresh(X);
    bench.votes('prevote', [0, 1], 0, null);
    bench.timer('prevote', 0);
    expect(bench.state.step).toBe('precommit');
    const effects = bench.votes('prevote', OTHERS, 0, X.blockHash);
    const prevotes = fakeVotes('prevote', OTHERS, 0, X.blockHash);
    expect(effects.records('valid')).toEqual([{ type: 'valid', round: 0, ...X, prevotes }]);
    expect(effects.of('broadcast-votes').map(({ votes }) => votes)).toEqual([prevotes]);
    expect(effects.signed('precommit')).toBeUndefined();
    expect([bench.state.locked, bench.state.valid?.round]).toEqual([null, 0]);
  });

  test('that travels with a proposal is one too', () => {
    const bench = new Bench({ members: 4, self: 3 });
    bench.votes('prevote', [0, 1], 2, null);
    expect(
      bench
        .again(X, 2, 1)
        .records('valid')
        .map(({ round }) => round),
    ).toEqual([1]);
  });

  test('from an earlier round it is a valid value, newer ones first, older ones never', () => {
    const bench = new Bench({ members: 4, self: 3 });
    bench.fresh(X);
    bench.votes('prevote', [0, 1], 3, null);
    const second = fakeBlock(1, 1);
    bench.votes('prevote', OTHERS, 1, second.blockHash);
    expect(
      bench
        .step({ type: 'block', ...second })
        .records('valid')
        .map(({ round }) => round),
    ).toEqual([1]);
    expect(bench.votes('prevote', OTHERS, 0, X.blockHash).records('valid')).toEqual([]);
    expect(bench.state.valid?.blockHash).toBe(second.blockHash);
    expect(bench.state.locked).toBeNull();
  });
});

describe('the lock', () => {
  test('the locked block is prevoted, fresh proof or not', () => {
    expect(lockedOnX().again(X, 1, 0).signed('prevote')).toBe(X.blockHash);
  });

  test('another block is refused without a quorum of prevotes', () => {
    const bench = lockedOnX();
    expect(bench.fresh(fakeBlock(1, 1)).signed('prevote')).toBeNull();
    expect(bench.state.locked?.blockHash).toBe(X.blockHash);
  });

  test('prevotes from a round before the lock do not free a peer, from its round or a later one they do', () => {
    const locked = { round: 2, ...X, prevotes: [] };
    expect(lockAllows(locked, { blockHash: 'other', polRound: 1 })).toBe(false);
    expect(lockAllows(locked, { blockHash: 'other', polRound: 2 })).toBe(true);
    expect(lockAllows(locked, { blockHash: 'other', polRound: 3 })).toBe(true);
    expect(lockAllows(locked, { blockHash: X.blockHash, polRound: 0 })).toBe(true);
    expect(lockAllows(null, { blockHash: 'other', polRound: -1 })).toBe(true);
  });

  test('a newer quorum of prevotes moves prevote, lock and valid value to its block', () => {
    const bench = lockedOnX();
    const second = fakeBlock(1, 1);
    bench.fresh(second);
    bench.advanceTo(2, OTHERS);
    expect(bench.again(second, 2, 1).signed('prevote')).toBe(second.blockHash);
    const effects = bench.votes('prevote', OTHERS, 2, second.blockHash);
    expect(effects.records('lock').map(({ round, blockHash }) => [round, blockHash])).toEqual([[2, second.blockHash]]);
    expect(effects.signed('precommit')).toBe(second.blockHash);
  });

  test('a quorum of nil prevotes precommits nil and keeps the lock', () => {
    const bench = lockedOnX();
    bench.timer('propose', 1);
    expect(bench.votes('prevote', OTHERS, 1, null).signed('precommit')).toBeNull();
    expect(bench.state.locked?.blockHash).toBe(X.blockHash);
    expect(bench.state.valid?.blockHash).toBe(X.blockHash);
  });

  test('nil prevotes before the own prevote do not precommit', () => {
    const bench = lockedOnX();
    expect(bench.votes('prevote', OTHERS, 1, null).signed('precommit')).toBeUndefined();
    expect(bench.timer('propose', 1).signed('precommit')).toBeNull();
  });
});
