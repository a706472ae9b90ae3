import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { performRuns } from '../../packages/lab/src/run/perform-runs.ts';
import type { RunSummary } from '../../packages/lab/src/run/result.ts';
import { readScenario } from '../../packages/lab/src/scenario/read-scenario.ts';

const SCENARIOS = join(import.meta.dirname, '../../scenarios');

/** Names of the scenarios in the folder `scenarios`. */
export const LIBRARY: readonly string[] = readdirSync(SCENARIOS)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => name.replace(/\.yaml$/, ''));

/** Those that are about size: minutes on a small machine. */
export const SIZE: readonly string[] = ['twenty-peers'];

/** Runs a scenario of the library once, as it stands there. */
export async function runLibraryScenario(
  name: string,
  options: { readonly runtime: 'process' | 'docker'; readonly seed: string; readonly out: string },
): Promise<RunSummary> {
  const scenarioFile = join(SCENARIOS, `${name}.yaml`);
  const { summaries } = await performRuns({
    read: await readScenario(scenarioFile),
    scenarioFile,
    ...options,
    repetitions: 1,
    keepPeers: false,
    signal: new AbortController().signal,
    onEvent: () => undefined,
    onSummary: () => undefined,
  });
  return summaries[0] as RunSummary;
}
