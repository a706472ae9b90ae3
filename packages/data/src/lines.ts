import { parse } from 'csv-parse/sync';
import { DataError } from './errors.ts';

/** A whole file as text or bytes, or its lines one by one (without line ends), for files that do not fit in memory. */
export type DataInput = string | Uint8Array | Iterable<string>;

/** One physical line. `terminated` is false only for a last line that has no line end. */
export interface NumberedLine {
  line: number;
  text: string;
  terminated: boolean;
}

const GZIP_ADVICE = 'the file is compressed (gzip); decompress it first';

/**
 * The lines of a file, numbered from 1, without byte-order mark and carriage returns. Blank lines at the end are dropped,
 * blank lines elsewhere are kept so that a reader can refuse them.
 * Raises DATA_COMPRESSED, and DATA_BINARY for the first line with a control character or bytes that are not UTF-8.
 */
export function* numberedLines(input: DataInput): Generator<NumberedLine> {
  let blanks: NumberedLine[] = [];
  for (const raw of physicalLines(input)) {
    let text = raw.line === 1 && raw.text.charCodeAt(0) === 0xfeff ? raw.text.slice(1) : raw.text;
    if (raw.line === 1 && text.startsWith('\u001f')) throw new DataError('DATA_COMPRESSED', 1, GZIP_ADVICE);
    if (text.endsWith('\r')) text = text.slice(0, -1);
    refuseBinary(text, raw.line);
    const cleaned = { line: raw.line, text, terminated: raw.terminated };
    if (text.trim() === '') {
      blanks.push(cleaned);
      continue;
    }
    yield* blanks;
    blanks = [];
    yield cleaned;
  }
}

function* physicalLines(input: DataInput): Generator<NumberedLine> {
  if (typeof input !== 'string' && !(input instanceof Uint8Array)) {
    let line = 0;
    for (const text of input) yield { line: ++line, text, terminated: true };
    return;
  }
  if (typeof input !== 'string' && input[0] === 0x1f && input[1] === 0x8b) {
    throw new DataError('DATA_COMPRESSED', 1, GZIP_ADVICE);
  }
  const text = typeof input === 'string' ? input : new TextDecoder('utf-8').decode(input);
  let line = 0;
  for (let from = 0; from < text.length; ) {
    const end = text.indexOf('\n', from);
    const terminated = end >= 0;
    yield { line: ++line, text: text.slice(from, terminated ? end : text.length), terminated };
    from = terminated ? end + 1 : text.length;
  }
}

function refuseBinary(text: string, line: number): void {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if ((unit < 0x20 && unit !== 0x09) || unit === 0x7f || unit === 0xfffd) {
      throw new DataError(
        'DATA_BINARY',
        line,
        `character ${i + 1} is not text (code ${unit}); the file is binary or not UTF-8, save it as UTF-8 text`,
      );
    }
  }
}

/**
 * The fields of one CSV line. Quoted fields may hold the delimiter but not a line end: no format read here has any, and a
 * quote left open is what a cut file looks like. Raises DATA_BAD_QUOTING.
 */
export function splitFields(text: string, line: number, delimiter = ','): string[] {
  // Without a quote, RFC 4180 splitting is a plain split; only the rare quoted line pays for the full parser.
  if (!text.includes('"')) return text.split(delimiter).map((field) => field.trim());
  try {
    const records = parse(text, { delimiter, relax_column_count: true, trim: true }) as string[][];
    return records[0] ?? [];
  } catch {
    throw new DataError('DATA_BAD_QUOTING', line, 'a quoted field is not closed or is followed by more text');
  }
}
