import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { performRuns } from '../../packages/lab/src/run/perform-runs.ts';
import { readScenario } from '../../packages/lab/src/scenario/read-scenario.ts';

const SCENARIOS = join(import.meta.dirname, '../../scenarios');
const SEEDS = ['1', '2', '3'];
const folder = mkdtempSync(join(tmpdir(), 'wattmesh-lab-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the library of scenarios, in processes', () => {
  const files = readdirSync(SCENARIOS).filter((name) => name.endsWith('.yaml'));

  it.each(files.flatMap((file) => SEEDS.map((seed) => [file, seed] as const)))(
    '%s with seed %s',
    async (file, seed) => {
      const path = join(SCENARIOS, file);
      const { summaries } = await performRuns({
        read: await readScenario(path),
        scenarioFile: path,
        out: join(folder, `${file}-${seed}`),
        runtime: 'process',
        seed,
        repetitions: 1,
        keepPeers: false,
        signal: new AbortController().signal,
        onEvent: () => undefined,
        onSummary: () => undefined,
      });
      const summary = summaries[0];
      expect(summary?.shortcomings).toEqual([]);
      expect(summary?.checks.filter(({ verdict }) => verdict !== 'holds')).toEqual([]);
    },
  );
});
