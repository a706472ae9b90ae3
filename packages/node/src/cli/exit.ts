/** Exit codes of `wattmesh`; `--help` lists them. */
export const EXIT = {
  ok: 0,
  /** The run itself failed: peers diverged, a total differs, a peer died. */
  failed: 1,
  /** What was asked for cannot be done: a wrong option, file, port or folder. */
  usage: 2,
  /** Ctrl-C or SIGTERM before the work was done. */
  interrupted: 130,
} as const;

export const EXIT_HELP = `
Exit codes: 0 done; 1 the run failed (peers disagree, a peer died); 2 a wrong option, file, port or folder; 130 interrupted.`;

const FAILURES = new Set([
  'RUN_DIVERGED',
  'PEER_WOULD_NOT_STOP',
  'PEER_REFUSED',
  'STORE_FULL',
  'STORE_WRITE_FAILED',
  'INSPECT_CHAIN_INVALID',
  'INSPECT_CHAINS_DIFFER',
  'INSPECT_EVIDENCE_DISAGREES',
]);

/** The exit code that an error stands for. */
export function exitCodeOf(error: unknown): number {
  const code = codeOf(error);
  if (code === null || FAILURES.has(code)) return EXIT.failed;
  return EXIT.usage;
}

/** Of a write that names no file any more. */
const DISK_FULL = new Set(['ENOSPC', 'EDQUOT']);

/**
 * The code that a user can do something about: one of ours, or what the system says of a file or a port. Null for an error of
 * the program, also where Node or a library has given it a code (`ERR_INVALID_ARG_TYPE`, `ABORT_ERR`).
 */
export function codeOf(error: unknown): string | null {
  const { code, syscall, path } = (error ?? {}) as { code?: unknown; syscall?: unknown; path?: unknown };
  if (typeof code !== 'string') return null;
  if (/^E[A-Z0-9]+$/.test(code)) {
    const isOfPlace = typeof path === 'string' || syscall === 'listen' || DISK_FULL.has(code);
    return typeof syscall === 'string' && isOfPlace ? code : null;
  }
  return /^[A-Z]+(_[A-Z]+)+$/.test(code) && !/^ERR_|^ABORT_ERR$/.test(code) ? code : null;
}

/** What the command line says of an error: its stack only where that helps, in an error of the program. */
export function describeError(error: unknown): string {
  const code = codeOf(error);
  const text = error instanceof Error ? error.message : String(error);
  if (code === null) return (error instanceof Error ? error.stack : undefined) ?? text;
  // The system's messages begin with the code, and not all of them name the file.
  const said = text.startsWith(`${code}: `) ? text.slice(code.length + 2) : text;
  const { path } = error as { path?: unknown };
  return `error ${code}: ${said}${typeof path === 'string' && !said.includes(path) ? ` (${path})` : ''}`;
}
