import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Endpoint, peerFolder, type Run, readEndpoint } from '../provision/run-folder.ts';
import { ClusterError } from './errors.ts';

const MAIN = fileURLToPath(new URL('../cli/main.ts', import.meta.url));
const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 15_000;
const POLL_MS = 50;

export interface PeerProcess {
  readonly name: string;
  readonly publicKey: string;
  readonly child: ChildProcess;
  readonly endpoint: Endpoint;
}

export function endpointsFolder(run: string): string {
  return join(run, 'endpoints');
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The endpoint of a peer whose process is alive; null when it is not running. */
export async function livingEndpoint(run: string, publicKey: string): Promise<Endpoint | null> {
  const endpoint = await readEndpoint(endpointsFolder(run), publicKey);
  return endpoint !== null && isAlive(endpoint.pid) ? endpoint : null;
}

/**
 * Starts one peer as a process of its own and waits until it serves its API.
 *
 * `attached` peers end with this process, even when it is killed; others go on until they are stopped.
 * @throws ClusterError PEER_DID_NOT_START with what the peer said.
 */
export async function startPeer(run: string, peer: Run['peers'][number], attached: boolean): Promise<PeerProcess> {
  const folder = peerFolder(run, peer.name);
  await rm(join(endpointsFolder(run), `${peer.publicKey}.json`), { force: true });
  const errorFile = join(folder, 'stderr.log');
  const stderr = openSync(errorFile, 'w');
  const child = spawn(
    process.execPath,
    [MAIN, 'node', '--config', join(folder, 'config.json'), ...(attached ? ['--end-with-parent'] : [])],
    // A group of its own: Ctrl-C reaches the commander only, which then stops its peers in good order.
    { stdio: attached ? ['ignore', 'ignore', stderr, 'ipc'] : ['ignore', 'ignore', stderr], detached: true },
  );
  closeSync(stderr);
  const exited = once(child, 'exit').then(([code, signal]) => ({ code, signal }));
  const deadlineMs = Date.now() + START_LIMIT_MS;
  for (;;) {
    const endpoint = await readEndpoint(endpointsFolder(run), peer.publicKey);
    if (endpoint !== null && endpoint.pid === child.pid) {
      if (!attached) child.unref();
      return { ...peer, child, endpoint };
    }
    const end = await Promise.race([exited, delay(POLL_MS, null)]);
    if (end !== null || Date.now() > deadlineMs) {
      child.kill('SIGKILL');
      const said = await readTail(errorFile);
      const how =
        end === null
          ? `did not answer within ${START_LIMIT_MS / 1_000} s`
          : `ended with ${end.signal ?? `exit code ${end.code}`}`;
      throw new ClusterError('PEER_DID_NOT_START', `${peer.name} ${how}: ${said || `see ${join(folder, 'node.log')}`}`);
    }
  }
}

/** Asks the process to end and waits until it has; kills it when it does not. */
export async function stopProcess(pid: number, name: string): Promise<void> {
  const signal = (which: NodeJS.Signals): void => {
    try {
      process.kill(pid, which);
    } catch {
      // It is gone already.
    }
  };
  signal('SIGTERM');
  const deadlineMs = Date.now() + STOP_LIMIT_MS;
  while (isAlive(pid)) {
    if (Date.now() > deadlineMs) {
      signal('SIGKILL');
      await delay(POLL_MS);
      if (isAlive(pid)) throw new ClusterError('PEER_WOULD_NOT_STOP', `${name} (process ${pid}) does not end`);
    }
    await delay(POLL_MS);
  }
}

async function readTail(file: string): Promise<string> {
  const { readFile } = await import('node:fs/promises');
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.trim().split('\n').slice(-8).join('\n');
}
