/**
 * Reproduces the reference results of federated PPO (specification, section 12) and judges them.
 *
 *   node packages/frl/scripts/reference-results.ts [section ...] [--row TEXT ...] [--out FILE] [--known CSV]
 *                                                  [--summary] [--csv FILE]
 *
 * Sections: policies, eta, training, attacks, schedule, heterogeneity, personal-eta; default the first four. Every run is
 * appended to FILE (default results/frl-reference.jsonl) and not repeated, so the script can be stopped and started
 * again, and several can share a FILE if they take different rows. Runs in CSV (default docs/learning-reference.csv)
 * are not repeated either; `--known none` repeats them. --row takes only rows whose name begins with a TEXT; --summary
 * judges what is there without running anything; --csv writes all runs, known and new, as CSV.
 */
import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { TypedArrayActorCritic } from '../src/learner/typed-array-actor-critic.ts';
import { createLearnedPolicy } from '../src/policy/learned-policy.ts';
import { createEvaluation } from '../src/training/evaluation.ts';
import { train, trainingLayout } from '../src/training/train.ts';
import { trainingFingerprint } from '../src/training/training-config.ts';
import { printEtaTable, printPolicyTable } from './reference-optima.ts';
import { appendRun, type Figures, findRun, findRuns, readCsv, readRuns, writeCsv } from './reference-runs.ts';
import { STUDIES, type Study } from './reference-studies.ts';
import { printAttackTable, printSection } from './reference-tables.ts';

const AVERAGED_EVALUATIONS = 4;
const ROOT = resolve(import.meta.dirname, '../../..');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: 'string', default: 'results/frl-reference.jsonl' },
    known: { type: 'string', default: resolve(ROOT, 'docs/learning-reference.csv') },
    row: { type: 'string', multiple: true, default: [''] },
    summary: { type: 'boolean' },
    csv: { type: 'string' },
  },
});
const sections = positionals.length > 0 ? positionals : ['policies', 'eta', 'training', 'attacks'];
const host = `${cpus()[0]?.model.trim() ?? 'unknown'}, ${availableParallelism()} cores, Node ${process.version}`;
const commit = `${git('rev-parse', '--short=12', 'HEAD')}${git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '+'}`;
const known = values.known === 'none' ? [] : readCsv(values.known);
const allRuns = () => [...known, ...readRuns(values.out)];

if (sections.includes('policies')) printPolicyTable();
if (sections.includes('eta')) printEtaTable();
const studies = STUDIES.filter(
  ({ section, row }) => sections.includes(section) && values.row.some((text) => row.startsWith(text)),
);
if (!values.summary) {
  // Seed by seed, so that a stopped run has seen every study equally often.
  for (let seed = 1; seed <= Math.max(0, ...studies.map((study) => study.seeds)); seed++) {
    for (const study of studies) {
      if (seed <= study.seeds && !findRun(allRuns(), study, seed)) runStudy(study, seed);
    }
  }
}
const runs = allRuns();
for (const section of sections) {
  const shown = studies.filter((study) => study.section === section);
  if (shown.length > 0) printSection(section, shown, runs);
  if (section === 'attacks' && shown.length > 0) printAttackTable(shown, runs);
}
if (values.csv !== undefined) {
  writeCsv(
    values.csv,
    STUDIES.flatMap((study) => findRuns(runs, study)),
  );
}

function runStudy(study: Study, seed: number): void {
  const config = study.config(seed);
  const environment = config.environments[study.shownEv];
  if (!environment) throw new Error(`${study.row}: there is no EV ${study.shownEv}`);
  const started = performance.now();
  const evaluation = createEvaluation(environment, config.evaluation);
  const model = new TypedArrayActorCritic(trainingLayout(config));
  const curve: (Figures & { round: number })[] = [];
  let modelHash = '';
  // Evaluated here and not by `train`: only the shown EV's world, and at the rounds of more than one spacing.
  for (const progress of train({ ...config, evaluation: { ...config.evaluation, everyRounds: 0 } })) {
    const { round } = progress;
    modelHash = progress.modelHash;
    if (!study.spacings.some((spacing) => isEvaluated(round, spacing, config.rounds))) continue;
    const weights = progress.checkpoint().models[config.mode === 'local' ? study.shownEv : 0] as Float64Array;
    const { shapedGain, objectiveGain, means } = evaluation.evaluate(createLearnedPolicy(model, weights));
    const { cash, settled } = means;
    curve.push({ round, shapedGain: 100 * shapedGain, objectiveGain: 100 * objectiveGain, cash, settled });
  }
  const averaged = (spacing: number, name: keyof Figures): number => {
    const last = curve.filter(({ round }) => isEvaluated(round, spacing, config.rounds)).slice(-AVERAGED_EVALUATIONS);
    return last.reduce((sum, evaluated) => sum + evaluated[name], 0) / last.length;
  };
  const [spacing, otherSpacing] = study.spacings;
  const run = {
    section: study.section,
    row: study.row,
    seed,
    fingerprint: trainingFingerprint(config),
    spacing,
    shapedGain: averaged(spacing, 'shapedGain'),
    ...(otherSpacing !== undefined && { otherShapedGain: averaged(otherSpacing, 'shapedGain') }),
    objectiveGain: averaged(spacing, 'objectiveGain'),
    cash: averaged(spacing, 'cash'),
    settled: averaged(spacing, 'settled'),
    modelHash,
    commit,
    rounds: config.rounds,
    seconds: (performance.now() - started) / 1000,
    /** Round and shaped gain in percent at each evaluation. */
    curve: curve.map(({ round, shapedGain }) => [round, Math.round(100 * shapedGain) / 100]),
    host,
  };
  appendRun(values.out, run);
  console.error(
    `${study.section}: ${study.row}, seed ${seed}: shaped ${run.shapedGain.toFixed(1)} %, U ${run.objectiveGain.toFixed(1)} %, ${run.seconds.toFixed(0)} s`,
  );
}

function isEvaluated(round: number, spacing: number, rounds: number): boolean {
  return round % spacing === 0 || round === rounds;
}

function git(...args: string[]): string {
  return execFileSync('git', args, { encoding: 'utf8', cwd: import.meta.dirname }).trim();
}
