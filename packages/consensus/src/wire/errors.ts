/** `WIRE_TOO_LARGE`: more bytes than any message may have. `WIRE_UNKNOWN_KIND`: no message has this kind number. */
export type WireErrorCode = 'WIRE_TOO_LARGE' | 'WIRE_UNKNOWN_KIND';

/** Bytes that are no message at all. */
export class WireError extends Error {
  readonly code: WireErrorCode;

  constructor(code: WireErrorCode, reason: string) {
    super(`${code}: ${reason}`);
    this.name = 'WireError';
    this.code = code;
  }
}
