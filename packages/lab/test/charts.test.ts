import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { linearScale, logScale, percentileScale } from '../src/report/axes.ts';
import { barChart, lineChart } from '../src/report/charts.ts';
import { faultTimeline } from '../src/report/fault-timeline.ts';
import { firstViolation } from '../src/report/first-violation.ts';

const labels = (scale: { readonly ticks: readonly { readonly label: string }[] }): string[] =>
  scale.ticks.map(({ label }) => label);

describe('an axis', () => {
  it('has round labels, and enough of them to read a value between', () => {
    expect(labels(linearScale(0, 10, 0, 100, 5))).toEqual(['0', '2', '4', '6', '8', '10']);
    expect(labels(linearScale(-0.5, 2.6, 0, 100, 5))).toEqual(['-0.5', '0', '0.5', '1', '1.5', '2', '2.5']);
    expect(labels(linearScale(0, 12_000, 0, 100, 5))).toEqual(['0', '2000', '4000', '6000', '8000', '10k', '12k']);
    fc.assert(
      fc.property(
        fc.double({ min: -1e6, max: 1e6, noNaN: true }),
        fc.double({ min: 1e-3, max: 1e6, noNaN: true }),
        (from, width) => {
          const { ticks } = linearScale(from, from + width, 0, 100, 5);
          return ticks.length >= 3 && ticks.length <= 9;
        },
      ),
    );
  });

  it('of decades gives each the same room, and keeps what is not above 0 at its edge', () => {
    const scale = logScale(1, 1_000, 0, 300);
    expect([1, 10, 100, 1_000, 0, -5].map((value) => Math.round(scale.at(value)))).toEqual([0, 100, 200, 300, 0, 0]);
    expect(labels(scale)).toEqual(['1', '10', '100', '1000']);
    expect(labels(logScale(30, 400, 0, 300))).toEqual(['50', '100', '200']);
    expect(labels(logScale(30, 90, 0, 300)).length).toBeGreaterThanOrEqual(3);
  });

  it('of percentiles gives each further nine the same room', () => {
    const scale = percentileScale(99.9, 0, 300);
    expect([0, 90, 99, 99.9].map((value) => Math.round(scale.at(value)))).toEqual([0, 100, 200, 300]);
    expect(labels(scale)).toEqual(['0 %', '50 %', '90 %', '99 %', '99.9 %']);
    expect(labels(percentileScale(95, 0, 300))).toEqual(['0 %', '50 %', '90 %']);
  });
});

describe('a chart', () => {
  it('draws nothing outside of its frame, on whatever scale', () => {
    const value = fc.double({ min: -50, max: 1e5, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.double({ min: 0, max: 99, noNaN: true }), value), { minLength: 1 }),
        fc.boolean(),
        fc.boolean(),
        (points, isLog, isPercentile) => {
          const svg = lineChart([{ name: 'a', points, style: 'dots' }], {
            x: 'x',
            y: 'y',
            xScale: isPercentile ? 'percentile' : 'linear',
            yScale: isLog ? 'log' : 'linear',
          });
          const places = [...svg.matchAll(/<circle cx="([^"]+)" cy="([^"]+)"/g)].map(([, x, y]) => [
            Number(x),
            Number(y),
          ]);
          return (
            places.length === points.length &&
            places.every(([x, y]) => x !== undefined && y !== undefined && x >= 50 && x <= 348 && y >= 8 && y <= 166)
          );
        },
      ),
      // What cannot be told apart: no step lies between the two.
      {
        examples: [
          [
            [
              [0, 5e-324],
              [0, -5e-324],
            ],
            false,
            false,
          ],
          [
            [
              [0, 1e5],
              [1, 1e5 - 1e-11],
            ],
            false,
            false,
          ],
        ],
      },
    );
  });

  it('says what its colours, bands and marks mean, and names its axes', () => {
    const svg = lineChart(
      [
        { name: 'blocks', points: [[0, 1]] },
        { name: 'b & c', points: [[4, 2]] },
      ],
      {
        x: 'time, s',
        y: 'ms',
        bands: [{ from: 1, to: 2, label: 'kill p01' }],
        mark: 3,
      },
    );
    for (const text of ['blocks</span>', 'b &amp; c</span>', 'a fault is on', 'first violation', '>time, s<', '>ms<'])
      expect(svg).toContain(text);
    expect(lineChart([{ name: 'one', points: [[0, 1]] }], { x: 'x', y: 'y' })).not.toContain('legend');
  });

  it('takes as many values as a run of days has', () => {
    const points = Array.from({ length: 300_000 }, (_, k): [number, number] => [k, 1 + (k % 7)]);
    // Compared as numbers: a test that fails would print the whole chart.
    for (const yScale of ['linear', 'log'] as const)
      expect(lineChart([{ name: 'a', points }], { x: 'x', y: 'y', yScale }).match(/>250k</g)?.length).toBe(1);
    const values = points.map(([, y]) => y);
    expect(barChart(['a'], [{ name: 'one', values }], { x: 'x', y: 'y' }).match(/<rect/g)?.length).toBe(1);
  });

  it('breaks a line where nothing is known', () => {
    const points = [0, 1, 2, 3, 4].map((x): [number, number] => [x, x === 2 ? Number.NaN : 1]);
    const svg = lineChart([{ name: 'a', points }], { x: 'x', y: 'y' });
    const [, path = ''] = /<path d="([^"]*)"/.exec(svg) ?? [];
    expect(path.replaceAll(/[\d. ]/g, '')).toBe('MLML');
    expect(svg).not.toContain('NaN');
  });

  it('has no bar for what was not measured, and says so', () => {
    const of = (values: (number | null)[]): string =>
      barChart(['a', 'b'], [{ name: 'one', values }], { x: 'x', y: 'y' });
    expect(of([3, null]).match(/<rect/g)).toHaveLength(1);
    expect(of([3, null])).toContain('no bar: not measured');
    expect(of([3, 0]).match(/<rect/g)).toHaveLength(2);
    expect(of([3, 0])).not.toContain('not measured');
    expect(of([null, null])).toContain('Nothing was measured.');
  });

  it('of nothing says so', () => {
    expect(lineChart([{ name: 'a', points: [] }], { x: 'x', y: 'y' })).toContain('Nothing was measured.');
    expect(barChart([], [], { x: 'x', y: 'y' })).toContain('Nothing was measured.');
  });
});

const fault = {
  label: 'kill p04 at 1s',
  kind: 'kill',
  peers: ['p04'],
  links: [],
  misbehaviours: [],
  beganMs: 1_000,
  provenMs: 1_000,
  endedMs: 3_000,
  proof: 'process 7 is gone',
  failure: null,
};
const figures = { seconds: 10 } as Parameters<typeof faultTimeline>[0]['figures'];

describe('the timeline of faults', () => {
  it('has a bar for the time in which each was on, with its proof', () => {
    const html = faultTimeline({ figures, faults: [fault, { ...fault, label: 'pause', endedMs: null }] });
    expect(html).toContain('left:10.0%;width:20.0%');
    expect(html).toContain('1.0 s to the end');
    expect(html).toContain('left:10.0%;width:90.0%');
    expect(html).toContain('process 7 is gone');
  });

  it('shows what did not begin, and why one failed', () => {
    const html = faultTimeline({
      figures,
      faults: [
        { ...fault, beganMs: null, endedMs: null, proof: null },
        { ...fault, failure: 'p04 is <down>' },
      ],
    });
    expect(html).toContain('did not begin');
    expect(html).toContain('nothing was seen');
    expect(html).toContain('p04 is &lt;down&gt;');
    expect(faultTimeline({ figures, faults: [] })).toContain('None.');
  });
});

describe('what surrounds the first violation', () => {
  const check = (name: string, atMs: number) => ({
    check: name,
    promise: '',
    verdict: 'violated' as const,
    detail: '',
    first: { atMs, height: 7 },
  });
  const block = (height: number) => ({
    type: 'block' as const,
    atMs: 1_000 * height,
    height,
    hash: '',
    kind: 'transactions',
    slot: 1,
    term: 1,
    turn: 'p01',
    composer: 'p01',
    round: 0,
    transactions: 3,
    bytes: 9,
    chainTimeMs: 0,
  });

  it('is that of the earliest, with what happened shortly before and after', () => {
    const html = firstViolation({ checks: [check('validity', 9_000), check('agreement', 7_000)] }, [
      block(2),
      {
        type: 'fault',
        atMs: 3_500,
        what: 'proven',
        label: 'kill p04',
        kind: 'kill',
        peers: [],
        proof: 'gone',
        failure: null,
      },
      { ...block(7), atMs: 99_000 },
      { type: 'commit', atMs: 7_000, height: 7, peer: 'p01', composedAtMs: null, viaSync: false },
      { type: 'violation', atMs: 7_000, check: 'agreement', message: '<two> hashes', height: 7 },
      block(9),
    ]);
    expect(html).toContain('<a href="#check-agreement">agreement</a> at 7.00 s');
    expect(html).toContain('kill p04: proven, gone');
    expect(html).toContain('height 7: transactions block of p01');
    expect(html).toContain('agreement: &lt;two&gt; hashes');
    expect(html).not.toContain('height 2:');
    expect(html).not.toContain('height 9:');
  });

  it('is nothing where nothing was violated', () => {
    expect(firstViolation({ checks: [{ ...check('validity', 9_000), verdict: 'holds' }] }, [])).toBe('');
  });
});
