import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { provision, readData, timingOf } from '../../packages/lab/src/network/provision.ts';
import { DockerRuntime } from '../../packages/lab/src/runtime/docker-runtime.ts';
import { parseScenario } from '../../packages/lab/src/scenario/read-scenario.ts';
import { buildImage, run, whyNoEngine } from '../containers/engine.ts';
import { COMPLIANCE_SCENARIO, runtimeCompliance } from './runtime-compliance.ts';

const reason = whyNoEngine();

if (reason === undefined) {
  describe('peers in containers', () => {
    const image = `wattmesh-lab-test-${process.pid}`;
    const folder = mkdtempSync(join(tmpdir(), 'wattmesh-lab-test-'));
    beforeAll(async () => {
      await buildImage(image);
      process.env.WATTMESH_IMAGE = image;
    }, 240_000);
    afterAll(async () => {
      delete process.env.WATTMESH_IMAGE;
      rmSync(folder, { recursive: true, force: true });
      await run('docker', ['image', 'rm', '--force', image]);
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
  });
} else {
  test('peers in containers', ({ skip }) => skip(reason));
}
