import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { performRuns } from '../run/perform-runs.ts';
import { readScenario } from '../scenario/read-scenario.ts';
import { VERDICT_EXIT, VERDICT_EXIT_HELP } from './exit.ts';
import { Progress } from './progress.ts';
import { stopOnSignals } from './stop.ts';

interface Options {
  readonly out?: string;
  readonly runtime: 'process' | 'docker';
  readonly seed?: string;
  readonly repetitions?: number;
  readonly keep?: boolean;
  readonly json?: boolean;
}

export function runCommand(): Command {
  return new Command('run')
    .description('Run an experiment: a network, load, faults, and checks that judge what came of it.')
    .argument('<scenario>', 'scenario file (YAML); see docs/scenarios.md and the folder scenarios/')
    .option('--out <folder>', 'new folder for the result (default: .wattmesh/results/NAME-NUMBER)')
    .addOption(new Option('--runtime <kind>', 'where the peers run').choices(['process', 'docker']).default('process'))
    .option('--seed <text>', "instead of the scenario's seed")
    .option('--repetitions <n>', 'instead of those of the scenario', positive)
    .option('--keep', "keep the peers' folders: chains, journals and logs")
    .option('--json', 'one JSON document a line on standard output: events, then the summary')
    .addHelpText(
      'after',
      `
The result folder holds the scenario, events.jsonl, summary.json, tables (CSV) and report.html, which needs no network.
${VERDICT_EXIT_HELP}

Example:
  wattmesh run scenarios/healthy.yaml`,
    )
    .action(async (file: string, options: Options) => {
      const read = await readScenario(file);
      const out = options.out ?? freeFolder(read.scenario.name);
      const progress = new Progress(options.json === true);
      const stop = stopOnSignals((text) => progress.note(text));
      try {
        const { verdict } = await performRuns({
          read,
          scenarioFile: resolve(file),
          out,
          runtime: options.runtime,
          seed: options.seed ?? read.scenario.seed,
          repetitions: options.repetitions ?? read.scenario.repetitions,
          keepPeers: options.keep === true,
          signal: stop.signal,
          onEvent: (event) => progress.event(event),
          onSummary: (summary, folder) => progress.summary(summary, folder),
        });
        process.exitCode = VERDICT_EXIT[verdict];
      } catch (error) {
        if (!stop.signal.aborted) throw error;
        progress.note(`stopped; no peer is left running. What was seen until then: ${out}`);
        process.exitCode = 130;
      }
    });
}

function positive(text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new InvalidArgumentError('Give an integer from 1 to 999.');
  return Number(text);
}

export function freeFolder(name: string): string {
  const base = `.wattmesh/results/${slugOf(name)}`;
  for (let number = 1; ; number += 1) if (!existsSync(`${base}-${number}`)) return `${base}-${number}`;
}

export function slugOf(name: string): string {
  return (
    name
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^-|-$/g, '') || 'scenario'
  );
}
