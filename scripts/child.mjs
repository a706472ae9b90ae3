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
  const hasTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  /** @type {[NodeJS.Signals, () => void][]} */
  const handlers = PASSED_ON.map((signal) => [
    signal,
    () => {
      // Ctrl-C and Ctrl-\ reach the whole foreground group: the child has had its own, and npm sends us one more.
      if (hasTerminal && (signal === 'SIGINT' || signal === 'SIGQUIT')) return;
      child.kill(signal);
    },
  ]);
  for (const [signal, handler] of handlers) process.on(signal, handler);
  /** @type {{ code: number | null, signal: NodeJS.Signals | null }} */
  const end = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  for (const [signal, handler] of handlers) process.removeListener(signal, handler);
  process.exitCode = end.code ?? 128 + constants.signals[end.signal ?? 'SIGTERM'];
  if (end.signal !== null) process.kill(process.pid, end.signal);
}
