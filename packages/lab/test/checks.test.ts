import type { CommitTime } from '@wattmesh/node';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { RunFacts, Verdict } from '../src/checks/facts.ts';
import { judge, shortcomings, worst } from '../src/checks/judge.ts';
import { longSilenceMs, quorateSpans, showsLife } from '../src/checks/liveness.ts';
import { percentileOf } from '../src/checks/measured.ts';
import type { FaultRecord } from '../src/faults/conductor.ts';
import { dueTimeMs } from '../src/load/load-generator.ts';
import { figuresOf } from '../src/run/figures.ts';
import { lookUp } from '../src/run/look-up.ts';
import { boundedLoadEndMs } from '../src/run/run-scenario.ts';
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

  it('a load without `for` does not keep a run going', () => {
    const of = (load: string): number =>
      boundedLoadEndMs(parseScenario(`name: t\nload: [${load}]\n`, 't').scenario.load);
    expect(of('{kind: open, rate: 1, from: 1s, for: 4s}, {kind: open, rate: 1}')).toBe(5_000);
    expect(of('{kind: open, rate: 1}')).toBe(0);
  });

  it('a peer that does not answer is not one that lost a transaction', async () => {
    const answers = new Map([
      ['lost', () => Response.json({ error: { code: 'API_NOT_FOUND', message: 'none' } }, { status: 404 })],
      ['busy', () => Response.json({ error: { code: 'API_BUSY', message: 'later' } }, { status: 503 })],
      ['kept', () => Response.json({ height: 7 })],
    ]);
    vi.stubGlobal('fetch', async (url: string) => answers.get(url.split('/').at(-1) ?? '')?.());
    expect(await lookUp('http://p', 'lost')).toBeNull();
    expect(await lookUp('http://p', 'busy')).toContain('API_BUSY');
    expect(await lookUp('http://p', 'kept')).toEqual({ height: 7 });
    vi.stubGlobal('fetch', async () => Promise.reject(new Error('timed out')));
    expect(await lookUp('http://p', 'lost')).toContain('timed out');
    vi.unstubAllGlobals();
    const of = (wrong: string[]): Verdict | undefined =>
      verdict('durability', facts({ lookedUp: { answers: 9, wrong, unanswered: ['p02 did not say'] } }));
    expect(of([])).toBe('unknown');
    expect(of(['p01 does not have it'])).toBe('violated');
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

  it('says nothing of a run that ends in a silence that is long, though not too long', () => {
    const until = (endMs: number): Verdict | undefined =>
      verdict('liveness', facts({ commits: commitsAt([0, 1_000, 2_000]), endMs }));
    expect([3_500, 3_700, 7_000, 7_001].map(until)).toEqual(['holds', 'unknown', 'unknown', 'violated']);
    expect(longSilenceMs(30_000)).toBe(10_000);
    expect(longSilenceMs(120_000)).toBe(10_000);
  });

  const halves = (beganMs: number, endedMs: number): FaultRecord =>
    fault({
      kind: 'partition',
      peers: NAMES,
      links: ['p01', 'p02'].flatMap((a) => ['p03', 'p04'].flatMap((b) => [`${a}>${b}`, `${b}>${a}`])),
      beganMs,
      endedMs,
    });

  it('says nothing when no block was seen after a late heal; a run waits for one', () => {
    const faults = [halves(2_100, 19_000)];
    const commits = commitsAt([0, 1_000, 2_000]);
    expect(verdict('liveness', facts({ commits, faults }))).toBe('unknown');
    expect(showsLife(facts({ commits, faults }), 19_000, 5_000)).toBe(false);
    const healed = commitsAt([0, 1_000, 2_000, 19_500]);
    expect(verdict('liveness', facts({ commits: healed, faults }))).toBe('holds');
    expect(showsLife(facts({ commits: healed, faults }), 19_500, 5_000)).toBe(true);
    expect(showsLife(facts({ commits }), 3_000, 5_000)).toBe(true);
    expect(showsLife(facts({ commits }), 4_000, 5_000)).toBe(false);
  });

  it('adds up the times of a quorum that comes and goes', () => {
    const commits = commitsAt([0, 1_000, 2_000, 19_000]);
    const faults = [halves(4_000, 6_000), halves(8_000, 10_000), halves(12_000, 18_900)];
    // 2 to 4 s, 6 to 8 s, 10 to 12 s: 5 s are over at 11 s.
    const result = judge(facts({ commits, faults })).find(({ check }) => check === 'liveness');
    expect(result).toMatchObject({ verdict: 'violated', first: { atMs: 11_000, height: 4 } });
  });

  it('a fault that could not be ended lasts until the end', () => {
    const faults = [
      fault({ endedMs: null, failure: 'did not start' }),
      fault({ peers: ['p03'], endedMs: null, failure: 'did not start' }),
    ];
    expect(quorateSpans(facts({ faults }))).toEqual([{ fromMs: 0, toMs: 2_000 }]);
    expect(verdict('liveness', facts({ commits: commitsAt([0, 1_000, 2_000]), faults }))).toBe('unknown');
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

  /** p04 has nothing but the first two heights until the given time. */
  const backAt = (atMs: number): Map<number, Map<string, CommitTime>> => {
    const commits = commitsAt(Array.from({ length: 20 }, (_, k) => k * 1_000));
    for (const [height, ofPeers] of commits)
      if (height > 2 && atMs > 20_000) ofPeers.delete('p04');
      else if (height > 2)
        ofPeers.set('p04', { height, composedMs: null, committedMs: Math.max(atMs, height * 1_000), viaSync: true });
    return commits;
  };
  const of = (faults: FaultRecord[], commits = backAt(30_000), recommits: RunFacts['recommits'] = []) =>
    judge(facts({ faults, commits, recommits })).find(({ check }) => check === 'recovery');

  it('says who was away when it was back at once, and what was not tested', () => {
    expect(of([fault({})], commitsAt([0, 1_000, 2_000]))?.detail).toBe('p04 took longest: 0.0 s after kill p04 at 2s');
    expect(of([])?.detail).toBe('nobody was away');
  });

  it('counts after a wipe only what the peer has committed since', () => {
    const wipe = fault({ kind: 'wipe', label: 'wipe p04 at 2s' });
    const all = commitsAt(Array.from({ length: 7 }, (_, k) => k * 1_000));
    expect(of([wipe], all)?.verdict).toBe('violated');
    const again = (atMs: number) => [1, 2, 3, 4, 5, 6, 7].map((height) => ({ peer: 'p04', height, committedMs: atMs }));
    expect(of([wipe], all, again(9_000))).toMatchObject({ verdict: 'holds', detail: expect.stringContaining('3.0 s') });
    expect(of([wipe], all, again(11_000))?.verdict).toBe('violated');
  });

  it('counts only from when no fault keeps the peer away', () => {
    const cut = fault({ kind: 'partition', label: 'cut', beganMs: 5_000, endedMs: 14_000 });
    expect(of([fault({}), cut], backAt(17_000))).toMatchObject({
      verdict: 'holds',
      detail: expect.stringContaining('3.0 s after cut'),
    });
    expect(of([fault({}), cut])?.verdict).toBe('violated');
  });

  it('says nothing when the next fault came before the peer had its time, unless another peer is a violation', () => {
    const next = fault({ beganMs: 8_000, endedMs: 14_000 });
    expect(of([fault({}), next], backAt(17_000))).toMatchObject({
      verdict: 'unknown',
      detail: expect.stringContaining('when the next fault began, 2000 ms after'),
    });
    expect(of([fault({}), fault({ beganMs: 11_000, endedMs: 14_000 })], backAt(17_000))?.verdict).toBe('violated');
    const commits = backAt(17_000);
    for (const [height, ofPeers] of commits) if (height > 2) ofPeers.delete('p03');
    expect(of([fault({}), next, fault({ peers: ['p03'] })], commits)?.verdict).toBe('violated');
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

  it('count what was not sent, not committed or not told of as longer than any bound', () => {
    const of = (change: Partial<RunFacts>): Verdict | undefined =>
      verdict('latency', facts({ latencies, ...change }, ', latency: {percentile: 95, below: 95ms}'));
    expect(of({})).toBe('holds');
    expect(of({ load: { ...NO_LOAD, missed: 6 } })).toBe('violated');
    expect(of({ load: { ...NO_LOAD, outstanding: 6 } })).toBe('violated');
    expect(of({ latencies: [...latencies, { height: 1, count: 6, latencyMs: null, atMs: 1 }] })).toBe('violated');
    const heavy = [...latencies, { height: 1, count: 100, latencyMs: 1, atMs: 1 }];
    const percentiles = (change: Partial<RunFacts>) => {
      const { transactionP50Ms, transactionP99Ms } = figuresOf(facts({ latencies: heavy, ...change }), []);
      return [transactionP50Ms, transactionP99Ms];
    };
    expect(percentiles({})).toEqual([1, 98]);
    expect(percentiles({ load: { ...NO_LOAD, missed: 20 } })).toEqual([10, null]);
  });

  it('count for the throughput what was committed while the load went on', () => {
    const at = (atMs: number, count: number) => ({ height: 1, count, latencyMs: 1, atMs });
    const run = facts(
      {
        latencies: [at(999, 5), at(1_000, 10), at(3_000, 9), at(3_001, 50)],
        load: { ...NO_LOAD, due: 74, sent: 74, committed: 74 },
        loadFromMs: 1_000,
        loadWindowMs: 2_000,
      },
      ', throughput: {atLeast: 10}',
    );
    expect(verdict('throughput', run)).toBe('violated');
    expect(figuresOf(run, []).transactionsPerSecond).toBe(9.5);
  });

  it('are measured of as many samples as a long run has', () => {
    const sample: EventOf<'sample'> = {
      type: 'sample',
      atMs: 0,
      peer: 'p01',
      state: 'up',
      height: 1,
      connected: 3,
      poolTransactions: 0,
      cpuMs: 0,
      waitMs: 0,
      memoryBytes: 7,
    };
    const samples = new Array<EventOf<'sample'>>(200_000).fill(sample);
    expect(figuresOf(facts(), samples).maxMemoryBytes).toBe(7);
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
