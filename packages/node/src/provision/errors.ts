export type RunErrorCode =
  | 'RUN_NOT_FOUND'
  | 'RUN_EXISTS'
  | 'RUN_UNKNOWN_PEER'
  | 'RUN_DATA_ELSEWHERE'
  | 'RUN_PEERS_SHARE';

/** A run folder is not what a command needs; the message names it and what to do. */
export class RunError extends Error {
  readonly code: RunErrorCode;

  constructor(code: RunErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RunError';
    this.code = code;
  }
}
