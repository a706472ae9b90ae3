import type { CheckResult } from '../checks/facts.ts';
import type { Result, RunFigures } from '../run/result.ts';
import { escapeHtml, lineChart, type Series } from './charts.ts';
import { FIGURE_LABELS, FIGURE_NAMES, figureText, figureValue } from './figure-labels.ts';
import { box, page, table } from './page.ts';
import { ReportData } from './report-data.ts';

export interface FigureDifference {
  /** As in the summary, and as a person reads it. */
  readonly name: string;
  readonly label: string;
  readonly a: string;
  readonly b: string;
  /** b against a in per cent; null where that means nothing. */
  readonly percent: number | null;
}

/** The figures of two runs side by side. */
export function differences(a: RunFigures, b: RunFigures): FigureDifference[] {
  return FIGURE_NAMES.map((name) => {
    const [x, y] = [figureValue(a, name), figureValue(b, name)];
    return {
      name,
      label: FIGURE_LABELS[name].label,
      a: figureText(a, name),
      b: figureText(b, name),
      percent: x !== null && y !== null && x !== 0 ? ((y - x) / Math.abs(x)) * 100 : null,
    };
  });
}

/** Checks of two runs, by name; null where one run did not have it. */
export function checkPairs(
  a: readonly CheckResult[],
  b: readonly CheckResult[],
): { name: string; a: CheckResult | null; b: CheckResult | null }[] {
  const names = [...new Set([...a, ...b].map(({ check }) => check))];
  const of = (checks: readonly CheckResult[], name: string): CheckResult | null =>
    checks.find(({ check }) => check === name) ?? null;
  return names.map((name) => ({ name, a: of(a, name), b: of(b, name) }));
}

/** Two results as one page: verdicts, figures, and both curves in each chart. */
export function compareHtml(a: Result, b: Result): string {
  const [dataA, dataB] = [new ReportData(a), new ReportData(b)];
  const both = (of: (data: ReportData) => readonly Series[]): Series[] => [
    ...of(dataA).map((series) => ({ ...series, name: `A: ${series.name}` })),
    ...of(dataB).map((series) => ({ ...series, name: `B: ${series.name}` })),
  ];
  const verdict = (check: CheckResult | null): string =>
    check === null
      ? '-'
      : `<span class="verdict ${check.verdict}">${check.verdict}</span><br><span class="soft">${escapeHtml(check.detail)}</span>`;
  const title = (letter: string, { summary, folder }: Result): string =>
    `<p>${letter}: ${escapeHtml(summary.name)}, seed ${escapeHtml(summary.seed)}, ${summary.peers.length} peers <span class="soft">(${escapeHtml(folder)})</span></p>`;
  const body = [
    '<h1>Two runs side by side</h1>',
    title('A', a),
    title('B', b),
    '<h2>Verdicts</h2>',
    table(
      ['check', 'A', 'B'],
      checkPairs(a.summary.checks, b.summary.checks).map((pair) => [
        escapeHtml(pair.name),
        verdict(pair.a),
        verdict(pair.b),
      ]),
    ),
    '<h2>Figures</h2>',
    table(
      ['figure', 'A', 'B', 'B against A'],
      differences(a.summary.figures, b.summary.figures).map((one) => [
        escapeHtml(one.label),
        one.a,
        one.b,
        one.percent === null ? '' : `${one.percent >= 0 ? '+' : ''}${one.percent.toFixed(1)} %`,
      ]),
      [1, 2, 3],
    ),
    '<h2>Curves</h2>',
    '<div class="grid-of">',
    box(
      'Latency, percentiles',
      lineChart(
        both((data) => data.percentileCurves()),
        { x: 'share of the samples', y: 'ms', xScale: 'percentile', yScale: 'log' },
      ),
    ),
    box(
      'Latency over time',
      lineChart(
        both((data) => data.latencyOverTime()),
        { x: 'time, s', y: 'ms', yScale: 'log' },
      ),
    ),
    box(
      'Throughput',
      lineChart(
        both((data) => data.throughput()),
        { x: 'time, s', y: 'per second' },
      ),
    ),
    box(
      'Energy traded',
      lineChart(
        both((data) => data.energy('in', 'out').filter(({ name }) => name === 'traded')),
        { x: 'slot', y: 'kWh' },
      ),
    ),
    '</div>',
  ];
  return page(`${a.summary.name} and ${b.summary.name}`, body.join('\n'));
}
