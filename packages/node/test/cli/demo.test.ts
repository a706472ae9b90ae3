import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isAlive } from '../../src/cluster/peer-process.ts';
import type { Endpoint } from '../../src/provision/run-folder.ts';
import { readEndpoint, readRun } from '../../src/provision/run-folder.ts';
import { eventually } from '../eventually.ts';
import { tempFolder } from '../temp-folder.ts';
import { start } from './wattmesh.ts';

/** Everybody's endpoint, once a demo in `folder` has them all. */
async function endpointsOf(folder: string, nodes: number): Promise<Endpoint[]> {
  return eventually('all endpoints', async () => {
    const { peers } = await readRun(folder).catch(() => ({ peers: [] }));
    const found = await Promise.all(peers.map(({ publicKey }) => readEndpoint(join(folder, 'endpoints'), publicKey)));
    const all = found.filter((one) => one !== null);
    return all.length === nodes ? all : null;
  });
}

const areGone = (endpoints: readonly Endpoint[]) => (): boolean => endpoints.every(({ pid }) => !isAlive(pid));

const runsIn = (folder: string): string[] => readdirSync(folder);

const demo = (...args: string[]): string[] => ['demo', '--nodes', '2', '--slot-ms', '0', ...args];

describe('wattmesh demo', { timeout: 120_000 }, () => {
  it('of two prosumers trades what the offline computation says, ends with 0, and leaves nothing', async () => {
    const folder = tempFolder();
    const run = start(demo('--slots', '3', '--seed', '5', '--json'), { TMPDIR: folder });
    const { code, stdout, stderr } = await run.ended;
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; slot?: number });
    expect(events.filter(({ type }) => type === 'peer')).toHaveLength(2);
    expect(events.flatMap(({ type, slot }) => (type === 'slot' ? [slot] : []))).toEqual([1, 2, 3]);
    expect(events.at(-1)).toMatchObject({ type: 'summary', seed: '5', slots: 3, offline: { isEqual: true } });
    expect(runsIn(folder)).toEqual([]);
  });

  it('ends with 130 on Ctrl-C, and leaves no process and no folder', async () => {
    const folder = tempFolder();
    const run = start(demo('--slots', '500'), { TMPDIR: folder });
    await run.line((line) => line.startsWith('all 2 are up'));
    const [name] = runsIn(folder);
    const endpoints = await endpointsOf(join(folder, name as string), 2);
    run.child.kill('SIGINT');
    const { code, stdout } = await run.ended;
    expect(code).toBe(130);
    expect(stdout).toContain('stopped; no peer is left running');
    expect(areGone(endpoints)()).toBe(true);
    expect(runsIn(folder)).toEqual([]);
  });

  it('takes its peers with it when it is killed', async () => {
    const folder = join(tempFolder(), 'run');
    const run = start(demo('--slots', '500', '--run', folder));
    const endpoints = await endpointsOf(folder, 2);
    run.child.kill('SIGKILL');
    expect((await run.ended).signal).toBe('SIGKILL');
    await eventually('the end of its peers', areGone(endpoints));
  });

  it('ends with 1 and RUN_DIVERGED when a peer dies, keeps the run, and stops the others', async () => {
    const folder = tempFolder();
    const run = start(demo('--slots', '500'), { TMPDIR: folder });
    await run.line((line) => line.startsWith('all 2 are up'));
    const kept = join(folder, runsIn(folder)[0] as string);
    const endpoints = await endpointsOf(kept, 2);
    process.kill((endpoints[1] as Endpoint).pid, 'SIGKILL');
    const { code, stderr } = await run.ended;
    expect(stderr).toMatch(/error RUN_DIVERGED: p02 ended in mid-run \(SIGKILL\)/);
    expect(stderr).toContain(kept);
    expect(code).toBe(1);
    expect(areGone(endpoints)()).toBe(true);
    expect(existsSync(join(kept, 'peers', 'p02', 'node.log'))).toBe(true);
  });
});
