import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runWorld, worldOf } from './run.ts';

it('gives the same traces in another process', () => {
  const seeds = [3, 17];
  const output = execFileSync(process.execPath, [join(import.meta.dirname, 'trace.ts'), ...seeds.map(String)], {
    encoding: 'utf8',
  });
  const traces = seeds.map((seed) => runWorld(worldOf(seed)).trace);
  expect(output.trim().split('\n')).toEqual(traces);
  expect(new Set(traces).size).toBe(seeds.length);
});
