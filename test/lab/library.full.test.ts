import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { testImage, whyNoEngine } from '../containers/engine.ts';
import { LIBRARY, runLibraryScenario, SIZE } from './library.ts';

/** The first seed is run by library.ci.test.ts. */
const FURTHER_SEEDS = ['2', '3'];
const RUNS = [
  ...LIBRARY.filter((name) => !SIZE.includes(name)).flatMap((name) =>
    FURTHER_SEEDS.map((seed) => [name, seed] as const),
  ),
  ...SIZE.map((name) => [name, '1'] as const),
];
const folder = mkdtempSync(join(tmpdir(), 'wattmesh-lab-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the library of scenarios, in processes', () => {
  it.each(RUNS)('%s with seed %s', async (name, seed) => {
    const out = join(folder, `${name}-${seed}`);
    const { shortcomings, checks } = await runLibraryScenario(name, { runtime: 'process', seed, out });
    expect(shortcomings).toEqual([]);
    expect(checks.filter(({ verdict }) => verdict !== 'holds')).toEqual([]);
  });
});

describe('the library of scenarios, in containers', () => {
  const reason = whyNoEngine();
  beforeAll(async () => {
    if (reason === undefined) process.env.WATTMESH_IMAGE = await testImage();
  });
  beforeEach(({ skip }) => skip(reason !== undefined, reason));
  afterAll(() => {
    delete process.env.WATTMESH_IMAGE;
  });

  it.each(LIBRARY)('%s', async (name) => {
    const out = join(folder, `${name}-docker`);
    const { shortcomings, checks } = await runLibraryScenario(name, { runtime: 'docker', seed: '1', out });
    expect(shortcomings).toEqual([]);
    expect(checks.filter(({ verdict }) => verdict !== 'holds')).toEqual([]);
  });
});
