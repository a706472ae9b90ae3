export type HomesErrorCode =
  | 'HOMES_FILE_UNREADABLE'
  /** A table of no known format: a mapping must say what its columns mean. */
  | 'HOMES_MAPPING_NEEDED'
  | 'HOMES_MAPPING_UNUSED'
  /** The file holds something else: prices, sessions, a network. */
  | 'HOMES_NOT_HOUSEHOLDS'
  | 'HOMES_UNKNOWN_HOME'
  | 'HOMES_WRONG_NUMBER'
  | 'HOMES_BAD_INTERVAL'
  /** Nobody measured some of the day's intervals. */
  | 'HOMES_INCOMPLETE_DAY'
  | 'HOMES_BAD_PLACE';

/** Homes that cannot trade the day that was asked for; the message says why and what to do. */
export class HomesError extends Error {
  readonly code: HomesErrorCode;

  constructor(code: HomesErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'HomesError';
    this.code = code;
  }
}
