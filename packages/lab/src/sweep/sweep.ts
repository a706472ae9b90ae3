import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import type { Verdict } from '../checks/facts.ts';
import { worst } from '../checks/judge.ts';
import { LabError } from '../errors.ts';
import { type Axis, type SweptRun, sweepCsv, sweepHtml } from '../report/sweep-page.ts';
import { performRuns, type RunsOptions, writeReport } from '../run/perform-runs.ts';
import { type RunSummary, readResult } from '../run/result.ts';
import { parseScenario } from '../scenario/read-scenario.ts';

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
  const done = await Promise.all(points.map((point) => doneBefore(point, join(out, point.name), options.runtime)));
  await mkdir(out, { recursive: true });
  const runs: SweptRun[] = [];
  for (const [k, point] of points.entries()) {
    const folder = join(out, point.name);
    const before = done[k] ?? null;
    options.onPoint(point, k + 1, points.length, before !== null);
    // What was interrupted in the middle is begun anew.
    if (before === null) await rm(folder, { recursive: true, force: true });
    // A sweep may have been stopped between a summary and its report.
    else if (!existsSync(join(folder, 'report.html'))) await writeReport(folder);
    const summary = before ?? (await runPoint(options, point, folder));
    runs.push({ name: point.name, settings: point.settings, summary });
    await writeFile(join(out, 'sweep.csv'), sweepCsv(runs));
    await writeFile(join(out, 'sweep.html'), sweepHtml(axes, options.seeds, runs));
  }
  return worst(runs.map(({ summary }) => summary.verdict));
}

/**
 * What a folder holds of a point; null when its run was not finished.
 * @throws LabError RESULT_EXISTS when it is that of another scenario: a sweep mixes no two
 */
async function doneBefore({ text }: SweepPoint, folder: string, runtime: string): Promise<RunSummary | null> {
  if (!existsSync(join(folder, 'summary.json'))) return null;
  const before = await readFile(join(folder, 'scenario.yaml'), 'utf8').catch(() => '');
  const { summary } = await readResult(folder);
  if (before === text && summary.runtime === runtime) return summary;
  const what = before === text ? `the ${summary.runtime} runtime` : 'another version of the scenario';
  throw new LabError(
    'RESULT_EXISTS',
    `${folder} holds a run of ${what}: choose another folder with --out, or remove this one`,
  );
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
