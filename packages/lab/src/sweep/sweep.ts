import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import type { Verdict } from '../checks/facts.ts';
import { worst } from '../checks/judge.ts';
import { LabError } from '../errors.ts';
import { barChart, escapeHtml, lineChart } from '../report/charts.ts';
import { box, page, table } from '../report/page.ts';
import { performRuns, type RunsOptions } from '../run/perform-runs.ts';
import { type RunFigures, type RunSummary, readResult } from '../run/result.ts';
import { csv } from '../run/tables.ts';
import { parseScenario } from '../scenario/read-scenario.ts';

/** One setting of the scenario and the values that it takes: `load.0.rate=10,50,100`. */
export interface Axis {
  readonly path: string;
  readonly values: readonly string[];
}

export interface SweepPoint {
  /** Folder of the point's result, under the sweep's. */
  readonly name: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly text: string;
}

export interface SweepOptions extends Pick<RunsOptions, 'runtime' | 'signal' | 'onEvent' | 'onSummary'> {
  readonly text: string;
  readonly scenarioFile: string;
  readonly axes: readonly Axis[];
  readonly seeds: readonly string[];
  readonly out: string;
  onPoint(point: SweepPoint, number: number, of: number, isDone: boolean): void;
}

const FIGURES = [
  'heightsPerSecond',
  'transactionsPerSecond',
  'transactionP50Ms',
  'transactionP99Ms',
  'blockP50Ms',
  'blockP99Ms',
  'cpuMsPerHeight',
] as const satisfies readonly (keyof RunFigures)[];

/** @throws LabError SWEEP_BAD_OPTION */
export function parseAxis(text: string): Axis {
  const [, path, list] = /^([A-Za-z0-9.]+)=(.+)$/.exec(text) ?? [];
  if (path === undefined || list === undefined)
    throw new LabError('SWEEP_BAD_OPTION', `"${text}" is no axis; write a path and values, such as peers=4,7,10`);
  return { path, values: list.split(',').map((value) => value.trim()) };
}

/**
 * Every combination of the axes' values and seeds, as scenarios of their own. All are read before the first one runs.
 * @throws LabError SWEEP_BAD_OPTION for a path that does not lead into the scenario; SCENARIO_INVALID for a value
 */
export function sweepPoints(text: string, file: string, axes: readonly Axis[], seeds: readonly string[]): SweepPoint[] {
  const combinations = [...axes, { path: 'seed', values: seeds }].reduce<Record<string, string>[]>(
    (points, { path, values }) => points.flatMap((point) => values.map((value) => ({ ...point, [path]: value }))),
    [{}],
  );
  return combinations.map((settings) => {
    const document = parseDocument(text);
    for (const [path, value] of Object.entries(settings)) {
      const steps = path.split('.').map((step) => (/^\d+$/.test(step) ? Number(step) : step));
      try {
        document.setIn(steps, path === 'seed' ? value : parseDocument(value).toJS());
      } catch (cause) {
        throw new LabError('SWEEP_BAD_OPTION', `there is no ${path} in ${file} to vary: ${(cause as Error).message}`, {
          cause,
        });
      }
    }
    const name = Object.entries(settings)
      .map(([path, value]) => `${path}=${value}`.replaceAll(/[^A-Za-z0-9.=%-]+/g, '_'))
      .join(',');
    const varied = String(document);
    parseScenario(varied, `${file} with ${name}`);
    return { name, settings, text: varied };
  });
}

/** Runs every point that has no result yet: a sweep that was stopped goes on where it was. Writes `sweep.csv` and plots. */
export async function sweep(options: SweepOptions): Promise<Verdict> {
  const { out, axes } = options;
  const points = sweepPoints(options.text, options.scenarioFile, axes, options.seeds);
  await mkdir(out, { recursive: true });
  const done: { point: SweepPoint; summary: RunSummary }[] = [];
  for (const [k, point] of points.entries()) {
    const folder = join(out, point.name);
    const isDone = existsSync(join(folder, 'summary.json'));
    options.onPoint(point, k + 1, points.length, isDone);
    // What was interrupted in the middle is begun anew.
    if (!isDone) await rm(folder, { recursive: true, force: true });
    const summary = isDone ? (await readResult(folder)).summary : await runPoint(options, point, folder);
    done.push({ point, summary });
    await writeFile(join(out, 'sweep.csv'), sweepCsv(done));
    await writeFile(join(out, 'sweep.html'), sweepHtml(axes, done));
  }
  return worst(done.map(({ summary }) => summary.verdict));
}

async function runPoint(options: SweepOptions, point: SweepPoint, out: string): Promise<RunSummary> {
  const { summaries } = await performRuns({
    ...options,
    read: parseScenario(point.text, options.scenarioFile),
    out,
    seed: point.settings.seed ?? '1',
    repetitions: 1,
    keepPeers: false,
  });
  return summaries[0] as RunSummary;
}

type Done = readonly { readonly point: SweepPoint; readonly summary: RunSummary }[];

function sweepCsv(done: Done): string {
  const [first] = done;
  if (first === undefined) return '';
  const settings = Object.keys(first.point.settings);
  const figures = Object.keys(first.summary.figures) as (keyof RunFigures)[];
  return csv(
    [...settings, 'verdict', ...figures],
    done.map(({ point, summary }) => [
      ...settings.map((name) => point.settings[name] ?? ''),
      summary.verdict,
      ...figures.map((name) => summary.figures[name] ?? ''),
    ]),
  );
}

function sweepHtml(axes: readonly Axis[], done: Done): string {
  const rows = done.map(({ point, summary }) => [
    `<a href="${encodeURI(point.name)}/report.html">${escapeHtml(point.name)}</a>`,
    `<span class="verdict ${summary.verdict}">${summary.verdict}</span>`,
    ...FIGURES.map((name) => String(summary.figures[name] ?? '-')),
  ]);
  const plots = axes.flatMap((axis) =>
    FIGURES.map((figure) => box(`${figure} by ${axis.path}`, figurePlot(axis, figure, done))),
  );
  return page(
    'Sweep',
    `<h1>Sweep over ${axes.map(({ path }) => escapeHtml(path)).join(' and ') || 'seeds'}</h1>${table(
      ['point', 'verdict', ...FIGURES],
      rows,
      FIGURES.map((_, k) => k + 2),
    )}<div class="grid-of">${plots.join('')}</div>`,
  );
}

/** Mean over everything else for each value of an axis: dots for the single runs where the values are numbers. */
function figurePlot(axis: Axis, figure: (typeof FIGURES)[number], done: Done): string {
  const samples = done.flatMap(({ point, summary }) => {
    const value = summary.figures[figure];
    return value === null ? [] : [{ at: point.settings[axis.path] ?? '', value }];
  });
  const mean = (at: string): number => {
    const values = samples.filter((sample) => sample.at === at).map(({ value }) => value);
    return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  };
  if (axis.values.every((value) => !Number.isNaN(Number.parseFloat(value))))
    return lineChart(
      [
        { name: 'mean', points: axis.values.map((at) => [Number.parseFloat(at), mean(at)] as const) },
        {
          name: 'runs',
          points: samples.map(({ at, value }) => [Number.parseFloat(at), value] as const),
          style: 'dots',
        },
      ],
      { x: axis.path, y: figure },
    );
  return barChart(axis.values, [{ name: 'mean', values: axis.values.map(mean) }], { x: axis.path, y: figure });
}
