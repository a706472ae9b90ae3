/** Codes of everything this package refuses. Each is raised by at least one test. */
export type DataErrorCode =
  | 'DATA_INVALID_OPTION'
  | 'DATA_EMPTY'
  | 'DATA_BINARY'
  | 'DATA_COMPRESSED'
  | 'DATA_UNKNOWN_FORMAT'
  | 'DATA_HEADER_MISMATCH'
  | 'DATA_COLUMN_COUNT'
  | 'DATA_BAD_QUOTING'
  | 'DATA_BAD_NUMBER'
  | 'DATA_NEGATIVE_ENERGY'
  | 'DATA_OUT_OF_RANGE'
  | 'DATA_BAD_DATE'
  | 'DATA_NONEXISTENT_TIME'
  | 'DATA_BAD_CATEGORY'
  | 'DATA_BAD_ID'
  | 'DATA_BAD_SESSION'
  | 'DATA_DUPLICATE'
  | 'DATA_OUT_OF_ORDER'
  | 'DATA_GAP'
  | 'DATA_TRUNCATED'
  | 'DATA_INCONSISTENT'
  | 'DATA_BAD_JSON'
  | 'DATA_BAD_CASE'
  | 'DATA_TOU_UNUSABLE'
  | 'DATA_DAY_NOT_COVERED'
  | 'DATA_SCALE_NOT_STATED';

/** Codes of what is accepted but must be said. */
export type DataWarningCode =
  | 'DATA_CLOCK_FORWARD'
  | 'DATA_CLOCK_BACK'
  | 'DATA_CLOCK_SUSPECT'
  | 'DATA_NO_POSITIONS'
  | 'DATA_ROW_QUALITY'
  | 'DATA_SUSPECT_UNIT'
  | 'DATA_ROUNDED'
  | 'DATA_NET_ONLY'
  | 'DATA_NEGATIVE_PRICE'
  | 'DATA_TOU_ALL_ZERO'
  | 'DATA_ONE_DIRECTIONAL'
  | 'DATA_LONG_STAY'
  | 'DATA_DELIVERED_ABOVE_REQUEST'
  | 'DATA_NO_BRANCH_LIMITS'
  | 'DATA_NO_BASE_VOLTAGE'
  | 'DATA_TRANSMISSION_SCALE'
  | 'DATA_SEASON_SHIFTED'
  | 'DATA_SEASON_NOT_SHIFTED';

/** A row or file that was refused. `line` counts from 1; 0 when the problem is not in a line (options, empty input). */
export interface RefusedRow {
  code: DataErrorCode;
  line: number;
  reason: string;
}

/** Something accepted with a reservation. `line` is the first line concerned, 0 for the file as a whole. */
export interface DataWarning {
  code: DataWarningCode;
  line: number;
  count: number;
  message: string;
}

/** Raised by every function of this package. The message names the line, what is wrong and what to do. */
export class DataError extends Error {
  readonly code: DataErrorCode;
  readonly line: number;
  readonly reason: string;

  constructor(code: DataErrorCode, line: number, reason: string) {
    super(line > 0 ? `${code} at line ${line}: ${reason}` : `${code}: ${reason}`);
    this.name = 'DataError';
    this.code = code;
    this.line = line;
    this.reason = reason;
  }
}
