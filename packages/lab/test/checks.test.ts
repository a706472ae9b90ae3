import type { CommitTime } from '@wattmesh/node';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawTable, fairnessTest } from '../src/checks/election-fairness.ts';
import type { RunFacts, Verdict } from '../src/checks/facts.ts';
import { judge, shortcomings, worst } from '../src/checks/judge.ts';
import { quorateSpans } from '../src/checks/liveness.ts';
import { percentileOf } from '../src/checks/measured.ts';
import type { FaultRecord } from '../src/faults/conductor.ts';
import type { MisbehaviourName } from '../src/faults/misbehaviours.ts';
import { dueTimeMs } from '../src/load/load-generator.ts';
import { parseScenario } from '../src/scenario/read-scenario.ts';
import type { EventOf } from '../src/watch/events.ts';

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
    restMs: 0,
    latencies: [],
    lookedUp: { answers: 0, wrong: [] },
    samples: [],
    blocks: [],
    draws: [],
    settlements: [1, 2, 3, 4, 5].map(settlement),
    penalties: [],
    models: [],
    days: [],
    ...change,
  };
}

function settlement(slot: number): EventOf<'settlement'> {
  const zero = {
    producedWh: '0',
    consumedWh: '0',
    billMicro: '0',
    withoutTradingMicro: '0',
    feeMicro: '0',
    shareMicro: '0',
    scoreWh: '0',
  };
  return {
    type: 'settlement',
    atMs: 3_000 * slot,
    height: 3 * slot,
    slot,
    tradedWh: '0',
    producedWh: '0',
    consumedWh: '0',
    lossSavedHalfNanoWh: '0',
    rewardMicro: '0',
    members: NAMES.map((name) => ({ name, ...zero, deviationMicro: '0' })),
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
    misbehaviours: [],
    beganMs: 2_000,
    provenMs: 2_000,
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

  it.each(['agreement', 'validity', 'certificates', 'chain-time', 'conservation', 'durability'])(
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

describe('election fairness', () => {
  /** Chance that a binomial count deviates from its mean at least as much as `observed` does. */
  const binomialP = (observed: number, of: number, chance: number): number => {
    const term = (k: number): number => {
      let ways = 1;
      for (let i = 0; i < k; i += 1) ways *= (of - i) / (i + 1);
      return ways * chance ** k * (1 - chance) ** (of - k);
    };
    const mean = of * chance;
    return Array.from({ length: of + 1 }, (_, k) => k)
      .filter((k) => Math.abs(k - mean) >= Math.abs(observed - mean) - 1e-9)
      .reduce((sum, k) => sum + term(k), 0);
  };

  it.each([
    [10, 10, 0.5],
    [9, 12, 0.75],
    [15, 60, 0.25],
    [24, 60, 0.25],
    [1, 40, 0.2],
  ])(
    'two candidates, %i of %i draws at a chance of %f: the p-value is that of the binomial distribution',
    (count, of, chance) => {
      const elections = Array.from({ length: of }, (_, k) => ({
        drawn: k < count ? 'a' : 'b',
        chances: [
          ['a', chance],
          ['b', 1 - chance],
        ] as const,
      }));
      const exact = binomialP(count, of, chance);
      const { pValue } = fairnessTest(elections);
      // Four standard errors of the share of 9999 replicas, and the one that is counted for the draw itself.
      expect(Math.abs(pValue - exact)).toBeLessThan(4 * Math.sqrt((exact * (1 - exact)) / 9_999) + 2e-4);
    },
  );

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

  it('compares draws with weights and leaves out those that were none', () => {
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

  it('takes candidates of which nobody has weight for equal, and counts only draws that had a choice', () => {
    const weighing = (weight: string, drawn: string): RunFacts['draws'][number] => ({
      ...(draws([drawn])[0] as RunFacts['draws'][number]),
      weights: [...NAMES.slice(1).map((miner) => ({ miner, weight: '0' })), { miner: 'p01', weight }],
    });
    const night = (drawn: readonly string[]) => drawn.map((name) => weighing('0', name));
    const day = Array.from({ length: 40 }, () => weighing('9', 'p01'));
    const of = (some: RunFacts['draws']): Verdict | undefined =>
      verdict('election-fairness', facts({ draws: some }, ', electionFairness: {}'));
    const turns = Array.from({ length: 24 }, (_, k) => NAMES[k % 4] as string);
    expect(of(day)).toBe('unknown');
    expect(of([...day, ...night(turns.slice(0, 19))])).toBe('unknown');
    expect(of([...day, ...night(turns)])).toBe('holds');
    expect(of([...day, ...night(turns.map(() => 'p01'))])).toBe('violated');
    expect(of([...day, ...night(turns), weighing('9', 'p02')])).toBe('violated');
  });
});

describe('punishment', () => {
  const penalty = (member: string, lostMicro: string, atMs = 9_000): EventOf<'penalty'> => ({
    type: 'penalty',
    atMs,
    height: 9,
    member,
    lostMicro,
    stakeMicro: '0',
    openingMicro: '100000000',
  });
  const SLASH = '10000000';
  const REFUSAL = '100000';
  const malicious = (...names: MisbehaviourName[]): FaultRecord =>
    fault({
      kind: 'misbehave',
      label: 'misbehave p04 at 2s',
      misbehaviours: names.map((name) => ({ name, parameters: {} })),
      endedMs: null,
      proof: 'it says so',
    });
  const turnOf = (turn: string, height: number, kind = 'transactions'): EventOf<'block'> => ({
    type: 'block',
    atMs: 1_000 * height,
    height,
    hash: '',
    kind,
    slot: 1,
    term: 1,
    turn,
    composer: turn,
    round: 0,
    transactions: 0,
    bytes: 1,
    chainTimeMs: 0,
  });
  const within = ', punishment: {within: 10}';
  const long = { endMs: 40_000 };

  it('of an honest member is a violation, except for a turn that a fault made it miss', () => {
    const of = (change: Partial<RunFacts>) => verdict('honest-unpunished', facts(change));
    expect(of({ penalties: [penalty('p02', SLASH)] })).toBe('violated');
    expect(of({ penalties: [penalty('p04', SLASH)], faults: [fault({})] })).toBe('violated');
    expect(of({ penalties: [penalty('p02', REFUSAL)], faults: [fault({})] })).toBe('violated');
    expect(of({ penalties: [penalty('p04', REFUSAL)], faults: [fault({})] })).toBe('holds');
    expect(of({ penalties: [penalty('p04', REFUSAL, 1_000)], faults: [fault({})] })).toBe('violated');
    // Heights that began before all were connected: the first to be committed after that, too.
    expect(of({ penalties: [{ ...penalty('p02', REFUSAL, 0), height: 1 }] })).toBe('holds');
    expect(of({ penalties: [{ ...penalty('p02', REFUSAL, 1_000), height: 2 }] })).toBe('violated');
    expect(of({ penalties: [{ ...penalty('p02', SLASH, 0), height: 1 }] })).toBe('violated');
    const slow = facts({ penalties: [penalty('p02', REFUSAL)] }, ', punishment: {timely: false}');
    expect(verdict('honest-unpunished', slow)).toBe('holds');
    expect(of({ penalties: [penalty('p04', SLASH)], faults: [malicious('double-vote')] })).toBe('holds');
    expect(of({ penalties: [penalty('p03', REFUSAL)], faults: [malicious('refuse')] })).toBe('violated');
  });

  it('of an honest member says nothing where a peer got no processor: what is late then is late for no fault of its own', () => {
    const waiting = (waitMs: number | null, atMs: number): EventOf<'sample'> => ({
      type: 'sample',
      atMs,
      peer: 'p03',
      state: 'up',
      height: 1,
      connected: 3,
      poolTransactions: 0,
      cpuMs: 0,
      waitMs,
      memoryBytes: 1,
    });
    const of = (samples: EventOf<'sample'>[], lost = REFUSAL) =>
      verdict('honest-unpunished', facts({ penalties: [penalty('p02', lost)], samples }));
    const starved = [waiting(100, 7_000), waiting(800, 8_000)];
    expect(of(starved)).toBe('unknown');
    expect(of([waiting(100, 7_000), waiting(400, 8_000)])).toBe('violated');
    expect(of([waiting(null, 7_000), waiting(null, 8_000)])).toBe('violated');
    // Long after, and before a restart.
    expect(of(starved.map((sample) => ({ ...sample, atMs: sample.atMs + 5_000 })))).toBe('violated');
    expect(of([waiting(800, 7_000), waiting(100, 8_000)])).toBe('violated');
    expect(of(starved, SLASH)).toBe('violated');
  });

  it.each<[MisbehaviourName, Partial<RunFacts>, Verdict]>([
    ['double-vote', { penalties: [penalty('p04', SLASH)] }, 'holds'],
    ['double-vote', { penalties: [penalty('p04', REFUSAL)] }, 'violated'],
    ['double-vote', { penalties: [penalty('p03', SLASH)] }, 'violated'],
    ['double-vote', { penalties: [penalty('p04', SLASH, 1_000)] }, 'violated'],
    ['double-vote', { endMs: 8_000 }, 'unknown'],
    ['refuse', { penalties: [penalty('p04', REFUSAL)] }, 'holds'],
    ['refuse', { blocks: [turnOf('p04', 9)] }, 'violated'],
    ['refuse', { blocks: [turnOf('p03', 9)] }, 'unknown'],
    ['refuse', { blocks: [turnOf('p04', 1)] }, 'unknown'],
    ['refuse', { blocks: [turnOf('p04', 35)] }, 'unknown'],
    ['overstate', {}, 'unknown'],
    ['withhold-votes', {}, 'holds'],
  ])('of %s is seen', (name, change, expected) => {
    const run = facts({ ...long, faults: [malicious(name)], ...change }, within);
    expect(verdict('misbehaviour-punished', run)).toBe(expected);
  });

  it('of a false announcement is what the meter costs', () => {
    const charged = settlement(3);
    const with04 = (change: Partial<(typeof charged.members)[number]>) =>
      charged.members.map((one) => (one.name === 'p04' ? { ...one, ...change } : one));
    const members = with04({ deviationMicro: '7', producedWh: '5' });
    const of = (settlements: RunFacts['settlements']) =>
      verdict('misbehaviour-punished', facts({ ...long, faults: [malicious('overstate')], settlements }, within));
    expect(of([{ ...charged, members }])).toBe('holds');
    expect(of([{ ...charged, members, atMs: 1_000 }])).toBe('unknown');
    expect(of([{ ...charged, members: with04({ producedWh: '5' }) }])).toBe('violated');
    expect(of([charged])).toBe('unknown');
  });

  it.each<[string, EventOf<'block'>, string, Verdict]>([
    ['wrong-trade', turnOf('p04', 9, 'settlement'), '700', 'violated'],
    ['wrong-trade', turnOf('p04', 9, 'settlement'), '0', 'unknown'],
    ['flow-not-optimal', turnOf('p03', 9, 'settlement'), '700', 'unknown'],
    ['inflated-reward', turnOf('p04', 9, 'settlement'), '0', 'violated'],
    ['inflated-reward', turnOf('p04', 9), '0', 'unknown'],
    ['forged-signature', turnOf('p04', 9), '0', 'violated'],
    ['forged-signature', turnOf('p04', 9, 'settlement'), '0', 'unknown'],
    ['wrong-state-root', turnOf('p04', 9, 'settlement'), '0', 'violated'],
    ['wrong-election', turnOf('p03', 9), '0', 'violated'],
    ['wrong-election', turnOf('p04', 9), '0', 'unknown'],
  ])('of an invalid block (%s) needs a block that it could be wrong about', (kind, block, tradedWh, expected) => {
    const liar = { ...malicious(), misbehaviours: [{ name: 'invalid-block' as const, parameters: { kind } }] };
    const settlements = [{ ...settlement(3), height: 9, tradedWh }];
    const run = facts({ ...long, faults: [liar], blocks: [block], settlements }, within);
    expect(verdict('misbehaviour-punished', run)).toBe(expected);
  });

  it('is judged for each of several misbehaviours, and not at all without one', () => {
    const faults = [malicious('double-vote', 'refuse')];
    const both = facts({ ...long, faults, penalties: [penalty('p04', SLASH)] }, within);
    expect(verdict('misbehaviour-punished', both)).toBe('holds');
    expect(verdict('misbehaviour-punished', facts())).toBeUndefined();
  });

  it('of several is tested by one that had an occasion', () => {
    const faults = [malicious('equivocate', 'vouch'), { ...malicious('equivocate'), peers: ['p03'] }];
    const of = (penalties: RunFacts['penalties'], blocks: RunFacts['blocks'] = []): Verdict | undefined =>
      verdict('misbehaviour-punished', facts({ ...long, faults, penalties, blocks }, within));
    expect(of([])).toBe('unknown');
    expect(of([penalty('p03', SLASH)])).toBe('holds');
    expect(of([penalty('p03', SLASH)], [turnOf('p04', 9)])).toBe('violated');
  });

  it('a liar may sign twice; an honest peer may not', () => {
    const journals = NAMES.map((peer) => ({
      peer,
      entries: 9,
      conflicts: peer === 'p04' ? ['prevote 7/0: a and b'] : [],
      unread: null,
    }));
    expect(verdict('single-signing', facts({ journals }))).toBe('violated');
    expect(verdict('single-signing', facts({ journals, faults: [malicious('double-vote')] }))).toBe('holds');
  });

  it('a quorum needs peers that can be relied on', () => {
    const faults = [malicious('refuse'), fault({ peers: ['p03'], label: 'kill p03 at 2s' })];
    expect(quorateSpans(facts({ faults }))).toEqual([
      { fromMs: 0, toMs: 2_000 },
      { fromMs: 6_000, toMs: 20_000 },
    ]);
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
