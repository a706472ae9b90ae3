import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname, uptime } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_INTERVAL_MS = 250;

/**
 * Runs `work` while no other process of this machine does so under the same file. The file names its holder; one left
 * behind by a dead process, or from before the last boot, is taken over.
 *
 * @template T
 * @param {string} file
 * @param {(holder: string) => void} onWait called once, when another process holds the lock
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(file, onWait, work) {
  const mine = `${process.pid} ${hostname()}\n`;
  let told = false;
  while (!acquire(file, mine)) {
    const holder = readHolder(file);
    if (holder === undefined) continue;
    if (isStale(file, holder)) {
      removeIfStill(file, holder);
      continue;
    }
    if (!told) onWait(holder.trim());
    told = true;
    await delay(POLL_INTERVAL_MS);
  }
  const release = () => removeIfStill(file, mine);
  process.once('exit', release);
  try {
    return await work();
  } finally {
    process.removeListener('exit', release);
    release();
  }
}

/**
 * @param {string} file
 * @param {string} mine
 * @returns {boolean} whether the lock is now ours
 */
function acquire(file, mine) {
  try {
    writeFileSync(file, mine, { flag: 'wx' });
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * @param {string} file
 * @returns {string | undefined} undefined: released in the meantime
 */
function readHolder(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * @param {string} file
 * @param {string} holder
 * @returns {boolean}
 */
function isStale(file, holder) {
  const [pidText, host] = holder.trim().split(' ');
  const pid = Number(pidText);
  let writtenAtMs;
  try {
    writtenAtMs = statSync(file).mtimeMs;
  } catch {
    return false;
  }
  // Between the creation of the file and the writing of its line it is empty; a crash just then leaves it so for good.
  if (!Number.isInteger(pid) || host === undefined) return Date.now() - writtenAtMs > 10_000;
  if (host !== hostname()) return false;
  if (writtenAtMs < Date.now() - uptime() * 1000) return true;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'ESRCH';
  }
}

/**
 * Removes the lock if its holder is still the one seen before. The rename makes one of several waiters win; if it took
 * the lock of a process that had come in between, that lock is put back.
 *
 * @param {string} file
 * @param {string} holder
 */
function removeIfStill(file, holder) {
  const taken = `${file}.${process.pid}`;
  try {
    renameSync(file, taken);
  } catch {
    return;
  }
  if (readFileSync(taken, 'utf8') !== holder) {
    try {
      writeFileSync(file, readFileSync(taken), { flag: 'wx' });
    } catch {
      // Someone holds a newer lock; the one we moved belongs to a process that will find it gone, which is harmless.
    }
  }
  rmSync(taken, { force: true });
}
