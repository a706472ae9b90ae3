import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { checkPairs, compareHtml, differences } from '../report/compare.ts';
import { readResult } from '../run/result.ts';

export function compareCommand(): Command {
  return new Command('compare')
    .description('Set two results side by side: verdicts, figures, curves.')
    .argument('<a>', 'result folder')
    .argument('<b>', 'another one')
    .option('--out <file>', 'also write a page with both curves in each chart')
    .option('--json', 'one JSON document')
    .action(async (folderA: string, folderB: string, options: { out?: string; json?: boolean }) => {
      const [a, b] = await Promise.all([readResult(folderA), readResult(folderB)]);
      if (options.out !== undefined) await writeFile(options.out, compareHtml(a, b));
      const figures = differences(a.summary.figures, b.summary.figures);
      const checks = checkPairs(a.summary.checks, b.summary.checks);
      if (options.json) {
        process.stdout.write(`${JSON.stringify({ a: folderA, b: folderB, checks, figures })}\n`);
        return;
      }
      const lines = [
        row('', 'A', 'B', 'B against A'),
        ...checks.map((pair) => row(pair.name, pair.a?.verdict ?? '-', pair.b?.verdict ?? '-', '')),
        '',
        ...figures.map((one) =>
          row(one.label, one.a, one.b, one.percent === null ? '' : `${one.percent.toFixed(1)} %`),
        ),
      ];
      process.stdout.write(`${lines.join('\n')}\n`);
    });
}

function row(name: string, a: string, b: string, difference: string): string {
  return `${name.padEnd(42)}${a.padStart(12)}${b.padStart(12)}${difference.padStart(14)}`.trimEnd();
}
