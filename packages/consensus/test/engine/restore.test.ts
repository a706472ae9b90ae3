import { describe, expect, test } from 'vitest';
import { EngineError, type LogRecord, restoreHeight, startHeight } from '../../src/engine/index.ts';
import { Bench } from './bench.ts';
import { fakeBlock, fakeContext, fakeProposal, fakeVote, fakeVotes, HEIGHT } from './fake-chain.ts';

const X = fakeBlock(0, 0);
const OTHERS = [0, 1, 2];
const context = fakeContext({ members: 4, self: 3 });

describe('after a restart', () => {
  test('an empty log is a fresh height', () => {
    expect(restoreHeight(context, [])).toEqual({ state: startHeight(context), effects: [] });
  });

  test('the stored votes are sent again, with their old time, and no new one of their round is signed', () => {
    const bench = new Bench({ members: 4, self: 3 });
    bench.fresh(X);
    const [stored] = bench.log;
    bench.nowMs = 9999;
    const effects = bench.restart();
    expect(effects.of('broadcast-votes').map(({ votes }) => votes)).toEqual([
      [stored?.type === 'vote' ? stored.vote : null],
    ]);
    expect(effects.timers).toEqual(['collect-prevote 0 in 60', 'resend 0 in 200']);
    expect(bench.state.step).toBe('prevote');
    expect(bench.votes('prevote', [1, 2], 0, 'other').timers).toEqual(['prevote 0 in 50']);
    expect(bench.fresh(fakeBlock(0, 0, 'b')).signed('prevote')).toBeUndefined();
    expect(bench.timer('propose', 0).signed('prevote')).toBeUndefined();
  });

  test('lock and valid value are back: the lock still refuses other blocks', () => {
    const bench = new Bench({ members: 4, self: 3 });
    bench.fresh(X);
    bench.votes('prevote', OTHERS, 0, X.blockHash);
    const { locked, valid } = bench.state;
    bench.restart();
    expect([bench.state.locked, bench.state.valid]).toEqual([locked, valid]);
    expect([bench.state.round, bench.state.step]).toEqual([0, 'precommit']);
    bench.votes('precommit', OTHERS, 0, null);
    bench.timer('precommit', 0);
    expect(bench.fresh(fakeBlock(1, 1)).signed('prevote')).toBeNull();
  });

  test('a lock whose precommit did not reach the log brings that precommit, and no second lock record', () => {
    const bench = new Bench({ members: 4, self: 3 });
    bench.fresh(X);
    bench.votes('prevote', OTHERS, 0, X.blockHash);
    expect(bench.log.map(({ type }) => type)).toEqual(['vote', 'lock', 'vote']);
    bench.restart(2);
    expect(bench.state.step).toBe('prevote');
    const effects = bench.timer('resend', 0);
    expect(effects.signed('precommit')).toBe(X.blockHash);
    expect(effects.records('lock')).toEqual([]);
  });

  test('a valid value is proposed again', () => {
    const bench = new Bench({ members: 4, self: 1 });
    bench.step({ type: 'block-wanted' });
    bench.timer('propose', 0);
    bench.votes('prevote', [2], 0, null);
    bench.votes('prevote', [3], 0, 'other');
    bench.timer('prevote', 0);
    bench.votes('prevote', [0, 2, 3], 0, X.blockHash);
    bench.step({ type: 'block', ...X });
    expect(bench.log.map(({ type }) => type)).toEqual(['vote', 'vote', 'valid']);
    bench.restart();
    expect(bench.state.valid?.blockHash).toBe(X.blockHash);
    expect(bench.state.locked).toBeNull();
    bench.votes('precommit', [0, 2, 3], 0, null);
    const [sent] = bench.timer('precommit', 0).of('broadcast-proposal');
    expect(sent?.proposal.polRound).toBe(0);
  });

  test('an own proposal is sent again and no other is made in its round', () => {
    const bench = new Bench({ members: 4, self: 0 });
    bench.step({ type: 'composed', round: 0, ...X });
    const effects = bench.restart(1);
    expect(effects.of('broadcast-proposal').map(({ proposal, block }) => [proposal, block])).toEqual([
      [fakeProposal(0, 0, X.blockHash), X.block],
    ]);
    expect(effects.timers).toEqual(['propose 0 in 100', 'resend 0 in 200']);
    expect(bench.step({ type: 'can-compose' }).of('compose')).toEqual([]);
    const next = bench.step({ type: 'composed', round: 0, ...fakeBlock(0, 0, 'b') });
    expect(next.of('broadcast-proposal')).toEqual([]);
    expect(bench.log.map((record) => (record.type === 'vote' ? record.vote.blockHash : record.type))).toEqual([
      'proposal',
      X.blockHash,
    ]);
  });

  test('a stored proposal is prevoted even if the propose timer is the first event', () => {
    const bench = new Bench({ members: 4, self: 0 });
    bench.step({ type: 'composed', round: 0, ...X });
    bench.restart(1);
    expect(bench.timer('propose', 0).signed('prevote')).toBe(X.blockHash);
  });

  test('the peer goes on in the last round of its log and resends the round before as well', () => {
    const bench = new Bench({ members: 4, self: 3 });
    bench.fresh(X);
    bench.advanceTo(2, OTHERS);
    bench.timer('propose', 2);
    const effects = bench.restart();
    expect(bench.state.round).toBe(2);
    expect(effects.broadcasts).toEqual(['prevote 2 3 nil, prevote 1 3 nil, precommit 1 3 nil']);
  });

  test('a log can be replayed from any prefix without a signature that conflicts with it', () => {
    const bench = new Bench({ members: 4, self: 0 });
    bench.step({ type: 'composed', round: 0, ...X });
    bench.votes('prevote', [1, 2], 0, X.blockHash);
    const whole = [...bench.log];
    for (let records = 0; records <= whole.length; records++) {
      const copy = new Bench({ members: 4, self: 0 });
      copy.log.push(...whole);
      copy.restart(records);
      copy.fresh(fakeBlock(0, 0, 'b'));
      copy.timer('propose', 0);
      copy.votes('prevote', [1, 2, 3], 0, X.blockHash);
      copy.timer('prevote', 0);
      const votes = copy.log.flatMap((record) =>
        record.type === 'vote' ? [`${record.vote.type} ${record.vote.round}`] : [],
      );
      expect(votes).toEqual([...new Set(votes)]);
    }
  });
});

describe('a log that this peer cannot have written', () => {
  const lock: LogRecord = { type: 'lock', round: 0, ...X, prevotes: fakeVotes('prevote', OTHERS, 0, X.blockHash) };
  const vote = (type: 'prevote' | 'precommit', voter: number, hash: string | null, height = HEIGHT): LogRecord => ({
    type: 'vote',
    vote: fakeVote(type, voter, 0, hash, 1, height),
  });
  const proposal = (proposer: number, round: number, content = 'a'): LogRecord => {
    const { block, blockHash } = fakeBlock(proposer, round, content);
    return { type: 'proposal', proposal: fakeProposal(proposer, round, blockHash), block, polVotes: [] };
  };
  const elsewhere = fakeBlock(0, 0, 'a', HEIGHT + 1);

  test.each<[string, LogRecord[], number]>([
    ['a vote of another member', [vote('prevote', 2, null)], 0],
    ['a vote of another height', [vote('prevote', 3, null, HEIGHT + 1)], 0],
    ['two conflicting votes', [vote('prevote', 3, null), vote('prevote', 3, 'x')], 1],
    ['a precommit without its lock', [vote('prevote', 3, X.blockHash), vote('precommit', 3, X.blockHash)], 1],
    ['a precommit for another block than the locked one', [lock, vote('precommit', 3, 'x')], 1],
    ['a proposal of another member', [proposal(0, 0)], 0],
    ['a proposal out of turn', [proposal(3, 0)], 0],
    ['two conflicting proposals', [proposal(3, 3), proposal(3, 3, 'b')], 1],
    ['a lock of another height', [{ ...lock, ...elsewhere }], 0],
  ])('%s: ENGINE_LOG_INCONSISTENT', (_name, records, recordIndex) => {
    let error: unknown;
    try {
      restoreHeight(context, records);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(EngineError);
    expect(error).toMatchObject({ code: 'ENGINE_LOG_INCONSISTENT', details: { height: HEIGHT, recordIndex } });
  });

  test('a follower has no log', () => {
    expect(() => restoreHeight(fakeContext({ members: 4, self: null }), [vote('prevote', 3, null)])).toThrow(
      EngineError,
    );
  });
});

describe('the resend timer', () => {
  test('repeats until the height is decided, with votes, proposal and the bundle of the lock', () => {
    const bench = new Bench({ members: 4, self: 0 });
    bench.step({ type: 'composed', round: 0, ...X });
    bench.votes('prevote', [1, 2], 0, X.blockHash);
    for (let turn = 0; turn < 2; turn++) {
      const effects = bench.timer('resend', 0);
      expect(effects.timers).toEqual(['resend 0 in 200']);
      expect(effects.of('broadcast-proposal').map(({ proposal }) => proposal.blockHash)).toEqual([X.blockHash]);
      expect(effects.broadcasts).toEqual([
        `prevote 0 0 ${X.blockHash}, precommit 0 0 ${X.blockHash}`,
        [0, 1, 2].map((voter) => `prevote 0 ${voter} ${X.blockHash}`).join(', '),
      ]);
      expect(effects.records('vote')).toEqual([]);
    }
    bench.votes('precommit', [1, 2], 0, X.blockHash);
    expect(bench.timer('resend', 0).all).toEqual([]);
  });

  test('does not resend the proposals of others', () => {
    const bench = new Bench({ members: 4, self: 3 });
    bench.fresh(X);
    expect(bench.timer('resend', 0).of('broadcast-proposal')).toEqual([]);
  });

  test('sends the bundle of a valid value that is newer than the lock', () => {
    const bench = new Bench({ members: 4, self: 3 });
    bench.fresh(X);
    bench.votes('prevote', OTHERS, 0, X.blockHash);
    bench.votes('prevote', [0, 1], 2, null);
    const second = fakeBlock(1, 1);
    bench.votes('prevote', OTHERS, 1, second.blockHash);
    bench.step({ type: 'block', ...second });
    expect([bench.state.locked?.round, bench.state.valid?.round]).toEqual([0, 1]);
    const bundles = bench
      .timer('resend', 0)
      .of('broadcast-votes')
      .map(({ votes }) => votes[0]?.blockHash);
    expect(bundles.slice(-2)).toEqual([X.blockHash, second.blockHash]);
  });
});
