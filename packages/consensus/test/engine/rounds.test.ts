import { describe, expect, test } from 'vitest';
import { heldBlock, ROUND_WINDOW } from '../../src/engine/index.ts';
import { Bench } from './bench.ts';
import { fakeBlock, fakeVotes, HEIGHT, TIMEOUTS } from './fake-chain.ts';

const X = fakeBlock(0, 0);

describe('an idle height', () => {
  test('schedules nothing, and starts when a block is wanted, once', () => {
    const bench = new Bench({ members: 4, self: 3 });
    expect(bench.step({ type: 'reconsider' }).all).toEqual([]);
    expect(bench.step({ type: 'block-wanted' }).timers).toEqual(['propose 0 in 100', 'resend 0 in 200']);
    expect(bench.step({ type: 'block-wanted' }).all).toEqual([]);
  });

  test('starts on a proposal', () => {
    const bench = new Bench({ members: 4, self: 3, judge: () => 'defer' });
    expect(bench.fresh(X).timers).toEqual(['propose 0 in 100', 'resend 0 in 200']);
  });

  test('starts on votes of f + 1 members, of whatever round and type, and not of f', () => {
    const bench = new Bench({ members: 7, self: 6 });
    expect(bench.votes('prevote', [0, 1], 0, null).all).toEqual([]);
    expect(bench.votes('precommit', [0, 1], 0, null).all).toEqual([]);
    expect(bench.votes('prevote', [2], 0, 'unknown').timers).toContain('propose 0 in 100');
  });

  test('stays idle for a propose timer that was never set', () => {
    const bench = new Bench({ members: 4, self: 3 });
    expect(bench.timer('propose', 0, HEIGHT - 1).all).toEqual([]);
    expect(bench.state.step).toBe('propose');
  });
});

describe('timeouts', () => {
  test('q prevotes of any kind bound the wait for the rest; then nil is precommitted', () => {
    const bench = new Bench({ members: 4, self: 3 });
    bench.fresh(X);
    expect(bench.votes('prevote', [0], 0, null).timers).toEqual([]);
    expect(bench.votes('prevote', [1], 0, 'other').timers).toEqual(['prevote 0 in 50']);
    expect(bench.votes('prevote', [2], 0, 'third').timers).toEqual([]);
    expect(bench.timer('prevote', 0).signed('precommit')).toBeNull();
  });

  test('the wait for prevotes starts only after the own prevote', () => {
    const bench = new Bench({ members: 4, self: 3 });
    bench.step({ type: 'block-wanted' });
    bench.votes('prevote', [0], 0, null);
    bench.votes('prevote', [1], 0, 'third');
    expect(bench.votes('prevote', [2], 0, 'other').timers).toEqual([]);
    expect(bench.timer('propose', 0).timers).toEqual(['prevote 0 in 50']);
  });

  test('q precommits of any kind bound the wait for a decision; then the next round starts', () => {
    const bench = new Bench({ members: 4, self: 3 });
    bench.fresh(X);
    bench.votes('precommit', [0], 0, null);
    bench.votes('precommit', [1], 0, 'other');
    expect(bench.votes('precommit', [2], 0, X.blockHash).timers).toEqual(['precommit 0 in 50']);
    expect(bench.timer('precommit', 0).timers).toEqual(['propose 1 in 130']);
    expect([bench.state.round, bench.state.step]).toEqual([1, 'propose']);
  });

  test('grow with the round', () => {
    const bench = new Bench({ members: 4, self: 3 });
    bench.votes('prevote', [0], 3, null);
    bench.votes('prevote', [1], 3, 'other');
    expect(bench.timer('propose', 3).timers).toEqual([`prevote 3 in ${TIMEOUTS.prevoteMs + 3 * TIMEOUTS.stepMs}`]);
    expect(bench.votes('precommit', [0, 1, 2], 3, null).timers).toEqual([
      `precommit 3 in ${TIMEOUTS.precommitMs + 3 * TIMEOUTS.stepMs}`,
    ]);
  });

  test('members that have left the round count among those who need not be waited for', () => {
    const bench = new Bench({ members: 7, self: 6 });
    bench.step({ type: 'block-wanted' });
    bench.timer('propose', 0);
    bench.votes('prevote', [0, 1], 0, null);
    bench.votes('precommit', [0, 1], 0, null);
    bench.votes('prevote', [2], 4, null);
    expect(bench.votes('prevote', [3], 2, null).timers).toEqual(['prevote 0 in 50']);
    expect(bench.timer('prevote', 0).timers).toEqual(['precommit 0 in 50']);
  });

  test('a stale timer does nothing', () => {
    const bench = new Bench({ members: 4, self: 3 });
    bench.fresh(X);
    bench.votes('prevote', [0, 1, 2], 0, X.blockHash);
    const before = bench.state;
    expect(bench.timer('propose', 0).all).toEqual([]);
    expect(bench.timer('prevote', 0).all).toEqual([]);
    for (const name of ['propose', 'prevote', 'precommit', 'collect-prevote', 'collect-precommit'] as const) {
      expect(bench.timer(name, 1).all).toEqual([]);
      expect(bench.timer(name, 0, HEIGHT + 1).all).toEqual([]);
    }
    expect(bench.timer('resend', 0, HEIGHT + 1).all).toEqual([]);
    expect(bench.state).toEqual(before);
  });

  test('a timer of another step does nothing', () => {
    const bench = new Bench({ members: 4, self: 3 });
    bench.step({ type: 'block-wanted' });
    expect(bench.timer('prevote', 0).all).toEqual([]);
    expect(bench.state.step).toBe('propose');
    bench.fresh(X);
    bench.votes('prevote', [0], 0, null);
    bench.votes('prevote', [1], 0, 'other');
    bench.timer('prevote', 0);
    expect(bench.timer('propose', 0).all).toEqual([]);
    expect(bench.state.step).toBe('precommit');
  });

  test('a timer of a round left behind does nothing', () => {
    const bench = new Bench({ members: 4, self: 3 });
    bench.step({ type: 'block-wanted' });
    bench.advanceTo(1, [0, 1, 2]);
    for (const name of ['propose', 'prevote', 'precommit'] as const) expect(bench.timer(name, 0).all).toEqual([]);
    expect([bench.state.round, bench.state.step]).toEqual([1, 'propose']);
  });
});

describe('the jump', () => {
  test('f members in a higher round are not enough, f + 1 are', () => {
    const bench = new Bench({ members: 7, self: 6 });
    bench.votes('prevote', [0, 1], 3, null);
    expect(bench.state.round).toBe(0);
    const effects = bench.votes('precommit', [2], 3, null);
    expect(bench.state.round).toBe(3);
    expect(effects.timers).toEqual(['propose 3 in 190', 'resend 0 in 200']);
  });

  test('goes to the highest round that f + 1 members have reached', () => {
    const bench = new Bench({ members: 7, self: 6 });
    bench.votes('prevote', [0], 9, null);
    bench.votes('prevote', [1], 4, null);
    bench.votes('prevote', [2], 2, null);
    expect(bench.state.round).toBe(2);
    bench.votes('prevote', [3], 5, null);
    expect(bench.state.round).toBe(4);
  });

  test('a proposal counts as its proposer, one member is not counted twice', () => {
    const bench = new Bench({ members: 4, self: 3 });
    bench.fresh(fakeBlock(1, 1));
    bench.votes('prevote', [1], 1, null);
    expect(bench.state.round).toBe(0);
    expect(bench.votes('prevote', [2], 1, null).signed('prevote')).toBe(fakeBlock(1, 1).blockHash);
    expect(bench.state.round).toBe(1);
  });

  test('a proposal of a higher round shows its proposer there', () => {
    const bench = new Bench({ members: 4, self: 3, judge: () => 'defer' });
    bench.fresh(fakeBlock(1, 1));
    bench.votes('prevote', [2], 1, null);
    expect(bench.state.round).toBe(1);
  });

  test('the votes that cause it are counted in the round reached, however far it is', () => {
    const bench = new Bench({ members: 4, self: 3 });
    const far = 5 * ROUND_WINDOW;
    expect(bench.votes('precommit', [0, 1, 2], far, null).timers).toContain(`precommit ${far} in ${50 + far * 30}`);
  });

  test('an unanswered compose of an earlier round does not stop the next one', () => {
    const bench = new Bench({ members: 4, self: 0 });
    bench.step({ type: 'can-compose' });
    expect(bench.votes('prevote', [1, 2], 4, null).of('compose')).toEqual([{ type: 'compose', round: 4 }]);
  });

  test('the proposer of the round reached composes', () => {
    const bench = new Bench({ members: 4, self: 2 });
    expect(bench.votes('prevote', [0, 1], 2, null).of('compose')).toEqual([{ type: 'compose', round: 2 }]);
  });
});

describe('memory', () => {
  test('single votes beyond the window leave no trace but the round of their voter', () => {
    const bench = new Bench({ members: 7, self: 6 });
    bench.votes('prevote', [0], ROUND_WINDOW, null);
    bench.votes('prevote', [0], ROUND_WINDOW + 1, null);
    for (let round = 100; round < 200; round++) bench.votes('precommit', [0], round, null);
    expect([...bench.state.rounds.keys()]).toEqual([ROUND_WINDOW]);
    expect(bench.state.highestRounds[0]).toBe(199);
  });

  test('rounds left far behind are dropped, with their blocks, and their late votes ignored', () => {
    const bench = new Bench({ members: 4, self: 3, judge: () => 'invalid' });
    const last = 3 * ROUND_WINDOW;
    for (let round = 0; round < last; round++) {
      bench.fresh(fakeBlock(round % 4, round));
      bench.advanceTo(round + 1, [0, 1, 2]);
    }
    bench.votes('prevote', [0], 0, 'late');
    expect(Math.min(...bench.state.rounds.keys())).toBe(last - ROUND_WINDOW);
    expect(bench.state.rounds.size).toBe(ROUND_WINDOW);
    expect(bench.state.blocks.size).toBeLessThanOrEqual(2);
  });

  test('a bundle from beyond the window is used whole: prevotes for the valid value, precommits for the decision', () => {
    const far = 3 * ROUND_WINDOW;
    const behind = new Bench({ members: 4, self: 3 });
    behind.votes('prevote', [0, 1], far, null);
    behind.votes('prevote', [0, 1, 2], 0, X.blockHash);
    expect(
      behind
        .step({ type: 'block', ...X })
        .records('valid')
        .map(({ round }) => round),
    ).toEqual([0]);
    expect(behind.votes('precommit', [0, 1, 2], 0, X.blockHash).of('decide')).toHaveLength(1);

    const ahead = new Bench({ members: 4, self: 3 });
    ahead.votes('precommit', [0, 1, 2], far, X.blockHash);
    expect(ahead.step({ type: 'block', ...X }).of('decide')).toHaveLength(1);
  });

  test('the bundle of a block that is being fetched survives the rounds that pass meanwhile', () => {
    const bench = new Bench({ members: 4, self: 3 });
    bench.step({ type: 'block-wanted' });
    bench.votes('prevote', [0, 1, 2], 0, X.blockHash);
    bench.votes('prevote', [0, 1], 4 * ROUND_WINDOW, null);
    expect(bench.state.round).toBe(4 * ROUND_WINDOW);
    expect(bench.step({ type: 'block', ...X }).records('valid')[0]?.prevotes).toEqual(
      fakeVotes('prevote', [0, 1, 2], 0, X.blockHash),
    );
  });

  test('a deferred block with a quorum of prevotes is held until the peer accepts it', () => {
    let verdict: 'defer' | 'valid' = 'defer';
    const bench = new Bench({ members: 4, self: 3, judge: () => verdict });
    bench.fresh(X);
    bench.votes('prevote', [0, 1, 2], 0, X.blockHash);
    bench.votes('prevote', [0, 1], 4, null);
    verdict = 'valid';
    expect(
      bench
        .step({ type: 'reconsider' })
        .records('valid')
        .map(({ round }) => round),
    ).toEqual([0]);
  });

  test('locked and valid block can be served in later rounds', () => {
    const bench = new Bench({ members: 4, self: 3 });
    bench.fresh(X);
    bench.votes('prevote', [0, 1, 2], 0, X.blockHash);
    const second = fakeBlock(1, 1);
    bench.votes('prevote', [0, 1], 4, null);
    bench.votes('prevote', [0, 1, 2], 1, second.blockHash);
    bench.step({ type: 'block', ...second });
    bench.votes('prevote', [0, 1], 8, null);
    expect(bench.state.locked?.blockHash).toBe(X.blockHash);
    expect(heldBlock(bench.state, X.blockHash)).toBe(X.block);
    expect(heldBlock(bench.state, second.blockHash)).toBe(second.block);
  });

  test('blocks that nothing names are not held', () => {
    const bench = new Bench({ members: 4, self: 3 });
    bench.step({ type: 'block-wanted' });
    bench.step({ type: 'block', ...X });
    expect(bench.state.blocks.size).toBe(0);
  });
});
