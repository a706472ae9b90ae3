import type { CommitTime } from '@wattmesh/node';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Verdict } from '../src/checks/facts.ts';
import { judge, shortcomings, worst } from '../src/checks/judge.ts';
import { quorateSpans } from '../src/checks/liveness.ts';
import { percentileOf } from '../src/checks/measured.ts';
import { dueTimeMs } from '../src/load/load-generator.ts';
import { parseScenario } from '../src/scenario/read-scenario.ts';
import type { EventOf } from '../src/watch/events.ts';
import { commitsAt, facts, fault, NAMES, NO_LOAD, verdict } from './run-facts.ts';

describe('the checks', () => {
  it('hold of a quiet run', () => {
    expect(new Set(judge(facts()).map((check) => check.verdict))).toEqual(new Set(['holds']));
    expect(worst(['holds', 'holds'])).toBe('holds');
    expect(worst(['holds', 'unknown'])).toBe('unknown');
    expect(worst(['unknown', 'violated', 'holds'])).toBe('violated');
    expect(worst([])).toBe('unknown');
  });

  it.each(['agreement', 'validity', 'certificates', 'chain-time', 'conservation', 'durability', 'presence'])(
    '%s is violated by what was found, with the first finding',
    (check) => {
      const finding = { check, atMs: 700, height: 9, message: 'second' };
      const result = judge(facts({ findings: [finding, { ...finding, atMs: 300, height: 4, message: 'first' }] })).find(
        (one) => one.check === check,
      );
      expect(result).toMatchObject({ verdict: 'violated' });
      if (check !== 'durability') expect(result?.first).toEqual({ atMs: 300, height: 4 });
    },
  );

  it('know nothing of a run in which nothing was seen', () => {
    const nothing = facts({ commits: new Map(), auditedHeights: 0, comparedHeights: 0, journals: [], finals: [] });
    for (const check of judge(nothing)) expect(check, check.check).toMatchObject({ verdict: 'unknown' });
  });

  it.each([
    ['a fault that nothing proved', { faults: [fault({ proof: null })] }],
    ['a fault whose moment did not come', { faults: [fault({ proof: null, beganMs: null, endedMs: null })] }],
    ['a fault that failed', { faults: [fault({ failure: 'p04 is down, not up' })] }],
    ['a run that was cut short', { reachedEnd: false }],
  ] as const)('%s makes what holds unknown, and leaves what is violated', (_, change) => {
    const finding = { check: 'agreement', atMs: 1, height: 1, message: 'two hashes' };
    const checks = judge(facts({ ...change, findings: [finding] }));
    expect(checks.find(({ check }) => check === 'agreement')?.verdict).toBe('violated');
    expect(checks.filter(({ verdict: one }) => one === 'holds')).toEqual([]);
  });

  it('transactions that never came into a block are a violation, unless the chain was not followed long enough', () => {
    const { scenario } = parseScenario(
      'name: t\nload: [{kind: open, rate: 10}]\nchecks: {recovery: {within: 4s}}\n',
      't',
    );
    const of = (committed: number, outstanding: number, restMs: number): Verdict | undefined =>
      verdict('inclusion', facts({ scenario, restMs, load: { ...NO_LOAD, due: 9, sent: 9, committed, outstanding } }));
    expect(of(9, 0, 100)).toBe('holds');
    expect(of(8, 1, 4_000)).toBe('violated');
    expect(of(8, 1, 3_999)).toBe('unknown');
    expect(of(0, 0, 100)).toBe('unknown');
    expect(verdict('inclusion', facts())).toBeUndefined();
  });

  it('a load that could not be sent is a shortcoming', () => {
    const { scenario } = parseScenario('name: t\nload: [{kind: open, rate: 10}]\n', 't');
    const of = (missed: number): string[] =>
      shortcomings(facts({ scenario, load: { ...NO_LOAD, due: 100, sent: 100 - missed, missed } }));
    expect(of(5)).toEqual([]);
    expect(of(50)).toEqual([expect.stringContaining('50 of 100 transactions could not be sent')]);
    expect(shortcomings(facts({ scenario }))).toHaveLength(1);
  });
});

describe('liveness', () => {
  const gap = commitsAt([0, 1_000, 2_000, 9_000, 10_000, 11_000, 15_000, 19_000]);

  it('is violated by a wait with a quorum, and says when and where', () => {
    const result = judge(facts({ commits: gap })).find(({ check }) => check === 'liveness');
    expect(result).toMatchObject({ verdict: 'violated', first: { atMs: 7_000, height: 4 } });
  });

  it('counts a wait only from when a quorum is back', () => {
    const cut = fault({
      kind: 'partition',
      peers: NAMES,
      links: ['p01', 'p02'].flatMap((a) => ['p03', 'p04'].flatMap((b) => [`${a}>${b}`, `${b}>${a}`])),
      beganMs: 2_100,
      provenMs: 2_100,
      endedMs: 7_000,
    });
    expect(quorateSpans(facts({ faults: [cut] }))).toEqual([
      { fromMs: 0, toMs: 2_100 },
      { fromMs: 7_000, toMs: 20_000 },
    ]);
    expect(verdict('liveness', facts({ commits: gap, faults: [cut] }))).toBe('holds');
    // Three of four reach each other: they must go on.
    const one = { ...cut, links: NAMES.slice(0, 3).flatMap((a) => [`${a}>p04`, `p04>${a}`]) };
    expect(verdict('liveness', facts({ commits: gap, faults: [one] }))).toBe('violated');
  });

  it('is violated when blocks stop and never come again', () => {
    expect(verdict('liveness', facts({ commits: commitsAt([0, 1_000, 2_000]) }))).toBe('violated');
  });
});

describe('recovery', () => {
  it('holds when the peer has the height of the others in time, and not otherwise', () => {
    const late = (atMs: number): Map<number, Map<string, CommitTime>> => {
      const commits = commitsAt(Array.from({ length: 20 }, (_, k) => k * 1_000));
      for (const [height, ofPeers] of commits)
        if (height > 2)
          ofPeers.set('p04', { height, composedMs: null, committedMs: Math.max(atMs, height * 1_000), viaSync: true });
      return commits;
    };
    expect(verdict('recovery', facts({ faults: [fault({})], commits: late(9_000) }))).toBe('holds');
    expect(verdict('recovery', facts({ faults: [fault({})], commits: late(12_000) }))).toBe('violated');
    expect(verdict('recovery', facts({ faults: [fault({ endedMs: 18_000 })], commits: late(30_000) }))).toBe('unknown');
  });
});

describe('measured bounds', () => {
  const latencies = Array.from({ length: 100 }, (_, k) => ({ height: k, count: 1, latencyMs: k + 1, atMs: k }));

  it.each([
    [', latency: {percentile: 90, below: 90ms}', 'latency', 'holds'],
    [', latency: {percentile: 91, below: 90ms}', 'latency', 'violated'],
    [', blockLatency: {below: 100ms}', 'block-latency', 'holds'],
    [', blockLatency: {below: 99ms}', 'block-latency', 'violated'],
    [', throughput: {atLeast: 10}', 'throughput', 'holds'],
    [', throughput: {atLeast: 11}', 'throughput', 'violated'],
    [', progress: {slots: 5}', 'progress', 'holds'],
    [', progress: {slots: 6}', 'progress', 'violated'],
    [', electionFairness: {}', 'election-fairness', 'unknown'],
  ])('%s', (checks, name, expected) => {
    const load = { ...NO_LOAD, due: 100, sent: 100, committed: 100 };
    expect(verdict(name, facts({ latencies, load, loadWindowMs: 10_000 }, checks))).toBe(expected);
  });

  it('says nothing about a percentile of a few samples', () => {
    expect(verdict('latency', facts({ latencies: latencies.slice(0, 5) }, ', latency: {below: 1s}'))).toBe('unknown');
  });

  it('a percentile is a sample that so many samples do not exceed', () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 1 }), fc.integer({ min: 1, max: 100 }), (samples, percentile) => {
        const value = percentileOf(samples, percentile);
        const share = samples.filter((one) => one <= value).length / samples.length;
        const below = samples.filter((one) => one < value).length / samples.length;
        return samples.includes(value) && share >= percentile / 100 - 1e-12 && below < percentile / 100;
      }),
    );
  });
});

describe('EVs', () => {
  const model = (round: number, ...shaped: number[]): EventOf<'model'> => ({
    type: 'model',
    atMs: 1_000 * round,
    round,
    hash: 'ab',
    gains: shaped.map((shapedGain, k) => ({ group: `g${k}`, shapedGain, objectiveGain: 0 })),
  });
  const wanted = ', modelGain: {atLeast: 40%}';

  it.each<[string, EventOf<'model'>[], Verdict]>([
    ['enough for every group in the last round', [model(1, -0.2, 0.1), model(2, 0.4, 0.9)], 'holds'],
    ['enough for one group only', [model(1, 0.8, 0.8), model(2, 0.39, 0.9)], 'violated'],
    ['nothing measured', [], 'unknown'],
  ])('model gain: %s', (_, models, expected) => {
    const { scenario } = parseScenario(`name: t\nprotocol: posoc\nchecks: {recovery: {within: 4s}${wanted}}\n`, 't');
    expect(verdict('model-gain', facts({ scenario, models }))).toBe(expected);
  });

  const dodging = parseScenario(
    'name: t\nprotocol: posoc\nevs: {notPaying: {peers: [p02], untilDay: 3}}\n',
    't',
  ).scenario;
  const day = (miner: string | null, held: Record<string, string>, of = 1): EventOf<'day'> => ({
    type: 'day',
    atMs: 5_000,
    height: 50,
    day: of,
    miner,
    rewardMicro: '9',
    members: NAMES.map((name) => ({
      name,
      scoreMicroKwh: '1',
      profitMicro: '100',
      feeMicro: miner === null || miner === name ? '0' : '5',
      payoffMicro: '95',
      escrowMicro: held[name] ?? '0',
    })),
  });

  it.each<[string, EventOf<'day'>[], Verdict | undefined]>([
    ['the whole profit of who does not pay', [day('p01', { p02: '100' })], 'holds'],
    ['a part of it', [day('p01', { p02: '95' })], 'violated'],
    ['nothing', [day('p01', {})], 'violated'],
    ['that of one who pays', [day('p01', { p02: '100', p03: '100' })], 'violated'],
    ['nothing without a miner', [day(null, {})], 'unknown'],
    ['nothing of the miner itself', [day('p02', {})], 'unknown'],
    ['nothing when it pays again', [day('p01', { p02: '100' }), day('p01', {}, 3)], 'holds'],
    ['its profit when it pays again', [day('p01', { p02: '100' }), day('p01', { p02: '100' }, 3)], 'violated'],
  ])('held: %s', (_, days, expected) => {
    expect(verdict('unpaid-held', facts({ scenario: dodging, days }))).toBe(expected);
  });
});

describe('an open loop', () => {
  it('is due evenly, and a ramp as its rate grows', () => {
    const open = { kind: 'open', rate: 50, from: 0, for: undefined, batch: 1, via: 'all' } as const;
    expect([0, 1, 50].map((index) => dueTimeMs(open, index, 10_000))).toEqual([0, 20, 1_000]);
    const ramp = { kind: 'ramp', fromRate: 10, toRate: 30, from: 0, for: 10_000, batch: 1, via: 'all' } as const;
    // 10 t + t^2 = index: after 5 s 75, after 10 s 200.
    expect([0, 75, 200].map((index) => Math.round(dueTimeMs(ramp, index, 10_000)))).toEqual([0, 5_000, 10_000]);
  });
});
