/**
 * Reproduces the reference results of federated PPO (specification, section 12) and judges them.
 *
 *   node packages/frl/scripts/reference-results.ts [section ...] [--row TEXT] [--out FILE] [--summary]
 *
 * Sections: policies, eta, training, attacks, schedule, heterogeneity, personal-eta; default the first four. Every run is
 * appended to FILE (default results/frl-reference.jsonl) and not repeated, so the script can be stopped and started
 * again; --row takes only rows whose name has TEXT in it; --summary prints what is there without running anything.
 *
 * A figure passes within 3 points of the prototype's where the prototype's sd is at most 1.5 or not printed, otherwise
 * within two combined standard errors.
 */
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { train } from '../src/training/train.ts';
import { trainingFingerprint } from '../src/training/training-config.ts';
import { printEtaTable, printPolicyTable } from './reference-optima.ts';
import { type Reference, STUDIES, type Study } from './reference-studies.ts';

interface RunResult {
  readonly section: string;
  readonly row: string;
  readonly seed: number;
  readonly fingerprint: string;
  readonly rounds: number;
  readonly shapedGain: number;
  readonly objectiveGain: number;
  readonly cash: number;
  readonly settled: number;
  readonly seconds: number;
  /** Shaped gain in percent at each of the evaluations, the first to the last. */
  readonly curve: readonly number[];
  readonly modelHash: string;
  /** Commit of the sources, with `+` when files differ from it. */
  readonly commit: string;
  readonly host: string;
}

const AVERAGED_EVALUATIONS = 4;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: 'string', default: 'results/frl-reference.jsonl' },
    row: { type: 'string', default: '' },
    summary: { type: 'boolean' },
  },
});
const sections = positionals.length > 0 ? positionals : ['policies', 'eta', 'training', 'attacks'];
const done = readResults(values.out);
const host = `${cpus()[0]?.model.trim() ?? 'unknown'}, ${availableParallelism()} cores, Node ${process.version}`;
const commit = `${git('rev-parse', '--short=12', 'HEAD')}${git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '+'}`;

if (sections.includes('policies')) printPolicyTable();
if (sections.includes('eta')) printEtaTable();
const studies = STUDIES.filter(({ section, row }) => sections.includes(section) && row.includes(values.row));
if (!values.summary) {
  mkdirSync(dirname(values.out), { recursive: true });
  // Seed by seed, so that a stopped run has seen every study equally often.
  for (let seed = 1; seed <= Math.max(0, ...studies.map((study) => study.seeds)); seed++) {
    for (const study of studies) {
      if (seed <= study.seeds && !findResult(study, seed)) runStudy(study, seed);
    }
  }
}
for (const section of sections) printSection(section);

function runStudy(study: Study, seed: number): void {
  const config = study.config(seed);
  const started = performance.now();
  const evaluations: { shapedGain: number; objectiveGain: number; cash: number; settled: number }[] = [];
  let modelHash = '';
  for (const progress of train(config)) {
    modelHash = progress.modelHash;
    const point = progress.evaluations.find(({ ev }) => ev === study.shownEv);
    if (!point) continue;
    const { shapedGain, objectiveGain, means } = point;
    evaluations.push({
      shapedGain: 100 * shapedGain,
      objectiveGain: 100 * objectiveGain,
      cash: means.cash,
      settled: means.settled,
    });
  }
  const last = evaluations.slice(-AVERAGED_EVALUATIONS);
  const mean = (name: keyof (typeof last)[number]): number =>
    last.reduce((sum, evaluation) => sum + evaluation[name], 0) / last.length;
  const result: RunResult = {
    section: study.section,
    row: study.row,
    seed,
    fingerprint: trainingFingerprint(config),
    rounds: config.rounds,
    shapedGain: mean('shapedGain'),
    objectiveGain: mean('objectiveGain'),
    cash: mean('cash'),
    settled: mean('settled'),
    seconds: (performance.now() - started) / 1000,
    curve: evaluations.map(({ shapedGain }) => Math.round(100 * shapedGain) / 100),
    modelHash,
    commit,
    host,
  };
  appendFileSync(values.out, `${JSON.stringify(result)}\n`);
  done.push(result);
  console.error(
    `${study.section}: ${study.row}, seed ${seed}: shaped ${result.shapedGain.toFixed(1)} %, U ${result.objectiveGain.toFixed(1)} %, ${result.seconds.toFixed(0)} s`,
  );
}

function git(...args: string[]): string {
  return execFileSync('git', args, { encoding: 'utf8', cwd: import.meta.dirname }).trim();
}

function findResult(study: Study, seed: number): RunResult | undefined {
  const config = study.config(seed);
  const fingerprint = trainingFingerprint(config);
  return done.find(
    (result) => result.row === study.row && result.fingerprint === fingerprint && result.rounds === config.rounds,
  );
}

function readResults(path: string): RunResult[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as RunResult);
}

function printSection(section: string): void {
  const rows = studies.filter((study) => study.section === section);
  if (rows.length === 0) return;
  console.log(`\n## ${section}\n`);
  console.log('| run | seeds | shaped gain % | reference | | U gain % | reference | | cash | settled |');
  console.log('| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |');
  let [passed, judged] = [0, 0];
  for (const study of rows) {
    const results = Array.from({ length: study.seeds }, (_, i) => findResult(study, i + 1)).filter(
      (r) => r !== undefined,
    );
    if (results.length === 0) continue;
    const shaped = judge(
      results.map((r) => r.shapedGain),
      study.reference.shapedGain,
    );
    const objective = judge(
      results.map((r) => r.objectiveGain),
      study.reference.objectiveGain,
    );
    for (const { verdict } of [shaped, objective]) {
      if (verdict !== '') judged++;
      if (verdict === 'pass') passed++;
    }
    const money = (name: 'cash' | 'settled'): string => statistics(results.map((r) => r[name])).mean.toFixed(3);
    console.log(
      `| ${study.row.replace('|', '/')} | ${results.length} | ${shaped.text} | ${shaped.printed} | ${shaped.verdict} | ${objective.text} | ${objective.printed} | ${objective.verdict} | ${money('cash')} | ${money('settled')} |`,
    );
  }
  console.log(`\n${passed} of ${judged} figures within tolerance.`);
}

function judge(measured: number[], reference: Reference | undefined) {
  const { mean, sd } = statistics(measured);
  const text = measured.length > 1 ? `${mean.toFixed(1)} +- ${sd.toFixed(1)}` : mean.toFixed(1);
  if (!reference) return { text, printed: '-', verdict: '' };
  const printed = `${reference.mean}${reference.sd === undefined ? '' : ` +- ${reference.sd}`}`;
  const standardError = Math.sqrt((reference.sd ?? 0) ** 2 / reference.seeds + sd ** 2 / measured.length);
  const tolerance = (reference.sd ?? 0) <= 1.5 ? 3 : 2 * standardError;
  return { text, printed, verdict: Math.abs(mean - reference.mean) <= tolerance ? 'pass' : 'FAIL' };
}

function statistics(sample: number[]): { mean: number; sd: number } {
  const mean = sample.reduce((sum, value) => sum + value, 0) / sample.length;
  const squares = sample.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, sd: sample.length > 1 ? Math.sqrt(squares / (sample.length - 1)) : 0 };
}
