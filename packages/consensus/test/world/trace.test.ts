import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { attackedWorldOf, runWorld, wipedWorldOf, worldOf } from './run.ts';

it('gives the same traces in another process', () => {
  const names = ['honest/3', 'attacked/17', 'wiped/9'];
  const output = execFileSync(process.execPath, [join(import.meta.dirname, 'trace.ts'), ...names], {
    encoding: 'utf8',
  });
  const traces = [worldOf(3), attackedWorldOf(17), wipedWorldOf(9)].map((options) => runWorld(options).trace);
  expect(output.trim().split('\n')).toEqual(traces);
  expect(new Set(traces).size).toBe(names.length);
});
