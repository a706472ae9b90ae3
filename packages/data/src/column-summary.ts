import { delimiterOf } from './detect-format.ts';
import { DataError, type RefusedRow } from './errors.ts';
import type { ImportOptions } from './import-report.ts';
import { type DataInput, numberedLines, splitFields } from './lines.ts';

/** A column of a CSV in no known format: enough to write a mapping for `importOwnCsv`. */
export interface ColumnSummary {
  name: string;
  /** `number` when every value is a decimal, `time` when every value looks like a date or time. */
  content: 'number' | 'time' | 'text' | 'empty';
  least: number | null;
  most: number | null;
  mean: number | null;
  example: string;
}

/** The part of a file's description that this file fills. */
interface TableDescription {
  rows: number;
  columns: ColumnSummary[];
  facts: string[];
  refused: RefusedRow[];
  refusedCount: number;
}

/** Fills the columns, refused rows and row count of a description from a table in no known format. */
export function summariseColumns(description: TableDescription, input: DataInput, options: ImportOptions): void {
  let header: string[] | undefined;
  let delimiter = ',';
  const tallies: {
    numbers: number;
    times: number;
    filled: number;
    sum: number;
    least: number;
    most: number;
    example: string;
  }[] = [];
  for (const { text, line, terminated } of numberedLines(input)) {
    if (header === undefined) {
      delimiter = delimiterOf(text);
      header = splitFields(text, line, delimiter);
      for (const _ of header) {
        const bounds = { least: Number.POSITIVE_INFINITY, most: Number.NEGATIVE_INFINITY };
        tallies.push({ numbers: 0, times: 0, filled: 0, sum: 0, example: '', ...bounds });
      }
      continue;
    }
    const refuse = (code: RefusedRow['code'], reason: string) => {
      description.refusedCount += 1;
      if (description.refused.length < 1000) description.refused.push({ code, line, reason });
    };
    if (!terminated && options.finalLineEnd !== 'optional') {
      refuse('DATA_TRUNCATED', 'the last line has no line end and may be cut');
      continue;
    }
    let fields: string[];
    try {
      fields = splitFields(text, line, delimiter);
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      refuse(error.code, error.reason);
      continue;
    }
    if (fields.length !== header.length) {
      refuse('DATA_COLUMN_COUNT', `${fields.length} columns, the header has ${header.length}`);
      continue;
    }
    description.rows += 1;
    fields.forEach((field, column) => {
      const tally = tallies[column];
      if (tally === undefined || field === '') return;
      tally.filled += 1;
      if (tally.example === '') tally.example = field.slice(0, 40);
      if (/^(\d{4}-\d{2}-\d{2}|\d{1,2}\/\d{1,2}\/\d{4})/.test(field)) tally.times += 1;
      if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(field)) return;
      const value = Number(field);
      tally.numbers += 1;
      tally.sum += value;
      tally.least = Math.min(tally.least, value);
      tally.most = Math.max(tally.most, value);
    });
  }
  description.columns = (header ?? []).map((name, column): ColumnSummary => {
    const tally = tallies[column];
    const filled = tally?.filled ?? 0;
    if (tally === undefined || filled === 0)
      return { name, content: 'empty', least: null, most: null, mean: null, example: '' };
    const { example, least, most, sum, numbers, times } = tally;
    if (times === filled) return { name, content: 'time', least: null, most: null, mean: null, example };
    if (numbers !== filled) return { name, content: 'text', least: null, most: null, mean: null, example };
    return { name, content: 'number', least, most, mean: sum / numbers, example };
  });
  description.facts.push('no known format: import it with a column mapping, a unit and a time zone');
}
