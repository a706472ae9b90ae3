import { describe, expect, test } from 'vitest';
import { heldBlock } from '../../src/engine/index.ts';
import { Bench } from './bench.ts';
import { fakeBlock, fakeVotes, HEIGHT } from './fake-chain.ts';

const X = fakeBlock(0, 0);
const CERTIFICATE = {
  height: HEIGHT,
  round: 0,
  blockHash: X.blockHash,
  votes: fakeVotes('precommit', [0, 1, 2], 0, X.blockHash),
};

describe('a quorum of precommits of one round for one block', () => {
  test('decides, with the bundle as certificate, which is broadcast', () => {
    const bench = new Bench({ members: 4, self: 3 });
    bench.fresh(X);
    const effects = bench.votes('precommit', [2, 1, 0], 0, X.blockHash);
    expect(effects.of('decide')).toEqual([{ type: 'decide', block: X.block, certificate: CERTIFICATE }]);
    expect(effects.of('broadcast-votes').map(({ votes }) => votes)).toEqual([CERTIFICATE.votes]);
    expect(bench.state.decision).toEqual({ block: X.block, certificate: CERTIFICATE });
  });

  test('one short, spread over two rounds or for nil it does not', () => {
    const bench = new Bench({ members: 4, self: 3 });
    bench.fresh(X);
    expect(bench.votes('precommit', [0, 1], 0, X.blockHash).of('decide')).toEqual([]);
    expect(bench.votes('precommit', [2], 1, X.blockHash).of('decide')).toEqual([]);
    expect(bench.votes('precommit', [0, 1, 2], 1, null).of('decide')).toEqual([]);
    expect(bench.state.commit).toBeNull();
  });

  test('of an earlier round decides as well', () => {
    const bench = new Bench({ members: 4, self: 3 });
    bench.fresh(X);
    bench.votes('prevote', [0, 1], 2, null);
    expect(bench.state.round).toBe(2);
    bench.step({ type: 'block', ...X });
    bench.votes('precommit', [0, 1, 2], 0, X.blockHash);
    expect(bench.step({ type: 'block', ...X }).of('decide')).toHaveLength(1);
  });

  test('fetches a missing block, again with each resend, and decides when it comes', () => {
    const bench = new Bench({ members: 4, self: 3 });
    const fetch = { type: 'fetch-block', blockHash: X.blockHash };
    expect(bench.votes('precommit', [0, 1, 2], 0, X.blockHash).of('fetch-block')).toEqual([fetch]);
    expect(bench.votes('precommit', [0, 1, 2], 0, X.blockHash).of('fetch-block')).toEqual([]);
    expect(bench.timer('resend', 0).of('fetch-block')).toEqual([fetch]);
    expect(bench.step({ type: 'block', ...fakeBlock(0, 0, 'other') }).of('decide')).toEqual([]);
    expect(bench.step({ type: 'block', ...X }).of('decide')).toHaveLength(1);
    expect(heldBlock(bench.state, X.blockHash)).toBe(X.block);
    expect(heldBlock(bench.state, 'other')).toBeNull();
  });

  test('takes a missing block from a proposal, even one that is not the first of its round', () => {
    const bench = new Bench({ members: 4, self: 3 });
    bench.fresh(fakeBlock(0, 0, 'other'));
    bench.votes('precommit', [0, 1, 2], 0, X.blockHash);
    expect(bench.fresh(X).of('decide')).toHaveLength(1);
  });

  test('overrules a deferral, but never makes an invalid block decided', () => {
    const deferring = new Bench({ members: 4, self: 3, judge: () => 'defer' });
    deferring.fresh(X);
    expect(deferring.votes('precommit', [0, 1, 2], 0, X.blockHash).of('decide')).toHaveLength(1);
    const refusing = new Bench({ members: 4, self: 3, judge: () => 'invalid' });
    refusing.fresh(X);
    expect(refusing.votes('precommit', [0, 1, 2], 0, X.blockHash).of('decide')).toEqual([]);
  });

  test('ends the height: no later event changes the state or has an effect', () => {
    const bench = new Bench({ members: 4, self: 3 });
    bench.fresh(X);
    bench.votes('precommit', [0, 1, 2], 0, X.blockHash);
    const decided = bench.state;
    const effects = [
      bench.timer('resend', 0),
      bench.timer('propose', 0),
      bench.votes('prevote', [0, 1, 2], 3, null),
      bench.fresh(fakeBlock(0, 0, 'other')),
      bench.step({ type: 'block-wanted' }),
    ];
    expect(effects.flatMap(({ all }) => all)).toEqual([]);
    expect(bench.state).toBe(decided);
  });
});

describe('a follower', () => {
  test('decides from bundles and signs, schedules and composes nothing', () => {
    const bench = new Bench({ members: 4, self: null });
    const effects = [
      bench.step({ type: 'block-wanted' }),
      bench.step({ type: 'can-compose' }),
      bench.fresh(X),
      bench.timer('propose', 0),
      bench.votes('prevote', [0, 1, 2], 0, X.blockHash),
      bench.votes('prevote', [0, 1], 1, null),
    ];
    expect(effects.flatMap(({ all }) => all)).toEqual([]);
    expect(bench.votes('precommit', [0, 1, 2], 0, X.blockHash).of('decide')).toHaveLength(1);
  });

  test('fetches what it lacks, again and again, and follows to higher rounds', () => {
    const bench = new Bench({ members: 4, self: null });
    bench.votes('prevote', [0, 1], 5, null);
    expect(bench.state.round).toBe(5);
    const effects = bench.votes('precommit', [0, 1, 2], 5, X.blockHash);
    expect(effects.of('fetch-block')).toHaveLength(1);
    expect(effects.timers).toEqual(['resend 0 in 200']);
    expect(bench.timer('resend', 0).of('fetch-block')).toHaveLength(1);
    expect(bench.step({ type: 'block', ...X }).of('decide')).toHaveLength(1);
  });
});
