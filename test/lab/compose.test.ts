import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { composeFile } from '../../packages/lab/src/runtime/compose-file.ts';
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
