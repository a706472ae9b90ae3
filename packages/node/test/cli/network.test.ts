import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { showStatus } from '../../src/cli/commands/status.ts';
import { isAlive, livingEndpoint, stopProcess } from '../../src/cluster/peer-process.ts';
import { readRun } from '../../src/provision/run-folder.ts';
import { eventually } from '../eventually.ts';
import { tempFolder } from '../temp-folder.ts';
import { start, wattmesh } from './wattmesh.ts';

interface PeerLine {
  readonly name: string;
  readonly publicKey: string;
  readonly pid: number | null;
  readonly apiUrl: string | null;
  readonly status: { readonly height: number; readonly chainId: string; readonly connected: number } | null;
}

// One story, because each process costs a second: up, status, logs, one peer lost, up again, down.
it('a network is brought up, looked at, mended and taken down; its files are its whole state', async () => {
  const folder = join(tempFolder(), 'run');
  // Not by the command under test: whatever fails here, no process may stay.
  onTestFinished(async () => {
    const { peers } = await readRun(folder).catch(() => ({ peers: [] }));
    for (const peer of peers) {
      const endpoint = await livingEndpoint(folder, peer);
      if (endpoint !== null) await stopProcess(endpoint.pid, peer.name);
    }
  });
  const run = (...args: string[]) => wattmesh(...args, '--run', folder);
  const linesOf = (stdout: string): PeerLine[] =>
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as PeerLine);
  // As `status --json`, without a process each time; once below, the command itself is asked.
  const status = async (): Promise<PeerLine[]> => {
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    try {
      await showStatus(folder, true);
      return linesOf(write.mock.calls.map(([text]) => String(text)).join(''));
    } finally {
      write.mockRestore();
    }
  };

  const up = await run('up', '--nodes', '3', '--slot-seconds', '1', '--json');
  expect(up.stderr).toBe('');
  expect(up.code).toBe(0);
  const { chainId, started } = JSON.parse(up.stdout) as { chainId: string; started: { name: string; pid: number }[] };
  expect(started.map(({ name }) => name)).toEqual(['p01', 'p02', 'p03']);

  const peers = await eventually('blocks on every peer', async () => {
    const all = await status();
    return all.every((peer) => (peer.status?.height ?? 0) >= 2 && peer.status?.connected === 2) ? all : null;
  });
  const told = await run('status', '--json');
  expect(told.code).toBe(0);
  expect(linesOf(told.stdout).map(({ pid }) => pid)).toEqual(started.map(({ pid }) => pid));
  expect(peers.map(({ pid }) => pid)).toEqual(started.map(({ pid }) => pid));
  expect(new Set(peers.map((peer) => peer.status?.chainId))).toEqual(new Set([chainId]));

  // Logs: the last lines, in words; then new lines as they come, but no half ones.
  const logs = await run('logs', 'p02', '--lines', '3');
  expect(logs.stdout.trim().split('\n')).toHaveLength(3);
  expect(logs.stdout).toMatch(/^\d{4}-\d\d-\d\dT\S+ info /);
  const following = start(['logs', 'p03', '--follow', '--lines', '0', '--run', folder]);
  await following.line((line) => line.includes('committed'));

  // One dies: `up` starts that one only.
  const victim = peers[2] as PeerLine;
  process.kill(victim.pid as number, 'SIGKILL');
  await eventually('its end', () => !isAlive(victim.pid as number));
  expect((await status()).map(({ pid }) => pid)).toEqual([peers[0]?.pid, peers[1]?.pid, null]);
  const file = join(folder, 'peers', 'p03', 'node.log');
  appendFileSync(file, '{"level":30,"time":1,"msg":"first ha');
  appendFileSync(file, 'lf"}\n');
  await following.line((line) => line === '1970-01-01T00:00:00.001Z info  first half ');
  const again = await run('up', '--json');
  expect(JSON.parse(again.stdout).started.map(({ name }: { name: string }) => name)).toEqual(['p03']);
  await eventually('the lost one to catch up', async () => {
    const [first, , third] = await status();
    return (third?.status?.height ?? 0) >= (first?.status?.height ?? Number.POSITIVE_INFINITY) - 1;
  });
  const words = await run('status');
  expect(words.stdout.split('\n')[1]).toMatch(/^p01\s+\d+\s+\d+\s+[0-9a-f]{10}\s+\d+\s+2\/2\s/);

  following.child.kill('SIGINT');
  const { code, stdout } = await following.ended;
  expect(code).toBe(0);
  expect(stdout.split('\n').filter((line) => /first ha|^lf"/.test(line))).toEqual([
    '1970-01-01T00:00:00.001Z info  first half ',
  ]);

  const pids = (await status()).map(({ pid }) => pid as number);
  const down = await run('down', '--json');
  expect(JSON.parse(down.stdout)).toEqual({ stopped: ['p01', 'p02', 'p03'] });
  expect(pids.filter(isAlive)).toEqual([]);
  expect((await status()).map(({ pid, status: said }) => [pid, said])).toEqual(Array(3).fill([null, null]));
  expect((await run('down')).stdout).toBe('no peer was running\n');
}, 180_000);
