import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import type { Verdict } from '../checks/facts.ts';
import { worst } from '../checks/judge.ts';
import { LabError } from '../errors.ts';
import { readData } from '../network/provision.ts';
import { type Axis, type SweptRun, sweepCsv, sweepHtml } from '../report/sweep-page.ts';
import { hostFacts } from '../run/host-facts.ts';
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
 * @throws LabError SWEEP_BAD_OPTION for a path that does not lead into the scenario, for `seed`, which has an option of its
 * own, for a path that comes twice, and for two points of one name; SCENARIO_INVALID for a value
 */
export function sweepPoints(text: string, file: string, axes: readonly Axis[], seeds: readonly string[]): SweepPoint[] {
  if (axes.some(({ path }) => path === 'seed'))
    throw new LabError('SWEEP_BAD_OPTION', 'seed is no axis: write --seeds 1,2,3 instead of --vary seed=1,2,3');
  const twice = axes.find(({ path }, k) => axes.findIndex((one) => one.path === path) !== k);
  if (twice !== undefined)
    throw new LabError('SWEEP_BAD_OPTION', `${twice.path} is varied twice: give all its values in one --vary`);
  const names = new Set<string>();
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
    if (names.has(name))
      throw new LabError(
        'SWEEP_BAD_OPTION',
        `two points would have the folder ${name}: name each value and seed once, and let values differ in more than special characters`,
      );
    names.add(name);
    const varied = String(document);
    parseScenario(varied, `${file} with ${name}`);
    return { name, settings, text: varied };
  });
}

/**
 * Runs every point that has no result yet: a sweep that was stopped goes on where it was. Writes `sweep.csv` and plots.
 * @param perform the run of a point; tests put another one here
 */
export async function sweep(options: SweepOptions, perform: typeof performRuns = performRuns): Promise<Verdict> {
  const { out, axes } = options;
  const points = sweepPoints(options.text, options.scenarioFile, axes, options.seeds);
  const { commit } = await hostFacts();
  const done = await Promise.all(points.map((point) => doneBefore(point, join(out, point.name), options, commit)));
  await mkdir(out, { recursive: true });
  const runs: SweptRun[] = [];
  for (const [k, point] of points.entries()) {
    const folder = join(out, point.name);
    const before = done[k] ?? null;
    options.onPoint(point, k + 1, points.length, before !== null);
    // What was interrupted in the middle is begun anew.
    if (before === null) await clear(folder);
    // A sweep may have been stopped between a summary and its report.
    else if (!existsSync(join(folder, 'report.html'))) await writeReport(folder);
    const summary = before ?? (await runPoint(options, point, folder, perform));
    runs.push({ name: point.name, settings: point.settings, summary });
    await writeFile(join(out, 'sweep.csv'), sweepCsv(runs));
    await writeFile(join(out, 'sweep.html'), sweepHtml(axes, options.seeds, runs));
  }
  return worst(runs.map(({ summary }) => summary.verdict));
}

/**
 * What a folder holds of a point; null when its run was not finished.
 * @throws LabError RESULT_EXISTS when it is not what this sweep would make, so that runs are mixed which cannot be compared:
 * another scenario, runtime, program or data
 */
async function doneBefore(
  { text, settings }: SweepPoint,
  folder: string,
  { runtime, scenarioFile }: SweepOptions,
  commit: string | null,
): Promise<RunSummary | null> {
  if (!existsSync(join(folder, 'summary.json'))) return null;
  const before = await readFile(join(folder, 'scenario.yaml'), 'utf8').catch(() => '');
  const { summary } = await readResult(folder);
  const refuse = (what: string): LabError =>
    new LabError(
      'RESULT_EXISTS',
      `${folder} holds a run of ${what}: choose another folder with --out, or remove this one`,
    );
  if (before !== text) throw refuse('another version of the scenario');
  if (summary.runtime !== runtime) throw refuse(`the ${summary.runtime} runtime`);
  if (summary.host.commit !== commit)
    throw refuse(
      `another version of the program (commit ${summary.host.commit ?? 'unknown'}, now ${commit ?? 'unknown'})`,
    );
  const { scenario } = parseScenario(text, scenarioFile);
  const { sha256 } = await readData(scenario, scenarioFile, settings.seed ?? '1');
  if (summary.dataSha256 !== sha256) throw refuse('other data');
  return summary;
}

/** Makes room for a run. One that saw a violation and was interrupted then is evidence, and is put aside. */
async function clear(folder: string): Promise<void> {
  const events = await readFile(join(folder, 'events.jsonl'), 'utf8').catch(() => '');
  if (!/"type":"violation"/.test(events)) return rm(folder, { recursive: true, force: true });
  for (let number = 1; ; number += 1) {
    const aside = `${folder},interrupted-${number}`;
    if (!existsSync(aside)) return rename(folder, aside);
  }
}

async function runPoint(
  options: SweepOptions,
  point: SweepPoint,
  out: string,
  perform: typeof performRuns,
): Promise<RunSummary> {
  const { summaries } = await perform({
    ...options,
    read: parseScenario(point.text, options.scenarioFile),
    out,
    seed: point.settings.seed ?? '1',
    repetitions: 1,
    keepPeers: false,
  });
  return summaries[0] as RunSummary;
}
