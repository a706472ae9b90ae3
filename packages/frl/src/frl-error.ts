/** Every way in which this package refuses an input; the code is stable and may serve as a metric label. */
export type FrlErrorCode =
  | 'FRL_INVALID_CONFIG'
  | 'FRL_INVALID_INPUT'
  | 'FRL_UPDATE_WRONG_LENGTH'
  | 'FRL_UPDATE_NON_FINITE'
  | 'FRL_TOO_FEW_UPDATES'
  | 'FRL_DUPLICATE_UPDATE'
  | 'FRL_MODEL_WRONG_SIZE'
  | 'FRL_MODEL_BAD_HEADER'
  | 'FRL_MODEL_WRONG_DTYPE'
  | 'FRL_MODEL_WRONG_SHAPE'
  | 'FRL_MODEL_NON_FINITE'
  | 'FRL_CHECKPOINT_MISMATCH'
  | 'FRL_BACKEND_UNAVAILABLE';

/** What was wrong and where, as data: names of fields, indexes, expected and found values. */
export type FrlErrorDetails = Readonly<Record<string, string | number | boolean | bigint>>;

/** The only error class that this package throws on purpose. */
export class FrlError extends Error {
  readonly code: FrlErrorCode;
  readonly details: FrlErrorDetails;

  constructor(code: FrlErrorCode, message: string, details: FrlErrorDetails = {}) {
    super(message);
    this.name = 'FrlError';
    this.code = code;
    this.details = details;
  }
}

/** Throws `FRL_INVALID_CONFIG` unless `condition` holds. */
export function requireConfig(condition: boolean, message: string, details: FrlErrorDetails = {}): asserts condition {
  if (!condition) throw new FrlError('FRL_INVALID_CONFIG', message, details);
}

/** Throws `FRL_INVALID_INPUT` unless `condition` holds. */
export function requireInput(condition: boolean, message: string, details: FrlErrorDetails = {}): asserts condition {
  if (!condition) throw new FrlError('FRL_INVALID_INPUT', message, details);
}
