import { describe, expect, test } from 'vitest';
import { blockTimes, type PeerTrace, STEPS } from '../../src/bench/block-split.ts';
import type { TraceEvent } from '../../src/bench/tracer.ts';

type Handle = Extract<TraceEvent, { e: 'handle' }>;

const HASH = 'block';
const handle = (startMs: number, endMs: number, more: Partial<Handle> = {}): Handle => ({
  e: 'handle',
  startMs,
  endMs,
  signMs: 0,
  verifyMs: 0,
  message: null,
  height: null,
  sender: null,
  composed: null,
  committed: [],
  ...more,
});
const message = (what: 'proposal' | 'prevote' | 'precommit', sender: string) => ({ message: what, height: 1, sender });
const send = (what: 'proposal' | 'prevote' | 'precommit', to: 'all' | 'one', atMs: number): TraceEvent => ({
  e: 'send',
  what,
  to,
  height: 1,
  atMs,
});
const commit = (viaSync = false) => ({
  committed: [{ height: 1, blockHash: HASH, round: 0, viaSync, transactions: 3 }],
});

/** Three peers that all must vote; `more` is added to the fsyncs of the second voter. */
function traces(more = 0, viaSync = false): PeerTrace[] {
  const at = (ms: number): number => ms + more;
  return [
    {
      publicKey: 'a',
      events: [
        handle(100, 110, { signMs: 2, composed: { height: 1, blockHash: HASH, kind: 'transactions' } }),
        send('proposal', 'all', 113),
        handle(121, 122, message('prevote', 'b')),
        handle(at(130), at(132), { ...message('prevote', 'c'), signMs: 1 }),
        send('prevote', 'all', at(135)),
        handle(at(140), at(141), message('precommit', 'b')),
        handle(2 * more + 150, 2 * more + 152, { ...message('precommit', 'c'), ...commit() }),
        send('precommit', 'all', 2 * more + 155),
        { e: 'durable', height: 1, atMs: 2 * more + 155 },
      ],
    },
    {
      publicKey: 'b',
      events: [
        handle(115, 118, { ...message('proposal', 'a'), signMs: 1 }),
        send('prevote', 'one', 119),
        handle(at(137), at(138), message('prevote', 'a')),
        send('precommit', 'one', at(139)),
        handle(2 * more + 157, 2 * more + 158, { ...message('precommit', 'a'), ...commit() }),
        { e: 'durable', height: 1, atMs: 2 * more + 160 },
      ],
    },
    {
      publicKey: 'c',
      events: [
        handle(116, 122, { ...message('proposal', 'a'), signMs: 1 }),
        send('prevote', 'one', at(125)),
        handle(at(138), at(141), { ...message('prevote', 'a'), signMs: 1 }),
        send('precommit', 'one', 2 * more + 145),
        handle(2 * more + 158, 2 * more + 160, { ...message('precommit', 'a'), ...commit(viaSync) }),
        { e: 'durable', height: 1, atMs: 3 * more + 165 },
      ],
    },
  ];
}

describe('the split of a block', () => {
  test('follows the path that decided when it was on the last disk', () => {
    const [block] = blockTimes(traces());
    expect(block).toMatchObject({ height: 1, kind: 'transactions', transactions: 3, composer: 0, totalMs: 65 });
    expect(block?.durableMs).toEqual([155, 160, 165]);
    expect(block?.splitMs).toEqual({
      // 100..110 less two of signing.
      compose: 8,
      sign: 2 + 1 + 1 + 1,
      // 113..116, 135..138 and 155..158.
      gossip: 9,
      // 116..122 and 138..141, each less one of signing.
      verify: 7,
      // 125..132 less one of signing, 145..152.
      vote: 13,
      // 110..113, 122..125, 132..135, 141..145 and 152..155.
      fsync: 16,
      // 158..165.
      commit: 7,
    });
  });

  test.each([0, 20, 500])(
    'adds up to the whole when one disk is %d ms slower, and the slowness is in fsync and commit',
    (more) => {
      const [block] = blockTimes(traces(more));
      const [usual] = blockTimes(traces());
      const split = block?.splitMs;
      if (split == null || usual?.splitMs == null) throw new Error('no split');
      expect(STEPS.reduce((sum, step) => sum + split[step], 0)).toBeCloseTo(block?.totalMs ?? 0);
      expect(split.fsync - usual.splitMs.fsync).toBe(2 * more);
      expect(split.commit - usual.splitMs.commit).toBe(more);
      for (const step of ['compose', 'sign', 'gossip', 'verify', 'vote'] as const)
        expect(split[step]).toBe(usual.splitMs[step]);
    },
  );

  test('is left out where a block went another way, and the block counts all the same', () => {
    expect(blockTimes(traces(0, true))).toMatchObject([{ totalMs: 65, splitMs: null }]);
    const withoutBundle = traces().map((trace) => ({
      ...trace,
      events: trace.events.filter((event) => event.e !== 'send' || event.what !== 'prevote' || event.to !== 'all'),
    }));
    expect(blockTimes(withoutBundle)).toMatchObject([{ totalMs: 65, splitMs: null }]);
  });

  test('says nothing of a block that one peer does not have, or has differently', () => {
    const undurable = traces().map((trace, rank) => ({
      ...trace,
      events: trace.events.filter((event) => rank !== 1 || event.e !== 'durable'),
    }));
    expect(blockTimes(undurable)).toEqual([]);
    const [first, ...others] = traces();
    const other = others.map((trace) => ({
      ...trace,
      events: trace.events.map((event) =>
        event.e === 'handle' && event.committed.length > 0
          ? { ...event, committed: event.committed.map((one) => ({ ...one, blockHash: 'other' })) }
          : event,
      ),
    }));
    expect(blockTimes([first as PeerTrace, ...other])).toEqual([]);
  });
});
