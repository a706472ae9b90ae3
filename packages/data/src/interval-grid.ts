import { formatMinute, MINUTES_PER_DAY } from './civil-time.ts';
import { DataError } from './errors.ts';
import type { ImportReport } from './import-report.ts';

/** A gap longer than this is a wrong date rather than a gap, so its row is refused in every mode. */
const MAX_GAP_MINUTES = 400 * MINUTES_PER_DAY;

/**
 * Gives each row of a regular series its slot: times must rise by exactly one step. A repeated or earlier time is refused; a
 * jump is refused in strict mode and remembered as missing slots in tolerant mode.
 */
export class IntervalGrid {
  readonly stepMinutes: number;
  /** Jumps accepted in tolerant mode; `line` is the row after the jump. */
  readonly missing: { firstSlot: number; slotCount: number; line: number }[] = [];
  readonly #report: ImportReport;
  readonly #what: string;
  #first: number | null = null;
  #last = 0;

  constructor(report: ImportReport, stepMinutes: number, what = 'the file') {
    this.#report = report;
    this.stepMinutes = stepMinutes;
    this.#what = what;
  }

  get startMinute(): number {
    return this.#first ?? 0;
  }

  get slotCount(): number {
    return this.#first === null ? 0 : (this.#last - this.#first) / this.stepMinutes + 1;
  }

  /** The slot of a row that begins at `minute`. Call it after the row's values have been read. */
  place(minute: number, line: number): number {
    if (this.#first === null) {
      this.#first = minute;
      this.#last = minute;
      return 0;
    }
    const jump = minute - this.#last;
    const [was, is] = [formatMinute(this.#last), formatMinute(minute)];
    if (jump === 0) throw new DataError('DATA_DUPLICATE', line, `${this.#what} already has a row for ${is}`);
    if (jump < 0)
      throw new DataError('DATA_OUT_OF_ORDER', line, `${is} comes after ${was}; rows must be in time order`);
    if (jump % this.stepMinutes !== 0) {
      throw new DataError('DATA_INCONSISTENT', line, `${is} is not a multiple of ${this.stepMinutes} min after ${was}`);
    }
    if (jump > this.stepMinutes) {
      const count = jump / this.stepMinutes - 1;
      const reason = `${this.#what} jumps from ${was} to ${is}: ${count} missing or misplaced row(s)`;
      if (this.#report.strict || jump > MAX_GAP_MINUTES) throw new DataError('DATA_GAP', line, reason);
      this.missing.push({ firstSlot: this.slotCount, slotCount: count, line });
    }
    this.#last = minute;
    return this.slotCount - 1;
  }

  /** Refuses a series that begins or ends within a day, the mark of a file cut at either end. */
  requireWholeDays(firstLine: number, lastLine: number): void {
    if (this.#first === null) return;
    if (this.startMinute % MINUTES_PER_DAY !== 0) {
      const reason = `${this.#what} begins at ${formatMinute(this.startMinute)}, within a day: its beginning is missing`;
      this.#report.refuse('DATA_TRUNCATED', firstLine, reason);
    }
    const end = this.#last + this.stepMinutes;
    if (end % MINUTES_PER_DAY !== 0) {
      const reason = `${this.#what} ends at ${formatMinute(end)}, within a day: the rest is missing`;
      this.#report.refuse('DATA_TRUNCATED', lastLine, reason);
    }
  }
}
