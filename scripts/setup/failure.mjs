/**
 * A step of the set-up that could not be done. `code` names the reason, the message says what was wrong and what to do.
 */
export class SetupError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   */
  constructor(code, message) {
    super(message);
    this.name = 'SetupError';
    this.code = code;
  }
}

/** Exit status of every command of this repository whose set-up failed; the command itself has not started. */
export const SETUP_FAILED_EXIT_CODE = 69;

/** First match wins: the most specific reason stands first. */
const REASONS = [
  {
    code: 'SETUP_INTEGRITY',
    pattern: /EINTEGRITY|TARBALL_INTEGRITY|integrity (check|checksum)|BAD_TARBALL/i,
    advice:
      'What was downloaded is not what the lock file names. Clear the npm cache, and do not use this registry if it happens again.',
  },
  {
    code: 'SETUP_LOCK_OUTDATED',
    pattern: /ERR_PNPM_OUTDATED_LOCKFILE|frozen-lockfile.*not up to date|LOCKFILE_CONFIG_MISMATCH/i,
    advice:
      'A package.json was changed without its lock file: run pnpm install (in .tools/node_modules/.bin) and commit pnpm-lock.yaml.',
  },
  {
    code: 'SETUP_NO_SPACE',
    pattern: /ENOSPC|no space left/i,
    advice: 'The disk is full: the set-up needs about 1 GB.',
  },
  {
    code: 'SETUP_NOT_WRITABLE',
    pattern: /EACCES|EPERM|EROFS|permission denied|read-only file system/i,
    advice: 'The clone, or the cache of npm or pnpm in the home folder, cannot be written by this user.',
  },
  {
    code: 'SETUP_NO_NETWORK',
    pattern:
      /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|error sending request|dns error|timed? ?out|ENOTCACHED|NO_OFFLINE/i,
    advice: 'The npm registry could not be reached. The first run needs it once; later runs need no network.',
  },
  {
    code: 'SETUP_NOT_IN_REGISTRY',
    pattern: /E404|ETARGET|ERR_PNPM_FETCH_404|ERR_PNPM_NO_MATCHING_VERSION|notarget/i,
    advice: 'The npm registry in use does not carry one of the locked packages.',
  },
];

/**
 * The reason behind the output of npm or pnpm when it failed.
 *
 * @param {string} step what was being done, as a noun phrase
 * @param {string} output everything that the tool printed
 * @returns {SetupError}
 */
export function explainToolFailure(step, output) {
  const lines = output.trimEnd().split('\n');
  const tail = lines.slice(-12).map((line) => `    ${line}`);
  const reason = REASONS.find(({ pattern }) => pattern.test(output));
  const advice = reason?.advice ?? 'The last lines of its output say why.';
  return new SetupError(reason?.code ?? 'SETUP_TOOL_FAILED', `${step} failed. ${advice}\n${tail.join('\n')}`);
}
