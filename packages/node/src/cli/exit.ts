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

export function codeOf(error: unknown): string | null {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && /^[A-Z]+(_[A-Z]+)+$/.test(code) ? code : null;
}
