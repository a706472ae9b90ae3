import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import type { RunSummary } from '../../packages/lab/src/run/result.ts';
import { readResult } from '../../packages/lab/src/run/result.ts';
import { findBrowser, openPage } from './browser.ts';
import { eventually } from './eventually.ts';

const MAIN = join(import.meta.dirname, '../../packages/node/src/cli/main.ts');
const folder = mkdtempSync(join(tmpdir(), 'wattmesh-lab-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** `wattmesh ...` as a user types it: exit code and output. */
async function wattmesh(...args: string[]): Promise<{ code: number; output: string }> {
  return promisify(execFile)(process.execPath, [MAIN, ...args], { maxBuffer: 64 * 1024 * 1024 }).then(
    ({ stdout }) => ({ code: 0, output: stdout }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      code: error.code,
      output: error.stdout + error.stderr,
    }),
  );
}

/** How many processes of this machine were started with a path in `path`. */
function processesOf(path: string): number {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(path);
    } catch {
      return false;
    }
  }).length;
}

/** Letters of a chart that are cut off at its edge, or lie over others. */
const UNREADABLE = `[...document.querySelectorAll('.grid-of svg')].flatMap((svg) => {
  const frame = svg.getBoundingClientRect();
  const texts = [...svg.querySelectorAll('text')].map((text) => [text.textContent, text.getBoundingClientRect()]);
  const meets = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
  return [
    ...texts.filter(([, a]) => a.left < frame.left - 1 || a.right > frame.right + 1 || a.top < frame.top - 1 || a.bottom > frame.bottom + 1).map(([text]) => text + ' is cut'),
    ...texts.flatMap(([text, a], k) => texts.slice(0, k).filter(([, b]) => meets(a, b)).map(([other]) => text + ' over ' + other)),
  ];
})`;

async function run(name: string, text: string): Promise<{ code: number; summary: RunSummary; out: string }> {
  const file = join(folder, `${name}.yaml`);
  const out = join(folder, name);
  writeFileSync(file, text);
  const { code, output } = await wattmesh('run', file, '--out', out);
  if (!existsSync(join(out, 'summary.json'))) throw new Error(output);
  return { code, out, summary: (await readResult(out)).summary };
}

describe('short experiments', () => {
  let disturbed = '';

  it('a network with load, a killed miner and a partition holds what it promises, and says what it did', async () => {
    const { code, summary, out } = await run(
      'disturbed',
      `name: disturbed
until: {slot: 8}
data: {source: synthetic, firstHour: 9}
consensus: {slotPace: 200ms, timing: {proposeMs: 800}}
load: [{kind: closed, clients: 3, think: 50ms}]
timeline:
  - {do: kill, at: {slot: 2}, for: 1s, peers: miner}
  - {do: partition, at: {slot: 4}, for: 1s, groups: [[p01, p02], [p03, p04]]}
checks: {progress: {slots: 5}}
`,
    );
    disturbed = out;
    expect(summary.shortcomings).toEqual([]);
    expect(summary.checks.filter(({ verdict }) => verdict !== 'holds')).toEqual([]);
    expect(code).toBe(0);
    expect(summary.faults.map(({ proof }) => proof)).toEqual([
      expect.stringMatching(/is gone$/),
      expect.stringMatching(/messages were lost on \d of 8 cut links$/),
    ]);
    const blocks = readFileSync(join(out, 'blocks.csv'), 'utf8').trim().split('\n');
    expect(blocks).toHaveLength(summary.figures.heights + 1);
    expect(summary.figures.transactions).toBeGreaterThan(0);
  });

  it('is unknown, and never passed, when a fault does not take effect', async () => {
    const { code, summary } = await run(
      'no-effect',
      `name: no effect
peers: 2
until: 1s
consensus: {slotPace: 100ms}
timeline: [{do: kill, at: {height: 100000}, peers: [p01]}]
limit: 2s
`,
    );
    expect(summary.shortcomings[0]).toBe('the moment of kill p01 at height 100000 did not come');
    expect(new Set(summary.checks.map(({ verdict }) => verdict))).toEqual(new Set(['unknown']));
    expect(code).toBe(3);
  });

  it('a scenario that cannot be run is refused with its line, and nothing is left', async () => {
    const file = join(folder, 'bad.yaml');
    writeFileSync(file, 'name: bad\ntimeline:\n  - {do: kill, at: 1s, peers: [p17]}\n');
    const { code, output } = await wattmesh('run', file, '--out', join(folder, 'bad'));
    expect(code).toBe(2);
    expect(output).toContain(`${file}:3:32: timeline[0].peers[0]: there is no peer p17`);
    expect(existsSync(join(folder, 'bad'))).toBe(false);
  });

  it.each(['starting', 'running'])('an interrupt of a %s network leaves no peer behind', async (when) => {
    const file = join(folder, 'long.yaml');
    const out = join(folder, `interrupted-${when}`);
    writeFileSync(file, 'name: long\npeers: 3\nuntil: 5min\n');
    const child = spawn(process.execPath, [MAIN, 'run', file, '--out', out], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const peers = (): number => processesOf(join(out, 'peers'));
    await eventually('a network', () => (when === 'starting' ? peers() > 0 : said.includes('3 peers are up')), 60_000);
    child.kill('SIGINT');
    const [code] = await once(child, 'exit');
    expect(said).toContain('stopped; no peer is left running');
    expect(code).toBe(130);
    expect(peers()).toBe(0);
    expect(readdirSync(out).sort()).toEqual(['events.jsonl', 'scenario.yaml']);
  });

  it('an interrupted sweep leaves no peer behind, keeps what is done, and goes on there', async () => {
    const file = join(folder, 'tiny.yaml');
    const out = join(folder, 'sweep');
    writeFileSync(file, 'name: tiny\npeers: 1\nuntil: 500ms\nconsensus: {slotPace: 100ms}\n');
    const command = ['sweep', file, '--seeds', '1,2', '--out', out];
    const child = spawn(process.execPath, [MAIN, ...command], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const peers = (seed: number): number => processesOf(join(out, `seed=${seed}`, 'peers'));
    await eventually('the second point', () => peers(2) > 0, 60_000);
    child.kill('SIGINT');
    // Somebody who is in a hurry presses it twice.
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([130, null]);
    expect(said).toContain('Give the same command again to go on');
    expect([peers(1), peers(2)]).toEqual([0, 0]);
    const rows = (): string[] => readFileSync(join(out, 'sweep.csv'), 'utf8').trim().split('\n').slice(1);
    const [first] = rows();
    expect(rows()).toHaveLength(1);
    const { code, output } = await wattmesh(...command);
    expect(output).toContain('1 of 2: seed=1 (done before)');
    expect(rows()).toEqual([first, expect.stringMatching(/^2,holds,/)]);
    expect(code).toBe(0);
  });

  it('report and compare read a result again', async () => {
    const before = readFileSync(join(disturbed, 'report.html'), 'utf8');
    rmSync(join(disturbed, 'report.html'));
    expect((await wattmesh('report', disturbed)).code).toBe(0);
    expect(readFileSync(join(disturbed, 'report.html'), 'utf8')).toBe(before);
    const page = join(folder, 'compare.html');
    const { code, output } = await wattmesh('compare', disturbed, join(folder, 'no-effect'), '--out', page);
    expect(code).toBe(0);
    expect(output).toMatch(/agreement +holds +unknown/);
    expect(readFileSync(page, 'utf8')).toContain('A: blocks');
  });

  it.for([
    { page: 'report', width: 390, charts: 11, bands: 8 },
    { page: 'report', width: 1280, charts: 11, bands: 8 },
    { page: 'compare', width: 390, charts: 4, bands: 0 },
    { page: 'compare', width: 1280, charts: 4, bands: 0 },
  ])(
    'the $page is drawn at a width of $width without a request, an error or a sideways scroll',
    async (wanted, { skip }) => {
      const browser = findBrowser();
      if (browser === undefined) return skip('no Chromium');
      const file = wanted.page === 'report' ? join(disturbed, 'report.html') : join(folder, 'compare.html');
      const { requests, messages, value } = await openPage(browser, file, {
        width: wanted.width,
        expression: `{
        charts: [...document.querySelectorAll('svg')].filter((svg) => svg.querySelector('path, rect, circle') && svg.getBoundingClientRect().height > 50).length,
        overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
        smallest: Math.min(...[...document.querySelectorAll('.grid-of svg text')].map((text) => text.getBoundingClientRect().height)),
        bands: document.querySelectorAll('.band').length,
        unreadable: ${UNREADABLE},
      }`,
      });
      expect(requests).toEqual([expect.stringMatching(new RegExp(`^file:.*${wanted.page}\\.html$`))]);
      expect(messages).toEqual([]);
      const { charts, overflow, smallest, bands, unreadable } = value as Record<string, number> & {
        unreadable: string[];
      };
      expect(unreadable).toEqual([]);
      expect(charts).toBeGreaterThanOrEqual(wanted.charts);
      expect(overflow).toBe(0);
      expect(smallest).toBeGreaterThan(8);
      expect(bands).toBeGreaterThanOrEqual(wanted.bands);
    },
  );
});
