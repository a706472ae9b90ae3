import { DataError, type DataErrorCode, type DataWarning, type DataWarningCode, type RefusedRow } from './errors.ts';
import type { NumberedLine } from './lines.ts';

/** `strict` raises at the first refused row; `tolerant` refuses the row, goes on and lists it. */
export type ImportMode = 'strict' | 'tolerant';

/** Options that every importer has. */
export interface ImportOptions {
  /** Default `strict`. */
  mode?: ImportMode;
  /**
   * A last line without a line end cannot be told from one cut in its last digit, so it is refused (DATA_TRUNCATED) unless
   * this is `optional`. Lines that come from an iterator carry no line ends: the check does not apply to them.
   */
  finalLineEnd?: 'required' | 'optional';
}

/** What every importer says beside the data. `refused` is the first 1,000 of `refusedCount`. */
export interface ImportNotes {
  /** Data rows accepted. */
  rows: number;
  refused: RefusedRow[];
  refusedCount: number;
  warnings: DataWarning[];
}

const MAX_LISTED = 1000;

/** Collects what an importer refuses and warns about, and decides by mode whether to go on. */
export class ImportReport {
  rows = 0;
  readonly strict: boolean;
  readonly #refused: RefusedRow[] = [];
  readonly #warnings = new Map<DataWarningCode, DataWarning>();
  #refusedCount = 0;

  constructor(options: ImportOptions) {
    this.strict = (options.mode ?? 'strict') === 'strict';
  }

  /** Refuses a row: raises in strict mode, lists it otherwise. */
  refuse(code: DataErrorCode, line: number, reason: string): void {
    if (this.strict) throw new DataError(code, line, reason);
    this.#refusedCount += 1;
    if (this.#refused.length < MAX_LISTED) this.#refused.push({ code, line, reason });
  }

  /** Runs the reading of one row; a DataError inside refuses that row. Returns whether the row was accepted. */
  attempt(read: () => void): boolean {
    try {
      read();
    } catch (error) {
      if (this.strict || !(error instanceof DataError)) throw error;
      this.refuse(error.code, error.line, error.reason);
      return false;
    }
    this.rows += 1;
    return true;
  }

  /** Counts a warning; the first occurrence decides line and message. */
  warn(code: DataWarningCode, line: number, message: string, count = 1): void {
    const known = this.#warnings.get(code);
    if (known === undefined) this.#warnings.set(code, { code, line, count, message });
    else known.count += count;
  }

  /** Refuses a last line without a line end, unless the options allow it. Returns whether it was refused. */
  refuseCut(line: NumberedLine, options: ImportOptions): boolean {
    if (line.terminated || options.finalLineEnd === 'optional') return false;
    const reason = 'the last line has no line end and may be cut; end the file with a line end if it is complete';
    this.refuse('DATA_TRUNCATED', line.line, reason);
    return true;
  }

  /** Raises DATA_EMPTY when no row was accepted, with the reason of the first refusal. */
  requireRows(): void {
    if (this.rows > 0) return;
    const first = this.#refused[0];
    if (first === undefined) throw new DataError('DATA_EMPTY', 0, 'there are no data rows');
    throw new DataError('DATA_EMPTY', first.line, `no row was accepted; the first refusal: ${first.reason}`);
  }

  /** What to hand back beside the data. */
  notes(): ImportNotes {
    return {
      rows: this.rows,
      refused: this.#refused,
      refusedCount: this.#refusedCount,
      warnings: [...this.#warnings.values()],
    };
  }
}
