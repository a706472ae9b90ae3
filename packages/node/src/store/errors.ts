export type StoreErrorCode =
  | 'STORE_LOCKED'
  | 'STORE_OTHER_CHAIN'
  | 'STORE_FORMAT'
  | 'STORE_CORRUPT'
  | 'STORE_FULL'
  | 'STORE_WRITE_FAILED'
  | 'STORE_UNREADABLE';

/** Something is wrong with a peer's store; the message names the folder and what to do. */
export class StoreError extends Error {
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StoreError';
    this.code = code;
  }
}

/** Turns what a write threw into a refusal that says what to do. */
export function writeError(folder: string, cause: unknown): StoreError {
  const text =
    cause instanceof Error ? `${cause.message} ${String((cause as { cause?: unknown }).cause ?? '')}` : String(cause);
  const full = (cause as { code?: string })?.code === 'ENOSPC' || /ENOSPC|no space left/i.test(text);
  return full
    ? new StoreError(
        'STORE_FULL',
        `the disk of ${folder} is full; free space and start the peer again (nothing acknowledged is lost)`,
        { cause },
      )
    : new StoreError(
        'STORE_WRITE_FAILED',
        `could not write to ${folder}: ${text.trim()}; the peer stops rather than go on without its memory`,
        { cause },
      );
}
