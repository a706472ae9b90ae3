import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { fetchNode, NodeUnavailable } from '../../../../scripts/testing/fetch-node.ts';
import { WORLD_OF_KIND } from './world-kinds.ts';

const WORLDS = Object.keys(WORLD_OF_KIND).flatMap((kind) => Array.from({ length: 15 }, (_, k) => `${kind}/${k + 1}`));
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
    execFileSync(node, [...options, TRACE, ...WORLDS], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
      .trim()
      .split('\n');
  const of24 = traces(process.execPath);
  expect(new Set(of24).size).toBe(WORLDS.length);
  expect(traces(node22, '--experimental-strip-types', '--no-warnings')).toEqual(of24);
});
