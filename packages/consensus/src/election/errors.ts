/**
 * `ELECTION_INVALID_INPUT`: candidates, weights or ranks that contradict each other. `ELECTION_MISSING_SHARE`: a
 * certificate that should seed a term does not. `ELECTION_MISSING_CERTIFICATE`: the term's seed stands only in the
 * certificate that decided the state's block, and that was not given.
 */
export type ElectionErrorCode = 'ELECTION_INVALID_INPUT' | 'ELECTION_MISSING_SHARE' | 'ELECTION_MISSING_CERTIFICATE';

/** An election that cannot be held on what was given. */
export class ElectionError extends Error {
  readonly code: ElectionErrorCode;

  constructor(code: ElectionErrorCode, reason: string) {
    super(`${code}: ${reason}`);
    this.name = 'ElectionError';
    this.code = code;
  }
}
