import { encodeMessage } from '@wattmesh/consensus';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { accountFor, type LoadReport, type OfferedLoad } from '../../src/bench/accounting.ts';
import { headOf } from '../../src/bench/message-head.ts';
import { summarise } from '../../src/bench/quantiles.ts';
import { findSaturation } from '../../src/bench/saturation.ts';
import { dueBy, intendedMs, runSchedule } from '../../src/bench/schedule.ts';
import { pssOf } from '../../src/bench/usage.ts';

const HASH = 'ab'.repeat(32);
const vote = (type: 'prevote' | 'precommit', height: number) => ({
  type,
  height,
  round: 1,
  blockHash: HASH,
  timestampMs: 5,
  extension: type === 'precommit' ? { beaconShare: null, held: '', overdue: [] } : null,
  voter: 2,
  signature: '11'.repeat(64),
});

describe('the head of a message', () => {
  test('is what decoding would say', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.constantFrom('prevote' as const, 'precommit' as const), (height, type) => {
        expect(headOf(encodeMessage({ type: 'votes', votes: [vote(type, height), vote(type, 3)] }))).toEqual({
          kind: 'votes',
          type,
          height,
        });
        const proposal = { height, round: 2, blockHash: HASH, polRound: -1, proposer: 1, signature: '11'.repeat(64) };
        const bytes = encodeMessage({ type: 'proposal', proposal, block: new Uint8Array(3), polVotes: [] });
        expect(headOf(bytes)).toEqual({ kind: 'proposal', height });
      }),
      { numRuns: 50, seed: 1 },
    );
    expect(headOf(encodeMessage({ type: 'status', height: 3 }))).toEqual({ kind: 'other' });
    expect(headOf(new Uint8Array())).toEqual({ kind: 'other' });
  });
});

test('quantiles are samples, exact to the rank', () => {
  const samples = Array.from({ length: 200 }, (_, k) => (k * 37) % 200);
  expect(summarise(samples)).toEqual({ count: 200, mean: 99.5, p50: 99, p95: 189, p99: 197, max: 199 });
  expect(summarise([4])).toEqual({ count: 1, mean: 4, p50: 4, p95: 4, p99: 4, max: 4 });
  expect(summarise([])).toBeNull();
});

test('the proportional set size is read from what the kernel adds up, in MB of 10^6 bytes', () => {
  const rollup = [
    '00400000-7ffc36058000 ---p 00000000 00:00 0                              [rollup]',
    'Rss:               44320 kB',
    'Pss:               41137 kB',
    'Pss_Dirty:         40872 kB',
    'SwapPss:               7 kB',
  ].join('\n');
  expect(pssOf(rollup)).toBeCloseTo(42.124, 3);
  expect(pssOf('Rss:               44320 kB\n')).toBeNull();
});

describe('an open-loop schedule', () => {
  const schedule = { startMs: 1_000, perSecond: 200, count: 40 };

  test('intends a constant rate', () => {
    expect([0, 1, 39].map((index) => intendedMs(schedule, index))).toEqual([1_000, 1_005, 1_195]);
    expect([999, 1_000, 1_004.9, 1_005, 5_000].map((nowMs) => dueBy(schedule, nowMs))).toEqual([0, 1, 1, 2, 40]);
  });

  test('does not wait for a client that was late: what is overdue is sent at once, none is left out', async () => {
    // A clock that stands still for 100 ms in the middle, as a process without CPU would see it.
    let nowMs = 990;
    const clock = (): number => {
      nowMs += nowMs === 1_050 ? 100 : 1;
      return nowMs;
    };
    const sent: number[] = [];
    const sentAtMs: number[] = [];
    await runSchedule(schedule, clock, (index, atMs) => {
      sent.push(index);
      sentAtMs.push(atMs);
    });
    expect(sent).toEqual(Array.from({ length: 40 }, (_, index) => index));
    expect(sentAtMs.every((atMs, index) => atMs >= intendedMs(schedule, index))).toBe(true);
    expect(Math.max(...sentAtMs.map((atMs, index) => atMs - intendedMs(schedule, index)))).toBeGreaterThan(90);
  });
});

describe('accounting for a load', () => {
  /** 100 batches of 2 transactions at 100 a second; block `k` holds ten of them and is everywhere 20 ms after the last. */
  const load = (change: Partial<OfferedLoad> = {}): OfferedLoad => ({
    batchesPerSecond: 100,
    operations: 2,
    startMs: 0,
    sentMs: Float64Array.from({ length: 100 }, (_, place) => 10 * place),
    answers: new Uint8Array(100).fill(1),
    heights: Uint32Array.from({ length: 100 }, (_, place) => 1 + Math.floor(place / 10)),
    peers: Uint16Array.from({ length: 100 }, (_, place) => place % 2),
    ...change,
  });
  const blocks = new Map(Array.from({ length: 10 }, (_, k) => [k + 1, [100 * k + 95, 100 * k + 110]]));
  const window = { fromMs: 200, toMs: 900 };
  const change = (array: Uint8Array | Uint32Array | Float64Array, place: number, value: number) =>
    array.with(place, value);

  test('counts what is on every disk within the window, and latency from the intended send', () => {
    const report = accountFor(load(), blocks, window);
    expect(report).toMatchObject({
      verdict: 'carried',
      reason: null,
      offeredPerSecond: 200,
      committedPerSecond: 200,
      batches: { offered: 70, sent: 70, refused: 0, lost: 0 },
    });
    // Intended at 0 to 90 ms of each 100; durable at 95 on the first peer, at 110 on the other.
    expect(report.submittedToCommittedMs).toMatchObject({ count: 70, max: 100 });
    expect(report.submittedToEverywhereMs).toMatchObject({ count: 70, max: 110 });
  });

  test('never counts a transaction that was lost, was refused, or is in a block that one peer lacks', () => {
    const lost = accountFor(
      load({ heights: change(load().heights as Uint32Array, 50, 0) as Uint32Array }),
      blocks,
      window,
    );
    expect(lost).toMatchObject({ verdict: 'overloaded', batches: { lost: 1, refused: 0 } });
    expect(lost.committedPerSecond).toBeCloseTo(200 - 2 / 0.7);
    const refused = accountFor(
      load({
        heights: change(load().heights as Uint32Array, 50, 0) as Uint32Array,
        answers: change(load().answers as Uint8Array, 50, 2) as Uint8Array,
      }),
      blocks,
      window,
    );
    expect(refused).toMatchObject({ verdict: 'overloaded', batches: { lost: 0, refused: 1 } });
    expect(refused.committedPerSecond).toBe(lost.committedPerSecond);
    const missing = accountFor(load(), new Map([...blocks].filter(([height]) => height !== 5)), window);
    expect(missing).toMatchObject({ verdict: 'overloaded', batches: { lost: 10 } });
    expect(missing.committedPerSecond).toBeCloseTo(200 - 20 / 0.7);
    // What a peer has acknowledged counts for nothing.
    const acknowledged = accountFor(load({ heights: new Uint32Array(100) }), blocks, window);
    expect(acknowledged).toMatchObject({ committedPerSecond: 0, batches: { lost: 70 }, submittedToCommittedMs: null });
  });

  test('is unknown when the load was not offered: not sent, or sent too late', () => {
    const unsent = load({ sentMs: change(load().sentMs as Float64Array, 60, Number.NaN) as Float64Array });
    expect(accountFor(unsent, blocks, window)).toMatchObject({
      verdict: 'unknown',
      batches: { offered: 70, sent: 69 },
    });
    const late = load({ sentMs: load().sentMs.map((ms) => ms + 300) });
    expect(accountFor(late, blocks, window)).toMatchObject({ verdict: 'unknown', clientDelayMs: { p50: 300 } });
    expect(accountFor(load(), blocks, { fromMs: 5_000, toMs: 6_000 }).verdict).toBe('unknown');
  });

  test('tells a load that piles up from one that is carried', () => {
    const slow = new Map([...blocks].map(([height, times]) => [height, times.map((ms) => ms + 250 * height)]));
    expect(accountFor(load(), slow, window)).toMatchObject({ verdict: 'overloaded' });
    expect(accountFor(load(), slow, window).committedPerSecond).toBeLessThan(100);
    const behind = new Map([...blocks].map(([height, times]) => [height, times.map((ms) => ms + 3_000)]));
    expect(accountFor(load(), behind, window, { carriedShare: 0, latencyMs: 2_000, clientDelayMs: 200 })).toMatchObject(
      {
        verdict: 'overloaded',
        reason: expect.stringContaining('latency'),
      },
    );
  });
});

describe('the search for the highest rate', () => {
  const reportFor = (verdict: LoadReport['verdict'], offeredPerSecond: number): LoadReport => ({
    verdict,
    reason: null,
    offeredPerSecond,
    committedPerSecond: offeredPerSecond,
    batches: { offered: 1, sent: 1, refused: 0, lost: 0 },
    submittedToCommittedMs: null,
    submittedToEverywhereMs: null,
    clientDelayMs: null,
  });

  test.each([100, 650, 1_000, 4_321])('comes close to a limit of %d from below', async (limit) => {
    const { sustained, isUnknown } = await findSaturation(600, async (rate) =>
      reportFor(rate <= limit ? 'carried' : 'overloaded', rate),
    );
    expect(isUnknown).toBe(false);
    expect(sustained?.offeredPerSecond).toBeLessThanOrEqual(limit);
    expect(sustained?.offeredPerSecond).toBeGreaterThan(0.85 * limit);
  });

  test('says so when it was stopped by a load that could not be offered', async () => {
    const { sustained, isUnknown } = await findSaturation(600, async (rate) =>
      reportFor(rate <= 1_000 ? 'carried' : 'unknown', rate),
    );
    expect(isUnknown).toBe(true);
    expect(sustained?.offeredPerSecond).toBeLessThanOrEqual(1_000);
  });

  test('forgives a rate that fails once, and not one that fails twice', async () => {
    const failures = new Map<number, number>();
    const { sustained } = await findSaturation(600, async (rate) => {
      const before = failures.get(rate) ?? 0;
      failures.set(rate, before + 1);
      return reportFor(rate <= 1_000 && before === 1 ? 'carried' : 'overloaded', rate);
    });
    expect(sustained?.offeredPerSecond).toBe(956.25);
    expect(failures.get(600)).toBe(2);
    expect(failures.get(1_350)).toBe(2);
  });

  test('finds nothing where nothing is carried', async () => {
    const { sustained, trials } = await findSaturation(600, async (rate) => reportFor('overloaded', rate));
    expect(sustained).toBeNull();
    expect(trials.length).toBeLessThanOrEqual(16);
  });
});
