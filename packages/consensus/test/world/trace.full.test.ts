import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { fetchNode, NodeUnavailable } from '../../../../scripts/testing/fetch-node.ts';

/** Honest worlds, and as many with members that misbehave. */
const SEEDS = Array.from({ length: 20 }, (_, k) => String(k + 1)).flatMap((seed) => [seed, `a${seed}`]);
const TRACE = join(import.meta.dirname, 'trace.ts');

it('gives the same traces on Node 22 and 24', async (context) => {
  let node22: string;
  try {
    node22 = await fetchNode('22.23.3');
  } catch (error) {
    if (error instanceof NodeUnavailable) return context.skip(error.message);
    throw error;
  }
  const version = (node: string): string => execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
  expect([version(node22), version(process.execPath)]).toEqual([
    expect.stringMatching(/^v22\./),
    expect.stringMatching(/^v24\./),
  ]);
  // Node 22 does not strip types unless it is asked to.
  const traces = (node: string, ...options: string[]): string[] =>
    execFileSync(node, [...options, TRACE, ...SEEDS], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
      .trim()
      .split('\n');
  const of24 = traces(process.execPath);
  expect(new Set(of24).size).toBe(SEEDS.length);
  expect(traces(node22, '--experimental-strip-types', '--no-warnings')).toEqual(of24);
});
