import type { RunFigures, RunSummary } from '../run/result.ts';
import { csv } from '../run/tables.ts';
import { barChart, escapeHtml, lineChart, type Series } from './charts.ts';
import { FIGURE_LABELS, figureText, figureValue } from './figure-labels.ts';
import { box, page, table } from './page.ts';

/** One setting of the scenario and the values that it takes: `load.0.rate=10,50,100`. */
export interface Axis {
  readonly path: string;
  readonly values: readonly string[];
}

/** A run of a sweep that is done. */
export interface SweptRun {
  /** Folder of its result, under the sweep's. */
  readonly name: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly summary: Pick<RunSummary, 'verdict' | 'figures'>;
}

type FigureName = keyof RunFigures;

const FIGURES: readonly FigureName[] = [
  'heightsPerSecond',
  'transactionsPerSecond',
  'transactionP50Ms',
  'transactionP99Ms',
  'blockP50Ms',
  'blockP99Ms',
  'cpuMsPerHeight',
  'tradedWh',
  'lossSavedHalfNanoWh',
];
/** More lines than this in one plot cannot be told apart. */
const MAX_LINES = 8;
/** A number and its unit, as in `34%` or `500ms`. */
const QUANTITY = /^(-?\d+(?:\.\d+)?)(\D*)$/;

/** Every run of a sweep as a table, and every figure that was measured against every setting. */
export function sweepHtml(axes: readonly Axis[], seeds: readonly string[], runs: readonly SweptRun[]): string {
  const measured = FIGURES.filter((name) => runs.some(({ summary }) => summary.figures[name] !== null));
  const settings = Object.keys(runs[0]?.settings ?? {});
  const rows = runs.map((run) => [
    `<a href="${encodeURI(run.name)}/report.html" title="${escapeHtml(run.name)}">report</a>`,
    ...settings.map((path) => escapeHtml(run.settings[path] ?? '')),
    `<span class="verdict ${run.summary.verdict}">${run.summary.verdict}</span>`,
    ...measured.map((figure) => figureText(run.summary.figures, figure)),
  ]);
  const plotted = axes.length === 0 ? [{ path: 'seed', values: seeds }] : axes;
  const plots = plotted.flatMap((axis) =>
    measured.map((figure) => box(FIGURE_LABELS[figure].label, plot(axis, axes, figure, runs))),
  );
  return page(
    'Sweep',
    `<h1>Sweep over ${axes.map(({ path }) => escapeHtml(path)).join(' and ') || 'seeds'}</h1><p class="soft">${runs.length} runs. A dot is a run, a line the mean of the runs.</p>${table(
      ['run', ...settings, 'verdict', ...measured.map((name) => FIGURE_LABELS[name].label)],
      rows,
      measured.map((_, k) => settings.length + 2 + k),
    )}<h2>Plots</h2><div class="grid-of">${plots.join('')}</div>`,
  );
}

/** The same as a table for other programs, with the names and units of the summary. */
export function sweepCsv(runs: readonly SweptRun[]): string {
  const [first] = runs;
  if (first === undefined) return '';
  const settings = Object.keys(first.settings);
  const figures = Object.keys(first.summary.figures) as (keyof RunFigures)[];
  return csv(
    [...settings, 'verdict', ...figures],
    runs.map((run) => [
      ...settings.map((name) => run.settings[name] ?? ''),
      run.summary.verdict,
      ...figures.map((name) => run.summary.figures[name] ?? ''),
    ]),
  );
}

/** One figure against one setting: a line for each value of the other setting, where there are two. */
function plot(axis: Axis, axes: readonly Axis[], figure: FigureName, runs: readonly SweptRun[]): string {
  const samples = runs.flatMap(({ settings, summary }) => {
    const value = figureValue(summary.figures, figure);
    return value === null ? [] : [{ settings, at: settings[axis.path] ?? '', value }];
  });
  // The title says what it is; the axis has room for the unit.
  const label = FIGURE_LABELS[figure].label.split(', ').at(-1) ?? '';
  const others = axes.filter((one) => one !== axis);
  const [other] = others;
  const groups =
    others.length === 1 && other !== undefined && other.values.length <= MAX_LINES
      ? other.values.map((value) => ({
          name: `${other.path} ${value}`,
          samples: samples.filter(({ settings }) => settings[other.path] === value),
        }))
      : [{ name: 'mean', samples }];
  const quantities = axis.path === 'seed' ? null : quantitiesOf(axis.values);
  if (quantities === null)
    return barChart(
      axis.values,
      groups.map(({ name, samples: ofGroup }) => ({ name, values: axis.values.map((at) => meanAt(at, ofGroup)) })),
      { x: axis.path, y: label },
    );
  const xOf = (at: string): number => quantities.of.get(at) ?? 0;
  const lines = groups.map(
    ({ name, samples: ofGroup }): Series => ({
      name,
      points: axis.values.flatMap((at) => {
        const mean = meanAt(at, ofGroup);
        return mean === null ? [] : [[xOf(at), mean] as const];
      }),
    }),
  );
  const dots = groups.map(
    ({ name, samples: ofGroup }): Series => ({
      name: groups.length === 1 ? 'runs' : name,
      points: ofGroup.map(({ at, value }) => [xOf(at), value] as const),
      style: 'dots',
    }),
  );
  const unit = quantities.unit === '' ? '' : `, ${quantities.unit}`;
  return lineChart([...lines, ...dots], { x: `${axis.path}${unit}`, y: label, colours: groups.length });
}

function meanAt(at: string, samples: readonly { readonly at: string; readonly value: number }[]): number | null {
  const values = samples.filter((sample) => sample.at === at).map(({ value }) => value);
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The values as numbers of one unit; null where they are words, or of different units. */
function quantitiesOf(values: readonly string[]): { readonly of: Map<string, number>; readonly unit: string } | null {
  const matches = values.map((value) => QUANTITY.exec(value));
  const unit = matches[0]?.[2];
  if (unit === undefined || matches.some((match) => match?.[2] !== unit)) return null;
  return { of: new Map(values.map((value, k) => [value, Number(matches[k]?.[1])])), unit: unit.trim() };
}
