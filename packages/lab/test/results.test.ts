import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readData } from '../src/network/provision.ts';
import { compareHtml, differences } from '../src/report/compare.ts';
import { reportHtml } from '../src/report/report.ts';
import { type SweptRun, sweepHtml } from '../src/report/sweep-page.ts';
import { hostFacts } from '../src/run/host-facts.ts';
import { performRuns } from '../src/run/perform-runs.ts';
import { ResultFolder, type RunSummary, readResult } from '../src/run/result.ts';
import { csv, tablesOf } from '../src/run/tables.ts';
import { parseScenario } from '../src/scenario/read-scenario.ts';
import { parseAxis, sweep, sweepPoints } from '../src/sweep/sweep.ts';
import type { LabEvent } from '../src/watch/events.ts';

const folder = mkdtempSync(join(tmpdir(), 'wattmesh-lab-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const TEXT = 'name: small\npeers: 4\nload:\n  - {kind: open, rate: 5}\ntimeline:\n  - {do: kill, at: 1s, peers: 25%}\n';

function summaryOf(change: Partial<RunSummary> = {}): RunSummary {
  return {
    format: 1,
    name: 'small <network>',
    verdict: 'violated',
    seed: '1',
    runtime: 'process',
    startedAt: '2025-06-21T00:00:00.000Z',
    scenario: parseScenario(TEXT, 't').scenario,
    chainId: 'ab'.repeat(32),
    quorum: 3,
    peers: ['p01', 'p02', 'p03', 'p04'],
    dataSha256: 'cd'.repeat(32),
    host: { platform: 'linux', cpu: 'some', cores: 2, memoryBytes: 2 ** 33, loadBefore: 0, node: 'v24', commit: null },
    checks: [
      {
        check: 'liveness',
        promise: 'Blocks go on.',
        verdict: 'violated',
        detail: 'a wait',
        first: { atMs: 4_000, height: 7 },
      },
    ],
    shortcomings: [],
    faults: [
      {
        label: 'kill p04 at 1s',
        kind: 'kill',
        peers: ['p04'],
        links: [],
        misbehaviours: [],
        beganMs: 1_000,
        provenMs: 1_000,
        endedMs: 3_000,
        proof: 'gone',
        failure: null,
      },
    ],
    figures: {
      seconds: 10,
      heights: 20,
      slots: 5,
      heightsPerSecond: 2,
      transactions: 50,
      transactionsPerSecond: 5,
      transactionP50Ms: 100,
      transactionP99Ms: 300,
      blockP50Ms: 50,
      blockP99Ms: 150,
      laterRounds: 1,
      tradedWh: '1200',
      lossSavedHalfNanoWh: '5',
      cpuMsPerHeight: 30,
      processorWaitPercent: 2,
      maxMemoryBytes: null,
    },
    ...change,
  };
}

const EVENTS: LabEvent[] = [
  { atMs: 0, type: 'started', chainId: 'ab', peers: ['p01'], quorum: 3 },
  { atMs: 900, type: 'commit', height: 1, peer: 'p02', composedAtMs: null, viaSync: false },
  { atMs: 700, type: 'commit', height: 1, peer: 'p01', composedAtMs: 600, viaSync: false },
];

async function writeResult(path: string, summary: RunSummary, events = EVENTS, text = TEXT): Promise<void> {
  const result = await ResultFolder.create(path, text);
  for (const event of events) result.record(event);
  await result.close();
  await result.write('summary.json', JSON.stringify(summary));
}

describe('a result folder', () => {
  it('gives back what was written, in the order of time', async () => {
    const path = join(folder, 'one');
    await writeResult(path, summaryOf());
    const { summary, events } = await readResult(path);
    expect(summary).toEqual(summaryOf());
    expect(events.map(({ atMs }) => atMs)).toEqual([0, 700, 900]);
  });

  it('is never written over, and one that is none is refused', async () => {
    await expect(ResultFolder.create(join(folder, 'one'), TEXT)).rejects.toMatchObject({ code: 'RESULT_EXISTS' });
    await expect(readResult(join(folder, 'nothing'))).rejects.toMatchObject({ code: 'RESULT_UNREADABLE' });
    mkdirSync(join(folder, 'damaged'));
    writeFileSync(join(folder, 'damaged/summary.json'), '{');
    await expect(readResult(join(folder, 'damaged'))).rejects.toMatchObject({ code: 'RESULT_UNREADABLE' });
  });

  it('has tables whose cells are quoted where they must be', () => {
    expect(
      csv(
        ['a', 'b'],
        [
          ['x,y', 'say "no"'],
          [1, 0.04],
        ],
      ),
    ).toBe('a,b\n"x,y","say ""no"""\n1,0.04\n');
  });
});

describe('the tables of a result', () => {
  it('hold a row for each event of their kind, under a header of the same length', () => {
    const penalty: LabEvent = {
      type: 'penalty',
      atMs: 5,
      height: 3,
      member: 'p02',
      lostMicro: '10',
      stakeMicro: '90',
      openingMicro: '100',
    };
    const tables = tablesOf([...EVENTS, penalty]);
    expect(tables['penalties.csv']?.split('\n')[1]).toBe('5,3,p02,10,90,100');
    expect(tables['commits.csv']?.trim().split('\n')).toHaveLength(3);
    for (const [name, text] of Object.entries(tables)) {
      const columns = text
        .trim()
        .split('\n')
        .map((row) => row.split(',').length);
      expect(new Set(columns).size, name).toBe(1);
    }
  });
});

describe('a report', () => {
  it('leads to the first violation, shades faults, and asks for nothing from elsewhere', () => {
    const html = reportHtml({ folder: 'x', summary: summaryOf(), events: EVENTS });
    expect(html).toContain('<a href="#first-violation">The first violation: liveness, 4.0 s</a>');
    expect(html).toContain('id="first-violation"');
    expect(html).toContain('<a href="#check-liveness">');
    expect(html).toContain('id="check-liveness"');
    expect(html).toMatch(/class="band"><title>kill p04 at 1s/);
    expect(html).toContain('small &lt;network&gt;');
    expect(html.replace('<link rel="icon" href="data:,">', '')).not.toMatch(/<script|<link|<img|src=|https?:/);
  });

  it('draws the time from the composition of a block until its last commit', () => {
    const html = reportHtml({ folder: 'x', summary: summaryOf(), events: EVENTS });
    const without = reportHtml({ folder: 'x', summary: summaryOf(), events: EVENTS.slice(0, 1) });
    expect(html.match(/r="1\.6"/g)).toHaveLength(1);
    expect(without).not.toContain('r="1.6"');
  });

  it('compares figures in per cent where that means something', () => {
    const a = summaryOf().figures;
    const rows = differences(a, { ...a, heights: 30, maxMemoryBytes: 7e6 });
    expect(rows.find(({ name }) => name === 'heights')).toMatchObject({ a: '20', b: '30', percent: 50 });
    expect(rows.find(({ name }) => name === 'maxMemoryBytes')).toMatchObject({ a: '-', b: '7', percent: null });
    const result = { folder: 'x', summary: summaryOf(), events: EVENTS };
    expect(compareHtml(result, { ...result, summary: summaryOf({ checks: [] }) })).toContain('<td>-</td>');
  });
});

describe('a run that is interrupted', () => {
  const events: LabEvent[] = [
    { type: 'violation', atMs: 5, check: 'agreement', message: 'two hashes', height: 3 },
    { type: 'load', atMs: 6, due: 0, sent: 0, missed: 0, refused: 0, committed: 0, outstanding: 0 },
  ];

  it.each([
    ['keeps the folders of the peers after a violation', events, true],
    ['removes them without one', events.slice(1), false],
  ])('%s', async (name, seen, isKept) => {
    const out = join(folder, name);
    const stop = new AbortController();
    const options = {
      read: parseScenario(TEXT, 't'),
      scenarioFile: 't',
      out,
      runtime: 'process' as const,
      seed: '1',
      repetitions: 1,
      keepPeers: false,
      signal: stop.signal,
      onEvent: () => undefined,
      onSummary: () => undefined,
    };
    const interrupted = performRuns(options, async ({ onEvent, result }) => {
      mkdirSync(join(out, 'peers/p01'), { recursive: true });
      for (const event of seen) onEvent(event);
      await result.close();
      stop.abort(new Error('SIGINT'));
      throw stop.signal.reason;
    });
    await expect(interrupted).rejects.toThrow('SIGINT');
    expect(existsSync(join(out, 'peers/p01'))).toBe(isKept);
  });

  it('and saw a violation is put aside when its sweep goes on', async () => {
    const out = join(folder, 'stopped-sweep');
    const [point] = sweepPoints(TEXT, 't', [], ['1']);
    const result = await ResultFolder.create(join(out, 'seed=1'), point?.text ?? '');
    for (const event of events) result.record(event);
    await result.close();
    const options = {
      text: TEXT,
      scenarioFile: 't',
      axes: [],
      seeds: ['1'],
      out,
      runtime: 'process' as const,
      signal: new AbortController().signal,
      onPoint: () => undefined,
      onEvent: () => undefined,
      onSummary: () => undefined,
    };
    let isFree = false;
    await sweep(options, async (point) => {
      isFree = !existsSync(point.out);
      await writeResult(point.out, summaryOf());
      return { verdict: 'holds', summaries: [summaryOf()] };
    });
    expect(isFree).toBe(true);
    expect(readFileSync(join(out, 'seed=1,interrupted-1/events.jsonl'), 'utf8')).toContain('two hashes');
  });
});

describe('a page of a sweep', () => {
  const run = (settings: Record<string, string>, heightsPerSecond: number): SweptRun => ({
    name: Object.values(settings).join('-'),
    settings,
    summary: { verdict: 'holds', figures: { ...summaryOf().figures, heightsPerSecond } },
  });

  it('plots quantities of one unit along an axis, with a dot a run, and everything else as bars', () => {
    const of = (...values: string[]): string =>
      sweepHtml(
        [{ path: 'x', values }],
        ['1'],
        values.map((x, k) => run({ x, seed: '1' }, k + 1)),
      );
    expect(of('10%', '50%')).toContain('aria-label="heights per second by x, %"');
    expect(of('10%', '50%').match(/<circle/g)?.length).toBeGreaterThanOrEqual(2);
    for (const words of [of('500ms', '2s'), of('median', 'mean')]) {
      expect(words).toContain('aria-label="heights per second by x"');
      expect(words).not.toContain('<circle');
    }
  });

  it('has a line for each value of the other setting where there are two', () => {
    const axes = [
      { path: 'peers', values: ['4', '7'] },
      { path: 'load.0.rate', values: ['5', '50'] },
    ];
    const runs = ['4', '7'].flatMap((peers) =>
      ['5', '50'].map((rate) => run({ peers, 'load.0.rate': rate, seed: '1' }, 1)),
    );
    const html = sweepHtml(axes, ['1'], runs);
    expect(html).toContain('load.0.rate 50</span>');
    expect(html).toContain('peers 7</span>');
  });

  it('draws no bar for a value of which no run measured the figure', () => {
    const [one, other] = [run({ x: 'mean', seed: '1' }, 3), run({ x: 'median', seed: '1' }, 3)];
    const figures = { ...other.summary.figures, transactionP50Ms: null };
    const html = sweepHtml(
      [{ path: 'x', values: ['mean', 'median'] }],
      ['1'],
      [one, { ...other, summary: { ...other.summary, figures } }],
    );
    expect(html.match(/no bar: not measured/g)).toHaveLength(1);
    expect(html).not.toContain('<title>median: 0</title>');
  });

  it('compares seeds where nothing else varies, and leaves out what was not measured', () => {
    const runs = ['1', '2'].map((seed) => run({ seed }, 3));
    const html = sweepHtml([], ['1', '2'], runs);
    expect(html).toContain('aria-label="heights per second by seed"');
    const without = runs.map((one) => ({
      ...one,
      summary: { ...one.summary, figures: { ...one.summary.figures, transactionP50Ms: null } },
    }));
    expect(html).toContain('transaction latency, median, ms');
    expect(sweepHtml([], ['1', '2'], without)).not.toContain('transaction latency, median, ms');
  });
});

describe('a sweep', () => {
  it('takes every combination of values and seeds, at any place of the scenario', () => {
    const axes = [parseAxis('load.0.rate=10,50'), parseAxis('timeline.0.peers=25%,50%')];
    const points = sweepPoints(TEXT, 't', axes, ['1', '2']);
    expect(points).toHaveLength(8);
    expect(new Set(points.map(({ name }) => name)).size).toBe(8);
    const { scenario, plan } = parseScenario(points.at(-1)?.text ?? '', 't');
    expect(scenario).toMatchObject({ seed: '2', load: [{ rate: 50 }] });
    expect(plan.faults.map(({ peers }) => peers)).toEqual([['p03'], ['p04']]);
  });

  it('refuses all of it when one point cannot be run', () => {
    expect(() => parseAxis('peers')).toThrow('is no axis');
    expect(() => sweepPoints(TEXT, 't', [parseAxis('peers=4,two')], ['1'])).toThrow('the scenario cannot be run');
    expect(() => sweepPoints(TEXT, 't', [parseAxis('name.0.rate=1')], ['1'])).toThrow('there is no name.0.rate');
  });

  it.each([
    ['a seed as an axis', ['seed=1,2'], ['1'], 'write --seeds 1,2,3'],
    ['a seed twice', ['peers=4'], ['1', '1'], 'the folder peers=4,seed=1:'],
    ['an axis twice', ['peers=4', 'peers=7'], ['1'], 'peers is varied twice'],
    ['values that make one name', ['description=a/b,a b'], ['1'], 'the folder description=a_b,seed=1:'],
  ])('refuses %s: one run would take the place of another', (_, axes, seeds, message) => {
    expect(() => sweepPoints(TEXT, 't', axes.map(parseAxis), seeds)).toThrow(
      expect.objectContaining({ code: 'SWEEP_BAD_OPTION', message: expect.stringContaining(message) }),
    );
  });

  it('goes on where it was: points that have a result are read, not run', async () => {
    const out = join(folder, 'sweep');
    const axes = [parseAxis('peers=4,7')];
    const { commit } = await hostFacts();
    const host = { ...summaryOf().host, commit };
    for (const [k, { name, text }] of sweepPoints(TEXT, 't', axes, ['1']).entries()) {
      const figures = { ...summaryOf().figures, heightsPerSecond: k + 1 };
      const { sha256: dataSha256 } = await readData(parseScenario(text, 't').scenario, 't', '1');
      await writeResult(join(out, name), summaryOf({ verdict: 'holds', figures, dataSha256, host }), EVENTS, text);
    }
    const seen: boolean[] = [];
    const again = (text: string, runtime: 'process' | 'docker' = 'process') =>
      sweep({
        text,
        scenarioFile: 't',
        axes,
        seeds: ['1'],
        out,
        runtime,
        signal: new AbortController().signal,
        onPoint: (_, __, ___, isDone) => seen.push(isDone),
        onEvent: () => undefined,
        onSummary: () => undefined,
      });
    expect([await again(TEXT), seen]).toEqual(['holds', [true, true]]);
    expect(existsSync(join(out, 'peers=4,seed=1/report.html'))).toBe(true);
    const [header, ...rows] = readFileSync(join(out, 'sweep.csv'), 'utf8').trim().split('\n');
    expect(header).toMatch(/^peers,seed,verdict,seconds,heights,slots,heightsPerSecond,/);
    expect(rows).toEqual([
      expect.stringMatching(/^4,1,holds,10,20,5,1,/),
      expect.stringMatching(/^7,1,holds,10,20,5,2,/),
    ]);
    expect(readFileSync(join(out, 'sweep.html'), 'utf8')).toMatch(/aria-label="heights per second by peers"/);
    // Runs of another scenario, or of another kind of peers, would not be comparable.
    const other = { code: 'RESULT_EXISTS', message: expect.stringContaining('another version of the scenario') };
    await expect(again(TEXT.replace('rate: 5', 'rate: 6'))).rejects.toMatchObject(other);
    await expect(again(TEXT, 'docker')).rejects.toMatchObject({
      message: expect.stringContaining('the process runtime'),
    });
    // Nor would those of another program, or of a data file that has changed since.
    const file = join(out, 'peers=7,seed=1/summary.json');
    const right = JSON.parse(readFileSync(file, 'utf8')) as RunSummary;
    writeFileSync(file, JSON.stringify({ ...right, host: { ...host, commit: 'abc' } }));
    await expect(again(TEXT)).rejects.toMatchObject({
      code: 'RESULT_EXISTS',
      message: expect.stringContaining('another version of the program (commit abc, now '),
    });
    writeFileSync(file, JSON.stringify({ ...right, dataSha256: 'ef'.repeat(32) }));
    await expect(again(TEXT)).rejects.toMatchObject({ message: expect.stringContaining('a run of other data: ') });
    expect(seen).toHaveLength(2);
  });
});
