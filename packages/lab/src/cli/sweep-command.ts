import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import type { Axis } from '../report/sweep-page.ts';
import { readScenario } from '../scenario/read-scenario.ts';
import { parseAxis, sweep } from '../sweep/sweep.ts';
import { VERDICT_EXIT, VERDICT_EXIT_HELP } from './exit.ts';
import { Progress } from './progress.ts';
import { slugOf } from './run-command.ts';
import { stopOnSignals } from './stop.ts';

interface Options {
  readonly vary: Axis[];
  readonly seeds?: string;
  readonly out?: string;
  readonly runtime: 'process' | 'docker';
}

export function sweepCommand(): Command {
  return new Command('sweep')
    .description('Run a scenario for every combination of some values. A sweep that was stopped goes on where it was.')
    .argument('<scenario>', 'scenario file (YAML)')
    .option(
      '--vary <path=values>',
      'a setting and its values, such as peers=4,7,10 or load.0.rate=10,50 or timeline.0.peers=10%,30%; may be given again',
      (text: string, before: Axis[]) => [...before, parseAxis(text)],
      [] as Axis[],
    )
    .option('--seeds <list>', 'seeds for each point, separated by commas (default: that of the scenario)')
    .option('--out <folder>', 'folder of the sweep (default: .wattmesh/results/NAME-sweep)')
    .addOption(new Option('--runtime <kind>', 'where the peers run').choices(['process', 'docker']).default('process'))
    .addHelpText(
      'after',
      `
Writes sweep.csv (a row a run), sweep.html (plots) and one result folder for each run.
${VERDICT_EXIT_HELP}

Example:
  wattmesh sweep scenarios/healthy.yaml --vary peers=4,7,10 --seeds 1,2,3`,
    )
    .action(async (file: string, options: Options) => {
      const { scenario } = await readScenario(file);
      const progress = new Progress(false);
      const stop = stopOnSignals((text) => progress.note(text));
      try {
        const verdict = await sweep({
          text: await readFile(file, 'utf8'),
          scenarioFile: resolve(file),
          axes: options.vary,
          seeds: options.seeds?.split(',').map((seed) => seed.trim()) ?? [scenario.seed],
          out: options.out ?? `.wattmesh/results/${slugOf(scenario.name)}-sweep`,
          runtime: options.runtime,
          signal: stop.signal,
          onPoint: ({ name }, number, of, isDone) =>
            progress.note(`\n${number} of ${of}: ${name}${isDone ? ' (done before)' : ''}`),
          onEvent: (event) => progress.event(event),
          onSummary: (summary, folder) => progress.summary(summary, folder),
        });
        process.exitCode = VERDICT_EXIT[verdict];
      } catch (error) {
        if (!stop.signal.aborted) throw error;
        progress.note('stopped; no peer is left running. Give the same command again to go on');
        process.exitCode = 130;
      }
    });
}
