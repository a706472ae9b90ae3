/** Reference results as Markdown: what was measured beside what the prototype printed, and the verdict. */
import { judge, judgeStrictly, type Reference, statistics } from './reference-judge.ts';
import { findRuns, type Run } from './reference-runs.ts';
import type { Study } from './reference-studies.ts';

/** One line a study; below it how many figures pass, under the stricter reading too. */
export function printSection(section: string, studies: readonly Study[], runs: readonly Run[]): void {
  console.log(`\n## ${section}\n`);
  console.log('| run | seeds | shaped gain % | reference | | U gain % | reference | | cash | settled |');
  console.log('| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |');
  const tally = { judged: 0, passed: 0, passedStrictly: 0 };
  for (const study of studies) {
    const found = findRuns(runs, study);
    if (found.length === 0) continue;
    const shaped = found.map((run) => run.shapedGain);
    const objective = found.map((run) => run.objectiveGain);
    count(tally, shaped, study.reference.shapedGain);
    count(tally, objective, study.reference.objectiveGain);
    const money = (name: 'cash' | 'settled'): string => statistics(found.map((run) => run[name])).mean.toFixed(3);
    const cells = [
      study.row.replace('|', '/'),
      `${found.length} of ${study.seeds}`,
      ...cellsOf(shaped, study.reference.shapedGain),
      ...cellsOf(objective, study.reference.objectiveGain),
      money('cash'),
      money('settled'),
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
  console.log(`\n${tally.passed} of ${tally.judged} figures within tolerance.`);
  console.log(`With 3 points wherever no sd is printed: ${tally.passedStrictly} of ${tally.judged}.`);
}

/** Rules down, attacks across; rows are named `rule | attack`. A table for each spacing of evaluations that was read. */
export function printAttackTable(studies: readonly Study[], runs: readonly Run[]): void {
  for (const spacing of new Set(studies.flatMap((study) => study.spacings))) {
    console.log(`\nLast four evaluations, ${spacing} rounds apart:\n`);
    const shown = studies.filter(({ spacings }) => spacings.some((one) => one === spacing));
    const attacks = [...new Set(shown.map(({ row }) => row.split(' | ')[1] as string))];
    console.log(`| rule | ${attacks.join(' | ')} |`);
    console.log(`| --- |${' --- |'.repeat(attacks.length)}`);
    for (const rule of new Set(shown.map(({ row }) => row.split(' | ')[0] as string))) {
      const cells = attacks.map((attack) => {
        const study = shown.find(({ row }) => row === `${rule} | ${attack}`);
        return study ? attackCell(study, runs, spacing) : '';
      });
      console.log(`| ${rule} | ${cells.join(' | ')} |`);
    }
  }
}

function attackCell(study: Study, runs: readonly Run[], spacing: number): string {
  const gains = findRuns(runs, study)
    .map((run) => (run.spacing === spacing ? run.shapedGain : run.otherShapedGain))
    .filter((gain) => gain !== undefined);
  const reference = study.reference.shapedGain as Reference;
  if (gains.length === 0) return '';
  const { passes, tolerance } = judge(gains, reference);
  const seeds = gains.length === 3 ? '' : ` n=${gains.length}`;
  const strict = judgeStrictly(gains, reference).passes;
  const verdict = passes ? (strict ? '' : ` within ${tolerance.toFixed(1)}`) : ' **fail**';
  return `${spread(gains)} (${printed(reference)})${seeds}${verdict}`;
}

function cellsOf(measured: readonly number[], reference: Reference | undefined): string[] {
  if (!reference) return [spread(measured), '-', ''];
  return [spread(measured), printed(reference), judge(measured, reference).passes ? 'pass' : 'FAIL'];
}

function count(
  tally: { judged: number; passed: number; passedStrictly: number },
  measured: readonly number[],
  reference: Reference | undefined,
): void {
  if (!reference) return;
  tally.judged++;
  if (judge(measured, reference).passes) tally.passed++;
  if (judgeStrictly(measured, reference).passes) tally.passedStrictly++;
}

function spread(measured: readonly number[]): string {
  const { mean, sd } = statistics(measured);
  return measured.length > 1 ? `${mean.toFixed(1)} ± ${sd.toFixed(1)}` : mean.toFixed(1);
}

function printed(reference: Reference): string {
  return `${reference.mean}${reference.sd === undefined ? '' : ` ± ${reference.sd}`}`;
}
