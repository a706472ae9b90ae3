import { describe, expect, test } from 'vitest';
import { Bench } from './bench.ts';
import { fakeBlock, fakeVote, fakeVotes, HEIGHT } from './fake-chain.ts';

const X = fakeBlock(0, 0);
const bundleOf = (type: 'prevote' | 'precommit', voters: number[], round: number, hash: string): string =>
  voters.map((voter) => `${type} ${round} ${voter} ${hash}`).join(', ');

describe('what is counted', () => {
  test('votes of another height, of no member or of no round are dropped', () => {
    const bench = new Bench({ members: 4, self: 3 });
    const good = fakeVote('precommit', 0, 0, X.blockHash);
    const votes = [
      { ...good, height: HEIGHT + 1 },
      { ...good, voter: 4 },
      { ...good, voter: -1 },
      { ...good, voter: 0.5 },
      { ...good, round: -1 },
      { ...good, round: 0.5 },
    ];
    expect(bench.step({ type: 'votes', votes }).all).toEqual([]);
    expect(bench.state.rounds.size).toBe(0);
    expect(bench.state.highestRounds).toEqual([-1, -1, -1, -1]);
  });

  test('a second vote for another hash is a conflict, once', () => {
    const bench = new Bench({ members: 4, self: 3 });
    bench.votes('prevote', [1], 0, X.blockHash);
    expect(bench.votes('prevote', [1], 0, X.blockHash).of('conflict')).toEqual([]);
    const effects = bench.votes('prevote', [1], 0, null);
    const [first, second] = [fakeVote('prevote', 1, 0, X.blockHash), fakeVote('prevote', 1, 0, null)];
    expect(effects.of('conflict')).toEqual([{ type: 'conflict', first, second }]);
    expect(bench.votes('prevote', [1], 0, 'other').of('conflict')).toEqual([]);
    expect(bench.votes('precommit', [1], 0, null).of('conflict')).toEqual([]);
    expect(bench.votes('prevote', [1], 1, null).of('conflict')).toEqual([]);
  });

  test('lists may mix rounds, types and hashes', () => {
    const bench = new Bench({ members: 4, self: 3 });
    bench.fresh(X);
    const votes = [
      fakeVote('prevote', 1, 0, X.blockHash),
      fakeVote('precommit', 1, 0, null),
      fakeVote('prevote', 2, 0, X.blockHash),
    ];
    expect(bench.step({ type: 'votes', votes }).signed('precommit')).toBe(X.blockHash);
  });
});

describe('the proposer collects', () => {
  test('and broadcasts exactly the q prevotes and q precommits, once', () => {
    const bench = new Bench({ members: 4, self: 0 });
    bench.step({ type: 'composed', round: 0, ...X });
    expect(bench.votes('prevote', [3], 0, X.blockHash).broadcasts).toEqual([]);
    expect(bench.votes('prevote', [2], 0, X.blockHash).broadcasts).toEqual([
      bundleOf('prevote', [0, 2, 3], 0, X.blockHash),
    ]);
    expect(bench.votes('prevote', [1], 0, X.blockHash).broadcasts).toEqual([]);
    bench.votes('precommit', [1], 0, X.blockHash);
    const effects = bench.votes('precommit', [3], 0, X.blockHash);
    expect(effects.broadcasts).toEqual([bundleOf('precommit', [0, 1, 3], 0, X.blockHash)]);
    expect(effects.of('decide')).toHaveLength(1);
  });

  test('also what it does not act upon itself', () => {
    const bench = new Bench({ members: 4, self: 0, judge: () => 'invalid' });
    const bundle = bundleOf('prevote', [1, 2, 3], 0, X.blockHash);
    bench.votes('prevote', [1, 2], 0, X.blockHash);
    expect(bench.votes('prevote', [3], 0, X.blockHash).broadcasts).toEqual([bundle]);
  });

  test('who is not the proposer and does not act on a bundle does not broadcast it', () => {
    const bench = new Bench({ members: 4, self: 2, judge: () => 'invalid' });
    bench.fresh(X);
    expect(bench.votes('prevote', [0, 1, 3], 0, X.blockHash).broadcasts).toEqual([]);
  });

  test('a bundle is passed on as it came', () => {
    const bench = new Bench({ members: 7, self: 6 });
    bench.fresh(X);
    expect(bench.votes('prevote', [5, 4, 3, 2, 1], 0, X.blockHash).broadcasts).toEqual([
      bundleOf('prevote', [1, 2, 3, 4, 5], 0, X.blockHash),
    ]);
  });
});

describe('a voter without a bundle', () => {
  test('broadcasts its vote when the collect timer ends', () => {
    const bench = new Bench({ members: 4, self: 3 });
    expect(bench.fresh(X).timers).toContain('collect-prevote 0 in 60');
    expect(bench.timer('collect-prevote', 0).broadcasts).toEqual([`prevote 0 3 ${X.blockHash}`]);
    const locked = bench.votes('prevote', [0, 1, 2], 0, X.blockHash);
    expect(locked.timers).toContain('collect-precommit 0 in 60');
    expect(bench.timer('collect-prevote', 0).broadcasts).toEqual([]);
    expect(bench.timer('collect-precommit', 0).broadcasts).toEqual([`precommit 0 3 ${X.blockHash}`]);
  });

  test('the proposer too', () => {
    const bench = new Bench({ members: 4, self: 0 });
    expect(bench.step({ type: 'composed', round: 0, ...X }).timers).toContain('collect-prevote 0 in 60');
    expect(bench.timer('collect-prevote', 0).broadcasts).toEqual([`prevote 0 0 ${X.blockHash}`]);
  });

  test('a nil vote is broadcast from the start and waits for nothing', () => {
    const bench = new Bench({ members: 4, self: 3 });
    bench.step({ type: 'block-wanted' });
    const effects = bench.timer('propose', 0);
    expect(effects.broadcasts).toEqual(['prevote 0 3 nil']);
    expect(effects.timers).toEqual([]);
  });

  test('a vote of a round left behind is left to the resend timer', () => {
    const bench = new Bench({ members: 4, self: 3 });
    bench.fresh(X);
    bench.votes('prevote', [0, 1], 1, null);
    expect(bench.state.round).toBe(1);
    expect(bench.timer('collect-prevote', 0).all).toEqual([]);
  });
});

describe('order of effects', () => {
  test('records come before everything else of the step', () => {
    const bench = new Bench({ members: 4, self: 0 });
    const steps = [
      bench.step({ type: 'composed', round: 0, ...X }),
      bench.votes('prevote', [1, 2], 0, X.blockHash),
      bench.votes('precommit', [1, 2], 0, X.blockHash),
    ];
    for (const { all } of steps) {
      const lastRecord = all.findLastIndex((effect) => effect.type === 'persist');
      const firstOther = all.findIndex((effect) => effect.type !== 'persist');
      expect(lastRecord).toBeLessThan(firstOther);
    }
    expect(bench.log.map(({ type }) => type)).toEqual(['proposal', 'vote', 'lock', 'vote']);
  });

  test('the time of the event goes into the vote', () => {
    const bench = new Bench({ members: 4, self: 3 });
    bench.nowMs = 4321;
    expect(bench.fresh(X).records('vote')[0]?.vote.timestampMs).toBe(4321);
  });
});

describe('a vote of this peer that it does not remember', () => {
  test('stands: nothing is signed against it', () => {
    const bench = new Bench({ members: 4, self: 3 });
    bench.votes('prevote', [3], 0, null);
    const effects = bench.fresh(X);
    expect(effects.signed('prevote')).toBeUndefined();
    expect(bench.state.step).toBe('prevote');
  });
});

describe('a single voter', () => {
  test('with q = n = 1 decides in one step', () => {
    const bench = new Bench({ members: 1, self: 0 });
    const effects = bench.step({ type: 'composed', round: 0, ...X });
    expect(effects.of('decide').map(({ certificate }) => certificate.votes)).toEqual([
      fakeVotes('precommit', [0], 0, X.blockHash),
    ]);
  });
});
