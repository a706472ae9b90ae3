import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { LIBRARY, runLibraryScenario, SIZE } from './library.ts';

const folder = mkdtempSync(join(tmpdir(), 'wattmesh-lab-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the library of scenarios, in processes', () => {
  it.each(LIBRARY.filter((name) => !SIZE.includes(name)))('%s', async (name) => {
    const { shortcomings, checks } = await runLibraryScenario(name, {
      runtime: 'process',
      seed: '1',
      out: join(folder, name),
    });
    expect(shortcomings).toEqual([]);
    expect(checks.filter(({ verdict }) => verdict !== 'holds')).toEqual([]);
  });
});
