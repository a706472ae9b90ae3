import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { provision, readData, timingOf } from '../src/network/provision.ts';
import { ProcessRuntime } from '../src/runtime/process-runtime.ts';
import { parseScenario } from '../src/scenario/read-scenario.ts';
import { COMPLIANCE_SCENARIO, runtimeCompliance } from './runtime-compliance.ts';

const folder = mkdtempSync(join(tmpdir(), 'wattmesh-lab-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

runtimeCompliance(
  'ProcessRuntime',
  async () => {
    const { scenario } = parseScenario(COMPLIANCE_SCENARIO, 'compliance');
    const data = await readData(scenario, 'compliance', '1');
    const network = provision(scenario, data, '1', Date.now());
    return ProcessRuntime.create({ folder: join(folder, 'run'), network, seed: '1', timing: timingOf(scenario) });
  },
  30_000,
);
