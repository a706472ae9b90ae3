/** `GENESIS_INVALID`: a field breaks a rule of its own or against another. `GENESIS_JSON`: JSON of the wrong shape. */
export type GenesisErrorCode = 'GENESIS_INVALID' | 'GENESIS_JSON';

/** A genesis that no chain can start from. */
export class GenesisError extends Error {
  readonly code: GenesisErrorCode;
  /** The field at fault, such as `members[3].publicKey`. */
  readonly field: string;

  constructor(code: GenesisErrorCode, field: string, reason: string) {
    super(`${code} at ${field}: ${reason}`);
    this.name = 'GenesisError';
    this.code = code;
    this.field = field;
  }
}
