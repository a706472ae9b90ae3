import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Verdict } from '../checks/facts.ts';
import { worst } from '../checks/judge.ts';
import { timingOf } from '../network/provision.ts';
import { reportHtml } from '../report/report.ts';
import { sweepCsv, sweepHtml } from '../report/sweep-page.ts';
import { DockerRuntime } from '../runtime/docker-runtime.ts';
import { ProcessRuntime } from '../runtime/process-runtime.ts';
import type { ReadScenario } from '../scenario/read-scenario.ts';
import type { LabEvent } from '../watch/events.ts';
import { ResultFolder, type RunSummary, readResult } from './result.ts';
import { runScenario } from './run-scenario.ts';

export interface RunsOptions {
  readonly read: ReadScenario;
  readonly scenarioFile: string;
  readonly out: string;
  readonly runtime: 'process' | 'docker';
  readonly seed: string;
  readonly repetitions: number;
  readonly keepPeers: boolean;
  readonly signal: AbortSignal;
  onEvent(event: LabEvent): void;
  onSummary(summary: RunSummary, folder: string): void;
}

/**
 * Runs a scenario once for each seed, each into a folder of its own, with its report; several with a page over all.
 * @param perform one run; tests put another one here
 */
export async function performRuns(
  options: RunsOptions,
  perform: typeof runScenario = runScenario,
): Promise<{ verdict: Verdict; summaries: RunSummary[] }> {
  const { read, out, seed, repetitions, signal, onEvent, onSummary } = options;
  const summaries: RunSummary[] = [];
  for (let k = 1; k <= repetitions; k += 1) {
    const folder = repetitions === 1 ? out : join(out, `run-${k}`);
    const result = await ResultFolder.create(folder, read.text);
    const peers = join(folder, 'peers');
    let hasViolation = false;
    const running = perform({
      read,
      scenarioFile: options.scenarioFile,
      seed: k === 1 ? seed : `${seed}/${k}`,
      result,
      signal,
      onEvent: (event) => {
        if (event.type === 'violation') hasViolation = true;
        onEvent(event);
      },
      createRuntime: (network, scenario) => {
        const { maxPoolTransactions } = scenario.consensus;
        const peerOptions = {
          folder: peers,
          network,
          seed,
          timing: timingOf(scenario),
          config: maxPoolTransactions === undefined ? {} : { maxPoolTransactions },
        };
        return options.runtime === 'process' ? ProcessRuntime.create(peerOptions) : DockerRuntime.create(peerOptions);
      },
    });
    // Chains and journals of a violated run are evidence, also when the run is interrupted after the violation.
    const summary = await running.catch(async (error: Error) => {
      if (signal.aborted && !options.keepPeers && !hasViolation) await rm(peers, { recursive: true, force: true });
      throw error;
    });
    if (!options.keepPeers && summary.verdict !== 'violated') await rm(peers, { recursive: true, force: true });
    await writeReport(folder);
    summaries.push(summary);
    onSummary(summary, folder);
  }
  if (repetitions > 1) {
    const runs = summaries.map((summary, k) => ({ name: `run-${k + 1}`, settings: { seed: summary.seed }, summary }));
    await writeFile(join(out, 'runs.csv'), sweepCsv(runs));
    await writeFile(
      join(out, 'runs.html'),
      sweepHtml(
        [],
        summaries.map((summary) => summary.seed),
        runs,
      ),
    );
  }
  return { verdict: worst(summaries.map(({ verdict }) => verdict)), summaries };
}

/** Makes `report.html` of a result folder, again if it is there. @throws LabError RESULT_UNREADABLE */
export async function writeReport(folder: string): Promise<string> {
  const file = join(folder, 'report.html');
  await writeFile(file, reportHtml(await readResult(folder)));
  return file;
}
