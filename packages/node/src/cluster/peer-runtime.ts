import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, lstatSync, mkdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/**
 * How Node runs a peer: with a young generation of at most 4 MB instead of 16, so that in each of many peers on one
 * machine not some 40 MB of short-lived objects pile up before they are collected. And with the collector in the peer's own
 * thread and one helper thread instead of four: where there are more peers than cores, a collection that is shared with
 * helpers waits until each of them has been given a processor.
 *
 * While the old generation is marked, which takes seconds in a peer that is mostly asleep, V8 lets the young one grow past
 * its limit (by 25 MB) rather than collect it in between; with phases that may overlap it does not. And the collector can
 * be called, for what the start has left behind. The old generation is collected when it has grown by 60 % (8 MB at least),
 * where V8 alone waits until it has grown to a multiple.
 */
export const PEER_NODE_ARGUMENTS: readonly string[] = [
  '--max-semi-space-size=4',
  '--single-threaded-gc',
  '--v8-pool-size=1',
  '--no-separate-gc-phases',
  '--heap-growing-percent=60',
  '--expose-gc',
];

/**
 * The environment of a peer's process. Compiled sources are kept between starts: a peer then starts in less than half of
 * the time and with 20 MB less. The native libraries share two memory pools instead of having one per thread, which saves
 * another 10 MB. What the environment says already stands.
 */
export function peerEnvironment(): NodeJS.ProcessEnv {
  const cache = process.env.NODE_COMPILE_CACHE === undefined ? compileCacheFolder() : null;
  return { ...(cache === null ? {} : { NODE_COMPILE_CACHE: cache }), MALLOC_ARENA_MAX: '2', ...process.env };
}

/**
 * Where compiled sources are kept; null when no folder is this user's alone. Node runs what it finds there, so whoever can
 * write to it, or put another in its place, decides what every peer does.
 */
export function compileCacheFolder(env: NodeJS.ProcessEnv = process.env, user = process.getuid?.()): string | null {
  try {
    const { XDG_CACHE_HOME: given = '' } = env;
    const home = isAbsolute(given) ? given : join(env.HOME || homedir(), '.cache');
    const folder = join(home, 'wattmesh-compile-cache');
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const [around, own] = [statSync(home), lstatSync(folder)];
    const isKept = (around.mode & OTHERS_WRITE) === 0 || (around.mode & STICKY) !== 0;
    if (!isKept || (around.uid !== user && around.uid !== 0)) return null;
    if (!own.isDirectory() || own.uid !== user || (own.mode & OTHERS_WRITE) !== 0) return null;
    accessSync(folder, constants.W_OK);
    return folder;
  } catch {
    // A home that is not there or cannot be written to: peers compile for themselves.
    return null;
  }
}

const OTHERS_WRITE = 0o022;
const STICKY = 0o1000;

/**
 * Sees to it that a module and all that it imports are compiled and kept, as processes with these settings will look for
 * them: in a process that imports it and ends. Where many peers start at once after a change, each would otherwise load
 * the TypeScript stripper and compile everything for itself. A failure is left to the peers to report.
 */
export async function compileAhead(module: URL, nodeArguments: readonly string[] = PEER_NODE_ARGUMENTS): Promise<void> {
  const code = `await import(${JSON.stringify(module.href)}); process.exit();`;
  const child = spawn(process.execPath, [...nodeArguments, '--input-type=module', '--eval', code], {
    stdio: 'ignore',
    env: peerEnvironment(),
  });
  await once(child, 'exit').catch(() => undefined);
}
