import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { compareHtml, differences } from '../src/report/compare.ts';
import { reportHtml } from '../src/report/report.ts';
import { ResultFolder, type RunSummary, readResult } from '../src/run/result.ts';
import { csv } from '../src/run/tables.ts';
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

async function writeResult(path: string, summary: RunSummary, events = EVENTS): Promise<void> {
  const result = await ResultFolder.create(path, TEXT);
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
          [1, 2.25],
        ],
      ),
    ).toBe('a,b\n"x,y","say ""no"""\n1,2.3\n');
  });
});

describe('a report', () => {
  it('leads to the first violation, shades faults, and asks for nothing from elsewhere', () => {
    const html = reportHtml({ folder: 'x', summary: summaryOf(), events: EVENTS });
    expect(html).toContain('<a href="#check-liveness">');
    expect(html).toContain('id="check-liveness"');
    expect(html).toMatch(/class="band"><title>kill p04 at 1s/);
    expect(html).toContain('small &lt;network&gt;');
    expect(html.replace('<link rel="icon" href="data:,">', '')).not.toMatch(/<script|<link|<img|src=|https?:/);
  });

  it('draws the time from the composition of a block until its last commit', () => {
    const html = reportHtml({ folder: 'x', summary: summaryOf(), events: EVENTS });
    const without = reportHtml({ folder: 'x', summary: summaryOf(), events: EVENTS.slice(0, 1) });
    expect(html.match(/<circle/g)).toHaveLength(1);
    expect(without).not.toContain('<circle');
  });

  it('compares figures in per cent where that means something', () => {
    const a = summaryOf().figures;
    const rows = differences(a, { ...a, heights: 30, maxMemoryBytes: 7 });
    expect(rows.find(({ name }) => name === 'heights')).toMatchObject({ a: '20', b: '30', percent: 50 });
    expect(rows.find(({ name }) => name === 'maxMemoryBytes')).toMatchObject({ a: '-', b: '7', percent: null });
    const result = { folder: 'x', summary: summaryOf(), events: EVENTS };
    expect(compareHtml(result, { ...result, summary: summaryOf({ checks: [] }) })).toContain('<td>-</td>');
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

  it('goes on where it was: points that have a result are read, not run', async () => {
    const out = join(folder, 'sweep');
    const axes = [parseAxis('peers=4,7')];
    for (const [k, { name }] of sweepPoints(TEXT, 't', axes, ['1']).entries()) {
      const figures = { ...summaryOf().figures, heightsPerSecond: k + 1 };
      await writeResult(join(out, name), summaryOf({ verdict: 'holds', figures }));
    }
    const seen: boolean[] = [];
    const verdict = await sweep({
      text: TEXT,
      scenarioFile: 't',
      axes,
      seeds: ['1'],
      out,
      runtime: 'process',
      signal: new AbortController().signal,
      onPoint: (_, __, ___, isDone) => seen.push(isDone),
      onEvent: () => undefined,
      onSummary: () => undefined,
    });
    expect([verdict, seen]).toEqual(['holds', [true, true]]);
    const [header, ...rows] = readFileSync(join(out, 'sweep.csv'), 'utf8').trim().split('\n');
    expect(header).toMatch(/^peers,seed,verdict,seconds,heights,slots,heightsPerSecond,/);
    expect(rows).toEqual([
      expect.stringMatching(/^4,1,holds,10,20,5,1,/),
      expect.stringMatching(/^7,1,holds,10,20,5,2,/),
    ]);
    expect(readFileSync(join(out, 'sweep.html'), 'utf8')).toContain('heightsPerSecond by peers');
  });
});
