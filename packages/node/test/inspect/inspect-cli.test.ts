import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inspectCommand } from '../../src/cli/commands/inspect.ts';
import { peerFolder } from '../../src/provision/run-folder.ts';
import { runCli } from '../fixtures/run-cli.ts';
import { runCommand } from '../fixtures/run-command.ts';
import { type SmallNetwork, startSmallNetwork } from '../fixtures/small-network.ts';

let network: SmallNetwork;

beforeAll(async () => {
  network = await startSmallNetwork({ homes: 2, slotPaceMs: 100 });
  await network.reached(3);
}, 60_000);

afterAll(async () => {
  await network.stop();
  await network.remove();
});

/** While the peers run, then again when they are down. */
describe.each(['running', 'stopped'] as const)('wattmesh inspect, with the peers %s', (when) => {
  beforeAll(async () => {
    if (when === 'stopped') await network.stop();
  });

  test.each([
    [
      ['blocks', '--limit', '4', '--from', '1'],
      ['settlement', 'p0', 'head: '],
    ],
    [
      ['block', '4'],
      ['Bills of slot 1', 'without trading', 'Market of slot 2', 'What it changed', 'EDC'],
    ],
    [
      ['account', 'p02'],
      ['p02  prosumer', 'clearing', 'genesis', 'settlement'],
    ],
    [
      ['election', '5'],
      ['Seed', 'share of', 'the shares combine to that signature: yes', 'the draws give this list: yes'],
    ],
    [
      ['height', '4'],
      ['composed and decided', 'Precommits kept by this peer', 'beacon share', 'yes'],
    ],
    [['verify'], ['heights verified from genesis']],
    [['diff', '--with', 'p02'], ['same blocks up to height']],
  ])('%s', async (args, words) => {
    const people = await runCommand(inspectCommand(), ...args, '--run', network.folder);
    for (const word of words) expect(people).toContain(word);
    const programs = await runCommand(inspectCommand(), ...args, '--run', network.folder, '--json');
    for (const line of programs.trimEnd().split('\n')) expect(typeof JSON.parse(line)).toBe('object');
  });
});

test('a store in use is refused with the way out, when only its folder is known', async () => {
  const other = await startSmallNetwork({ homes: 2, peers: 1 });
  try {
    const folder = ['--data', join(peerFolder(other.folder, 'p01'), 'data')];
    const result = await runCli('inspect', 'blocks', ...folder, '--genesis', join(other.folder, 'genesis.json'));
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain('error INSPECT_STORE_IN_USE');
    expect(result.stderr).toContain('--api');
  } finally {
    await other.stop();
    await other.remove();
  }
});
