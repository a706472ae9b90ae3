import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { provision, readData } from '../../packages/lab/src/network/provision.ts';
import { composeFile } from '../../packages/lab/src/runtime/compose-file.ts';
import { writeContainerFolders } from '../../packages/lab/src/runtime/container-folders.ts';
import { parseScenario } from '../../packages/lab/src/scenario/read-scenario.ts';
import { composeProgram, runOrThrow } from '../containers/engine.ts';

const folder = mkdtempSync(join(tmpdir(), 'wattmesh-lab-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const text = composeFile({
  project: 'five',
  names: ['p01', 'p02', 'p03', 'p04', 'p05'],
  configFolder: './network',
  controlFolder: null,
  memoryMb: 300,
  cpus: 1,
});

test('a compose file has one container a peer with its own volume, health check and limits', () => {
  const { services, volumes } = parse(text);
  expect(Object.keys(services)).toEqual(['p01', 'p02', 'p03', 'p04', 'p05']);
  expect(Object.keys(volumes)).toHaveLength(5);
  for (const [name, service] of Object.entries<Record<string, unknown>>(services)) {
    expect(service.volumes).toEqual([`./network/${name}:/config:ro`, `data-${name}:/data`]);
    expect(service).toMatchObject({ mem_limit: '300m', cpus: 1, pids_limit: 128, read_only: true, cap_drop: ['ALL'] });
    expect(service.healthcheck).toMatchObject({ test: ['CMD', 'node', 'docker/health.mjs', '/config/node.json'] });
  }
});

test('it loads in the compose program of this machine', async ({ skip }) => {
  const compose = composeProgram();
  if (compose === undefined) return skip('no compose program');
  const file = join(folder, 'compose.yaml');
  writeFileSync(file, text);
  const [program, ...first] = compose;
  const services = await runOrThrow(program, [...first, '--file', file, 'config', '--services']);
  expect(services.trim().split('\n').sort()).toEqual(['p01', 'p02', 'p03', 'p04', 'p05']);
});

test('the user in a container can read what its peer needs; other users of the machine cannot reach it', async () => {
  const { scenario } = parseScenario('name: small\npeers: 2\n', 'small');
  const network = provision(scenario, await readData(scenario, 'small', '1'), '1', 0);
  const path = join(folder, 'network');
  await writeContainerFolders(path, network, undefined);
  const mode = (...names: string[]): number => statSync(join(path, ...names)).mode & 0o777;
  expect([mode(), mode('p02'), mode('p02', 'secrets.json'), mode('p02', 'node.json')]).toEqual([
    0o700, 0o755, 0o644, 0o644,
  ]);
});
