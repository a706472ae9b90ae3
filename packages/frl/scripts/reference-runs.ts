/** Runs of reference studies, as kept: one JSON object a line where they are made, one CSV row each where published. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { trainingFingerprint } from '../src/training/training-config.ts';
import type { Study } from './reference-studies.ts';

export interface Figures {
  /** In percent, as `objectiveGain`. */
  readonly shapedGain: number;
  readonly objectiveGain: number;
  readonly cash: number;
  readonly settled: number;
}

export interface Run extends Figures {
  readonly section: string;
  readonly row: string;
  readonly seed: number;
  /** Of the training's configuration. */
  readonly fingerprint: string;
  /** Rounds between the evaluations whose last four are averaged. */
  readonly spacing: number;
  /** Shaped gain at the study's second spacing, if it has one. */
  readonly otherShapedGain?: number;
  readonly modelHash: string;
  readonly commit: string;
}

const HEADER =
  'section,run,seed,evaluated_every_rounds,shaped_gain_percent,shaped_gain_other_spacing_percent,objective_gain_percent,cash_cad,settled_cad,model_hash,commit,configuration';
const FINGERPRINT_DIGITS = 12;

export function readRuns(path: string): Run[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Run);
}

export function appendRun(path: string, run: Run): void {
  mkdirSync(dirname(path), { recursive: true });
  appendFileSync(path, `${JSON.stringify(run)}\n`);
}

export function readCsv(path: string): Run[] {
  if (!existsSync(path)) return [];
  const [header, ...lines] = readFileSync(path, 'utf8').trimEnd().split('\n');
  if (header !== HEADER) throw new Error(`${path}: unknown columns ${header}`);
  return lines.map((line) => {
    // Only a run's name may hold commas, and is quoted.
    const [, section, row, rest] = /^([^,]*),"([^"]*)",(.*)$/.exec(line) as unknown as [string, string, string, string];
    const [seed, spacing, shaped, other, objective, cash, settled, modelHash, commit, fingerprint] = rest.split(
      ',',
    ) as string[];
    return {
      section,
      row,
      seed: Number(seed),
      fingerprint: fingerprint as string,
      spacing: Number(spacing),
      shapedGain: Number(shaped),
      ...(other !== '' && { otherShapedGain: Number(other) }),
      objectiveGain: Number(objective),
      cash: Number(cash),
      settled: Number(settled),
      modelHash: modelHash as string,
      commit: commit as string,
    };
  });
}

export function writeCsv(path: string, runs: readonly Run[]): void {
  const rows = runs.map((run) =>
    [
      run.section,
      `"${run.row}"`,
      run.seed,
      run.spacing,
      run.shapedGain.toFixed(3),
      run.otherShapedGain?.toFixed(3) ?? '',
      run.objectiveGain.toFixed(3),
      run.cash.toFixed(4),
      run.settled.toFixed(4),
      run.modelHash,
      run.commit,
      run.fingerprint.slice(0, FINGERPRINT_DIGITS),
    ].join(','),
  );
  writeFileSync(path, `${[HEADER, ...rows].join('\n')}\n`);
}

/** The last run of this study with this seed, made with the configuration that the study has today. */
export function findRun(runs: readonly Run[], study: Study, seed: number): Run | undefined {
  const fingerprint = trainingFingerprint(study.config(seed)).slice(0, FINGERPRINT_DIGITS);
  return runs.findLast(
    (run) =>
      run.section === study.section &&
      run.row === study.row &&
      run.seed === seed &&
      run.fingerprint.startsWith(fingerprint),
  );
}

export function findRuns(runs: readonly Run[], study: Study): Run[] {
  const found = Array.from({ length: study.seeds }, (_, i) => findRun(runs, study, i + 1));
  return found.filter((run) => run !== undefined);
}
