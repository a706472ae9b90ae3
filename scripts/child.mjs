import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/** What may be sent to this process and is meant for the program it runs. */
const PASSED_ON = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2']);

/**
 * Runs a program in the place of this one: same terminal, same standard streams, signals passed on, and at its end this
 * process ends in the same way (status, or signal).
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: Record<string, string | undefined> }} options
 * @returns {Promise<void>} this process has an exit status, or is ending by a signal
 */
export async function runInPlace(command, args, options) {
  const child = spawn(command, args, { ...options, stdio: 'inherit' });
  /** @type {[NodeJS.Signals, () => void][]} */
  const handlers = PASSED_ON.map((signal) => [
    signal,
    () => {
      if (!comesFromTerminal(signal)) child.kill(signal);
    },
  ]);
  for (const [signal, handler] of handlers) process.on(signal, handler);
  const watch = process.env.npm_lifecycle_event === undefined ? undefined : watchParent(() => child.kill('SIGTERM'));
  /** @type {{ code: number | null, signal: NodeJS.Signals | null }} */
  const end = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  for (const [signal, handler] of handlers) process.removeListener(signal, handler);
  clearInterval(watch);
  process.exitCode = end.code ?? 128 + constants.signals[end.signal ?? 'SIGTERM'];
  if (end.signal !== null) process.kill(process.pid, end.signal);
}

/**
 * Whether a signal is the terminal's: Ctrl-C and Ctrl-\ reach the whole foreground group, so the child has had its own, and
 * npm sends us one more.
 *
 * @param {NodeJS.Signals} signal
 * @returns {boolean}
 */
export function comesFromTerminal(signal) {
  const hasTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  return hasTerminal && (signal === 'SIGINT' || signal === 'SIGQUIT');
}

/**
 * An npm that is killed takes no leave: without this, what it started would run on.
 *
 * @param {() => void} onGone
 * @returns {NodeJS.Timeout}
 */
function watchParent(onGone) {
  const parent = process.ppid;
  return setInterval(() => {
    if (process.ppid !== parent) onGone();
  }, 500);
}
