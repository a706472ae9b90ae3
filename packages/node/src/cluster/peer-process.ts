import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Endpoint, peerFolder, type Run, readEndpoint } from '../provision/run-folder.ts';
import { ClusterError } from './errors.ts';
import { getJson, type StatusView } from './peer-client.ts';
import { PEER_NODE_ARGUMENTS, peerEnvironment } from './peer-runtime.ts';

const MAIN = fileURLToPath(new URL('../cli/main.ts', import.meta.url));
const START_LIMIT_MS = 60_000;
const STOP_LIMITS = { politeMs: 15_000, killedMs: 5_000 };
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

/** Whether the process runs. One that has ended and only waits to be reaped by its parent does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  const [, state] = /^State:\t(\w)/m.exec(readProc(pid, 'status')) ?? [];
  return state !== 'Z' && state !== 'X';
}

/**
 * The endpoint of a peer whose process is alive; null when it is not running. Process numbers are used again, after a
 * reboot at the latest: one that is neither heard nor seen to be this peer is somebody else's.
 */
export async function livingEndpoint(run: string, peer: Run['peers'][number]): Promise<Endpoint | null> {
  const endpoint = await readEndpoint(endpointsFolder(run), peer.publicKey);
  if (endpoint === null || !isAlive(endpoint.pid)) return null;
  if (isSeenToBe(endpoint.pid, run, peer)) return endpoint;
  const status = await getJson<StatusView>(endpoint.apiUrl, '/status').catch(() => null);
  return status?.publicKey === peer.publicKey ? endpoint : null;
}

/**
 * The process of a peer, even of one that is still starting or already stopping and has no endpoint; null when there is none.
 * Without a process table to see them in, only peers with an endpoint are found.
 */
export async function livingProcess(run: string, peer: Run['peers'][number]): Promise<number | null> {
  const endpoint = await livingEndpoint(run, peer);
  if (endpoint !== null) return endpoint.pid;
  const pid = Number(await readFile(processFile(run, peer.name), 'utf8').catch(() => ''));
  return Number.isSafeInteger(pid) && pid > 0 && isAlive(pid) && isSeenToBe(pid, run, peer) ? pid : null;
}

function isSeenToBe(pid: number, run: string, { name }: Run['peers'][number]): boolean {
  return readProc(pid, 'cmdline').split('\0').includes(configFile(run, name));
}

/** Holds the number of the process that was last started for a peer. */
function processFile(run: string, name: string): string {
  return join(peerFolder(run, name), 'process');
}

function configFile(run: string, name: string): string {
  return resolve(peerFolder(run, name), 'config.json');
}

/** A file of the process table; empty on machines that have none. */
function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

export interface StartWatch {
  /** Gives up the start: the process is stopped, and `startPeer` rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Hears of the process as soon as there is one. */
  onSpawn?(child: ChildProcess): void;
}

/**
 * Starts one peer as a process of its own and waits until it serves its API.
 *
 * `attached` peers end with this process, even when it is killed; others go on until they are stopped.
 * @throws ClusterError PEER_DID_NOT_START with what the peer said.
 */
export async function startPeer(
  run: string,
  peer: Run['peers'][number],
  attached: boolean,
  { signal, onSpawn }: StartWatch = {},
): Promise<PeerProcess> {
  const folder = peerFolder(run, peer.name);
  await rm(join(endpointsFolder(run), `${peer.publicKey}.json`), { force: true });
  signal?.throwIfAborted();
  const errorFile = join(folder, 'stderr.log');
  const stderr = openSync(errorFile, 'w');
  const child = spawn(
    process.execPath,
    [
      ...PEER_NODE_ARGUMENTS,
      MAIN,
      'node',
      '--config',
      configFile(run, peer.name),
      ...(attached ? ['--end-with-parent'] : []),
    ],
    // A group of its own: Ctrl-C reaches the commander only, which then stops its peers in good order.
    {
      stdio: attached ? ['ignore', 'ignore', stderr, 'ipc'] : ['ignore', 'ignore', stderr],
      detached: true,
      env: peerEnvironment(),
    },
  );
  closeSync(stderr);
  onSpawn?.(child);
  // At once, so that this process may end at any moment and the other can still be found.
  if (child.pid !== undefined) writeFileSync(processFile(run, peer.name), String(child.pid));
  const exited = once(child, 'exit').then(([code, signal]) => ({ code, signal }));
  const deadlineMs = Date.now() + START_LIMIT_MS;
  for (;;) {
    const endpoint = await readEndpoint(endpointsFolder(run), peer.publicKey);
    if (endpoint !== null && endpoint.pid === child.pid) {
      if (!attached) child.unref();
      return { ...peer, child, endpoint };
    }
    if (signal?.aborted) {
      if (child.pid !== undefined) await stopProcess(child.pid, peer.name);
      signal.throwIfAborted();
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

/**
 * Asks the process to end and waits until it has; kills it when it does not.
 * @throws ClusterError PEER_WOULD_NOT_STOP
 */
export async function stopProcess(pid: number, name: string, limits = STOP_LIMITS): Promise<void> {
  for (const [signal, limitMs] of [
    ['SIGTERM', limits.politeMs],
    ['SIGKILL', limits.killedMs],
  ] as const) {
    try {
      process.kill(pid, signal);
    } catch {
      // It is gone already, or not ours to stop: what counts is whether it is still there.
    }
    const deadlineMs = Date.now() + limitMs;
    while (isAlive(pid) && Date.now() < deadlineMs) await delay(POLL_MS);
    if (!isAlive(pid)) return;
  }
  throw new ClusterError('PEER_WOULD_NOT_STOP', `${name} (process ${pid}) does not end`);
}

async function readTail(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.trim().split('\n').slice(-8).join('\n');
}
