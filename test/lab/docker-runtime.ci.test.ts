import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { provision, readData, timingOf } from '../../packages/lab/src/network/provision.ts';
import { performRuns } from '../../packages/lab/src/run/perform-runs.ts';
import { DockerRuntime } from '../../packages/lab/src/runtime/docker-runtime.ts';
import { parseScenario } from '../../packages/lab/src/scenario/read-scenario.ts';
import { testImage, whyNoEngine } from '../containers/engine.ts';
import { COMPLIANCE_SCENARIO, runtimeCompliance } from './runtime-compliance.ts';

/** What the library's scenarios do, once each; the library itself runs in containers in library.full.test.ts. */
const QUICK = `data: {source: synthetic, firstHour: 9}
load: [{kind: closed, clients: 3, think: 100ms}]
consensus: {slotPace: 200ms, timing: {proposeMs: 3000}}
`;
const SHORT: readonly (readonly [string, string])[] = [
  ['healthy', 'until: {slot: 6}\nchecks: {progress: {slots: 5}}\n'],
  ['offline miner', 'until: {slot: 7}\ntimeline: [{do: kill, at: {slot: 3}, for: 1s, peers: miner}]\n'],
  ['partition', 'until: 6s\ntimeline: [{do: partition, at: 1s, for: 3s, groups: [[p01, p02], [p03, p04]]}]\n'],
  [
    'one malicious miner',
    'until: 1s\ntimeline: [{do: misbehave, at: 0s, for: {heights: 40}, peers: [p02], choices: [{name: double-vote}]}]\n',
  ],
  ['rolling restart', 'until: 8s\ntimeline: [{do: restart, at: 1s, peers: all, stagger: 2s}]\n'],
];

const reason = whyNoEngine();

if (reason === undefined) {
  describe('peers in containers', () => {
    const folder = mkdtempSync(join(tmpdir(), 'wattmesh-lab-test-'));
    beforeAll(async () => {
      process.env.WATTMESH_IMAGE = await testImage();
    }, 240_000);
    afterAll(() => {
      delete process.env.WATTMESH_IMAGE;
      rmSync(folder, { recursive: true, force: true });
    });

    runtimeCompliance(
      'DockerRuntime',
      async () => {
        const { scenario } = parseScenario(COMPLIANCE_SCENARIO, 'compliance');
        const data = await readData(scenario, 'compliance', '1');
        const network = provision(scenario, data, '1', Date.now());
        return DockerRuntime.create({ folder: join(folder, 'run'), network, seed: '1', timing: timingOf(scenario) });
      },
      90_000,
    );

    it.each(SHORT)('%s holds what it promises', async (name, text) => {
      const { summaries } = await performRuns({
        read: parseScenario(`name: ${name}\n${QUICK}${text}`, name),
        scenarioFile: name,
        out: join(folder, name),
        runtime: 'docker',
        seed: '1',
        repetitions: 1,
        keepPeers: false,
        signal: new AbortController().signal,
        onEvent: () => undefined,
        onSummary: () => undefined,
      });
      const [summary] = summaries;
      expect(summary?.runtime).toBe('docker');
      expect(summary?.shortcomings).toEqual([]);
      expect(summary?.checks.filter(({ verdict }) => verdict !== 'holds')).toEqual([]);
      expect(summary?.figures.transactions).toBeGreaterThan(0);
    });
  });
} else {
  test('peers in containers', ({ skip }) => skip(reason));
}
