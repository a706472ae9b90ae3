export type StoreErrorCode =
  | 'STORE_LOCKED'
  | 'STORE_OTHER_CHAIN'
  | 'STORE_FORMAT'
  | 'STORE_CORRUPT'
  | 'STORE_FULL'
  | 'STORE_WRITE_FAILED'
  | 'STORE_UNREADABLE'
  | 'STORE_HAS_SIGNED';

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
  if (cause instanceof StoreError) return cause;
  return isDiskFull(cause)
    ? new StoreError(
        'STORE_FULL',
        `the disk of ${folder} is full; free space and start the peer again (nothing acknowledged is lost)`,
        { cause },
      )
    : new StoreError(
        'STORE_WRITE_FAILED',
        `could not write to ${folder}: ${messagesOf(cause)}; the peer stops rather than go on without its memory`,
        { cause },
      );
}

export function isDiskFull(cause: unknown): boolean {
  return (
    ['ENOSPC', 'EDQUOT'].includes(String((cause as { code?: unknown } | null)?.code)) ||
    /ENOSPC|EDQUOT|no space left|quota exceeded/i.test(messagesOf(cause))
  );
}

/** The messages of an error and of what caused it: LevelDB says the essential in its cause. */
export function messagesOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${messagesOf(error.cause)}`;
}
