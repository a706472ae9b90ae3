import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { downCommand } from '../../src/cli/commands/down.ts';
import { getJson, postJson } from '../../src/cluster/peer-client.ts';
import {
  endpointsFolder,
  isAlive,
  livingEndpoint,
  livingProcess,
  startPeer,
  stopProcess,
} from '../../src/cluster/peer-process.ts';
import { type Run, readEndpoint, readRun, writeEndpoint } from '../../src/provision/run-folder.ts';
import { start } from '../cli/wattmesh.ts';
import { eventually } from '../eventually.ts';
import { runCommand } from '../fixtures/run-command.ts';
import { provisionedRun } from '../provisioned-run.ts';

/** A process of this test's own; its first line of output, once it is there. */
async function child(command: string, ...args: string[]): Promise<{ pid: number; line: string }> {
  const spawned = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void spawned.kill('SIGKILL'));
  const [line] = (await once(createInterface({ input: spawned.stdout }), 'line')) as [string];
  return { pid: spawned.pid as number, line };
}

describe('a process', () => {
  it('is alive until it has ended, and not while it only waits to be reaped', async () => {
    const { pid, line } = await child('sh', '-c', 'true & echo $!; exec sleep 60');
    expect(isAlive(process.pid)).toBe(true);
    expect(isAlive(pid)).toBe(true);
    // `sleep` took the shell's place and never asks after the shell's child.
    await eventually('the end of the unreaped one', () => !isAlive(Number(line)));
    expect(isAlive(2 ** 22 + 1)).toBe(false);
  });

  it('is asked to end, and killed when it does not', async () => {
    const polite = await child('sh', '-c', 'trap "exit 0" TERM; echo ready; while :; do sleep 0.05; done');
    await stopProcess(polite.pid, 'polite');
    expect(isAlive(polite.pid)).toBe(false);
    const deaf = await child('sh', '-c', 'trap "" TERM; echo ready; while :; do sleep 0.05; done');
    await stopProcess(deaf.pid, 'deaf', { politeMs: 200, killedMs: 10_000 });
    expect(isAlive(deaf.pid)).toBe(false);
  });

  it('that survives even that is reported as PEER_WOULD_NOT_STOP', async () => {
    const kill = vi.spyOn(process, 'kill').mockReturnValue(true);
    try {
      await expect(stopProcess(process.pid, 'p07', { politeMs: 60, killedMs: 60 })).rejects.toMatchObject({
        code: 'PEER_WOULD_NOT_STOP',
        message: expect.stringContaining(`p07 (process ${process.pid})`),
      });
      const signals = kill.mock.calls.map(([, signal]) => signal).filter((signal) => signal !== 0);
      expect(signals).toEqual(['SIGTERM', 'SIGKILL']);
    } finally {
      kill.mockRestore();
    }
  });
});

describe('an endpoint', () => {
  async function withApi(answer: object): Promise<string> {
    const server = createServer((_, response) => response.end(JSON.stringify(answer))).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  }

  it('is only that of a living process which is that peer: process numbers are used again', async () => {
    const { folder } = await provisionedRun('reused');
    const [peer] = (await readRun(folder)).peers as [Run['peers'][number]];
    const write = (pid: number, apiUrl: string): Promise<void> =>
      writeEndpoint(endpointsFolder(folder), {
        pid,
        publicKey: peer.publicKey,
        peerAddress: '/ip4/1.2.3.4/tcp/1',
        apiUrl,
      });
    expect(await livingEndpoint(folder, peer)).toBeNull();
    await write(2 ** 22 + 1, await withApi({ publicKey: peer.publicKey }));
    expect(await livingEndpoint(folder, peer)).toBeNull();
    await write(process.pid, 'http://127.0.0.1:1');
    expect(await livingEndpoint(folder, peer)).toBeNull();
    await write(process.pid, await withApi({ publicKey: 'somebody else' }));
    expect(await livingEndpoint(folder, peer)).toBeNull();
    await write(process.pid, await withApi({ publicKey: peer.publicKey }));
    expect(await livingEndpoint(folder, peer)).toMatchObject({ pid: process.pid });
  });
});

describe('a peer that is started', () => {
  it('is up when it answers, is known by its process, and is gone when it was stopped', async () => {
    const { folder } = await provisionedRun('started');
    const [peer] = (await readRun(folder)).peers as [Run['peers'][number]];
    const { endpoint, child: started } = await startPeer(folder, peer, true);
    expect(endpoint.pid).toBe(started.pid);
    expect(await getJson(endpoint.apiUrl, '/status')).toMatchObject({ publicKey: peer.publicKey });
    // Its API may hang: the process table knows it by its configuration.
    await writeEndpoint(endpointsFolder(folder), { ...endpoint, apiUrl: 'http://127.0.0.1:1' });
    expect(await livingEndpoint(folder, peer)).not.toBeNull();
    await stopProcess(endpoint.pid, peer.name);
    expect(await readEndpoint(endpointsFolder(folder), peer.publicKey)).toBeNull();
  });

  it('and cannot, is refused with PEER_DID_NOT_START and what it said', async () => {
    const run = await provisionedRun('cannot');
    run.configure({ genesis: 'nowhere.json' });
    const [peer] = (await readRun(run.folder)).peers as [Run['peers'][number]];
    await expect(startPeer(run.folder, peer, true)).rejects.toMatchObject({
      code: 'PEER_DID_NOT_START',
      message: expect.stringMatching(/p01 ended with exit code 2: error CONFIG_UNREADABLE: .*nowhere\.json/),
    });
    expect(await livingEndpoint(run.folder, peer)).toBeNull();
  });
});

describe('a peer that has no endpoint yet', () => {
  /** A run whose peer waits for its genesis for ever: nobody writes into this pipe. */
  async function hangingRun(seed: string): Promise<{ folder: string; peer: Run['peers'][number] }> {
    const run = await provisionedRun(seed);
    const pipe = join(run.folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    run.configure({ genesis: pipe });
    const [peer] = (await readRun(run.folder)).peers as [Run['peers'][number]];
    return { folder: run.folder, peer };
  }

  it('is found by its process and given up when that is asked for', async () => {
    const { folder, peer } = await hangingRun('given up');
    expect(await livingProcess(folder, peer)).toBeNull();
    const stop = new AbortController();
    const spawned = Promise.withResolvers<number>();
    const starting = startPeer(folder, peer, true, {
      signal: stop.signal,
      onSpawn: (process) => spawned.resolve(process.pid as number),
    });
    const pid = await spawned.promise;
    expect(await livingProcess(folder, peer)).toBe(pid);
    expect(await livingEndpoint(folder, peer)).toBeNull();
    // Before it has got so far as to hear it, most likely; else it is killed after a while.
    stop.abort(new Error('enough'));
    await expect(starting).rejects.toThrow('enough');
    expect(isAlive(pid)).toBe(false);
    expect(await livingProcess(folder, peer)).toBeNull();
    await expect(startPeer(folder, peer, true, { signal: stop.signal })).rejects.toThrow('enough');
  });

  it('is stopped by `down`, and its number is not taken for it when it is used again', async () => {
    const { folder, peer } = await hangingRun('down');
    const stand = ['-c', 'echo ready; while :; do sleep 0.05; done'];
    const config = resolve(folder, 'peers', peer.name, 'config.json');
    const [own, foreign] = [await child('sh', ...stand, 'sh', config), await child('sh', ...stand)];
    const file = join(folder, 'peers', peer.name, 'process');
    for (const [content, stopped] of [
      [String(foreign.pid), []],
      ['', []],
      ['-1', []],
      [String(own.pid), [peer.name]],
    ] as const) {
      writeFileSync(file, content);
      const said = await runCommand(downCommand(), '--run', folder, '--json');
      expect(JSON.parse(said)).toEqual({ stopped });
    }
    expect([isAlive(own.pid), isAlive(foreign.pid)]).toEqual([false, true]);
  });

  it('does not outlive the second Ctrl-C of `up`, however deaf it is', async () => {
    const { folder, peer } = await hangingRun('twice');
    const up = start(['up', '--run', folder]);
    const pid = await eventually('its process', () => livingProcess(folder, peer));
    onTestFinished(() => stopProcess(pid, peer.name, { politeMs: 0, killedMs: 5_000 }));
    // Stopped, it does not even hear that it shall end.
    process.kill(pid, 'SIGSTOP');
    up.child.kill('SIGINT');
    await up.line((line) => line.startsWith('stopping'));
    up.child.kill('SIGINT');
    expect(await up.ended).toMatchObject({ code: 130 });
    await eventually('its end', () => !isAlive(pid));
  });
});

describe('the client of a peer', () => {
  it('gives the answer, or PEER_REFUSED with what the peer said, or PEER_UNREACHABLE', async () => {
    const run = await provisionedRun('client');
    const node = await run.start();
    try {
      expect(await getJson(node.apiUrl, '/genesis')).toMatchObject({ chainId: run.network.chainId });
      await expect(getJson(node.apiUrl, '/blocks/x')).rejects.toMatchObject({
        code: 'PEER_REFUSED',
        message: expect.stringContaining('API_BAD_REQUEST'),
      });
      await expect(postJson(node.apiUrl, '/transactions', { batch: '' })).rejects.toMatchObject({
        code: 'PEER_REFUSED',
      });
    } finally {
      await node.stop();
    }
    await expect(getJson(node.apiUrl, '/genesis')).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' });
    const stranger = createServer((_, response) => response.end('<html>hello</html>')).listen(0, '127.0.0.1');
    await once(stranger, 'listening');
    onTestFinished(() => void stranger.close());
    const url = `http://127.0.0.1:${(stranger.address() as { port: number }).port}`;
    await expect(getJson(url, '/status')).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' });
  });
});
