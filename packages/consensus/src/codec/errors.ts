/**
 * `CODEC_RANGE`: a value lies outside of what its field may hold. `CODEC_TRUNCATED`: the bytes end inside a field.
 * `CODEC_TRAILING`: bytes are left over after the value. `CODEC_LIMIT`: a length or count exceeds the field's limit.
 * `CODEC_TAG`: an option flag, enumeration or union tag that means nothing. `CODEC_TYPE`: encoding was asked for a
 * value of the wrong type. `CODEC_RULE`: a rule beyond the layout (such as one round for a whole certificate) is broken.
 */
export type CodecErrorCode =
  | 'CODEC_RANGE'
  | 'CODEC_TRUNCATED'
  | 'CODEC_TRAILING'
  | 'CODEC_LIMIT'
  | 'CODEC_TAG'
  | 'CODEC_TYPE'
  | 'CODEC_RULE';

/** A value that cannot be encoded, or bytes that are not the encoding of any value. */
export class CodecError extends Error {
  readonly code: CodecErrorCode;
  /** Where in the value, such as `header.height` or `batches[3].operations[0].amount`; empty for the value itself. */
  readonly path: string;
  readonly reason: string;

  constructor(code: CodecErrorCode, reason: string, path = '') {
    super(`${code} at ${path === '' ? 'the value' : path}: ${reason}`);
    this.name = 'CodecError';
    this.code = code;
    this.reason = reason;
    this.path = path;
  }

  /** The same error seen from one level further out. */
  within(segment: string): CodecError {
    const joint = this.path === '' || this.path.startsWith('[') ? '' : '.';
    return new CodecError(this.code, this.reason, `${segment}${joint}${this.path}`);
  }
}

/** Adds the place to a codec error on its way out and leaves every other error alone. */
export function located(error: unknown, segment: string): unknown {
  return error instanceof CodecError ? error.within(segment) : error;
}
