import type { CommitTime } from '@wattmesh/node';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chiSquare, drawTable } from '../src/checks/election-fairness.ts';
import type { RunFacts, Verdict } from '../src/checks/facts.ts';
import { judge, shortcomings, worst } from '../src/checks/judge.ts';
import { quorateSpans } from '../src/checks/liveness.ts';
import { percentileOf } from '../src/checks/measured.ts';
import type { FaultRecord } from '../src/faults/conductor.ts';
import { dueTimeMs } from '../src/load/load-generator.ts';
import { parseScenario } from '../src/scenario/read-scenario.ts';

const NAMES = ['p01', 'p02', 'p03', 'p04'];
const NO_LOAD = { due: 0, sent: 0, missed: 0, refused: 0, committed: 0, outstanding: 0 };

/** A run in which every peer commits a height each second. */
function facts(change: Partial<RunFacts> = {}, checks = ''): RunFacts {
  const endMs = change.endMs ?? 20_000;
  const { scenario } = parseScenario(
    `name: t\nchecks: {liveness: {maxGap: 5s}, recovery: {within: 4s}${checks}}\n`,
    't',
  );
  return {
    scenario,
    names: NAMES,
    quorum: 3,
    endMs,
    reachedEnd: true,
    faults: [],
    commits: commitsAt(Array.from({ length: endMs / 1_000 }, (_, k) => k * 1_000)),
    originMs: 0,
    findings: [],
    auditedHeights: 20,
    comparedHeights: 20,
    journals: NAMES.map((peer) => ({ peer, entries: 9, conflicts: [], unread: null })),
    load: NO_LOAD,
    loadWindowMs: 0,
    latencies: [],
    lookedUp: { answers: 0, wrong: [] },
    draws: [],
    settledSlots: 5,
    ...change,
  };
}

function commitsAt(timesMs: readonly number[], peers = NAMES): Map<number, Map<string, CommitTime>> {
  return new Map(
    timesMs.map((committedMs, k) => [
      k + 1,
      new Map(
        peers.map((peer) => [peer, { height: k + 1, composedMs: committedMs - 100, committedMs, viaSync: false }]),
      ),
    ]),
  );
}

function fault(change: Partial<FaultRecord>): FaultRecord {
  return {
    label: 'kill p04 at 2s',
    kind: 'kill',
    peers: ['p04'],
    links: [],
    beganMs: 2_000,
    endedMs: 6_000,
    proof: 'process 7 is gone',
    failure: null,
    ...change,
  };
}

const verdict = (name: string, of: RunFacts): Verdict | undefined =>
  judge(of).find(({ check }) => check === name)?.verdict;

describe('the checks', () => {
  it('hold of a quiet run', () => {
    expect(new Set(judge(facts()).map((check) => check.verdict))).toEqual(new Set(['holds']));
    expect(worst(['holds', 'holds'])).toBe('holds');
    expect(worst(['holds', 'unknown'])).toBe('unknown');
    expect(worst(['unknown', 'violated', 'holds'])).toBe('violated');
    expect(worst([])).toBe('unknown');
  });

  it.each(['agreement', 'validity', 'certificates', 'chain-time', 'conservation', 'honest-unpunished', 'durability'])(
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
    const nothing = facts({ commits: new Map(), auditedHeights: 0, comparedHeights: 0, journals: [] });
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

describe('election fairness', () => {
  // Quantiles of the chi-square distribution from printed tables.
  it.each([
    [1, 3.841, 0.05],
    [2, 5.991, 0.05],
    [3, 16.266, 0.001],
    [5, 1.145, 0.95],
    [10, 18.307, 0.05],
    [10, 29.588, 0.001],
  ])('with %i degrees of freedom %f is exceeded with probability %f', (degrees, quantile, probability) => {
    const expected = 1e6;
    // Cells whose statistic is the quantile: one deviates up, one down.
    const shift = Math.sqrt((quantile * expected) / 2);
    const members = Array.from({ length: degrees + 1 }, (_, k) => ({
      name: String(k),
      observed: expected + (k === 0 ? shift : k === 1 ? -shift : 0),
      expected,
    }));
    const result = chiSquare({ draws: 1, members });
    expect(result.degrees).toBe(degrees);
    expect(result.pValue).toBeCloseTo(probability, 3);
  });

  const draws = (miners: readonly string[], isForced = false): RunFacts['draws'] =>
    miners.map((drawn, k) => ({
      type: 'draw' as const,
      atMs: k,
      height: k,
      term: k,
      isForced,
      drawn,
      weights: [
        { miner: 'p01', weight: '3000' },
        { miner: 'p02', weight: '1000' },
      ],
    }));
  const fair = draws([...Array(45).fill('p01'), ...Array(15).fill('p02')]);

  it('compares draws with weights and leaves out those without a choice', () => {
    expect(drawTable([...fair, ...draws(['p02'], true)])).toEqual({
      draws: 60,
      members: [
        { name: 'p01', observed: 45, expected: 45 },
        { name: 'p02', observed: 15, expected: 15 },
      ],
    });
  });

  it('holds for fair draws, and catches a miner that is drawn too often, or without weight', () => {
    const of = (some: RunFacts['draws']): Verdict | undefined =>
      verdict('election-fairness', facts({ draws: some }, ', electionFairness: {}'));
    expect(of(fair)).toBe('holds');
    expect(of(draws([...Array(30).fill('p01'), ...Array(30).fill('p02')]))).toBe('violated');
    expect(of([...fair, ...draws(['p03'])])).toBe('violated');
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
