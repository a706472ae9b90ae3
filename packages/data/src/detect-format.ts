import { type DataInput, numberedLines } from './lines.ts';

/** Formats that are recognised by their first lines. */
export type DataFormat =
  | 'ausgrid-raw'
  | 'ausgrid-hourly'
  | 'ausgrid-aggregate'
  | 'ausgrid-neighbourhood'
  | 'acn-sessions'
  | 'ontario-prices'
  | 'oeb-rates'
  | 'matpower-case'
  | 'opendss-load-shapes'
  | 'other-csv'
  | 'unknown';

/** The format that the first lines of a file (at most three are looked at) announce. */
export function detectFormat(head: readonly string[]): DataFormat {
  const [first = '', second = '', third = ''] = head.map((line) => line.replace(/\r$/, '').replace(/^\ufeff/, ''));
  if (/^customer,generator capacity,/i.test(first) || /^customer,generator capacity,/i.test(second))
    return 'ausgrid-raw';
  if (/^\d+,[\d.]+,\d+,(GC|CL|GG),/.test(first)) return 'ausgrid-raw';
  if (first.startsWith('hour_beginning_local,')) return 'ausgrid-hourly';
  if (first.startsWith('datetime,grossload_kWh,')) return 'ausgrid-aggregate';
  if (first === ',Column1') return 'ausgrid-neighbourhood';
  if (first.startsWith('arrival,departure,requested_energy')) return 'acn-sessions';
  if (first === 'date,hour,HOEP,TOU') return 'ontario-prices';
  if (/^\s*\{/.test(first)) return 'oeb-rates';
  if (/^function\s+mpc\s*=/.test(first)) return 'matpower-case';
  if (/^New\s+Loadshape\./i.test(first)) return 'opendss-load-shapes';
  const delimiter = delimiterOf(first);
  const sameWidth = [second, third].every(
    (line) => line === '' || line.split(delimiter).length === first.split(delimiter).length,
  );
  return first.includes(delimiter) && second !== '' && sameWidth ? 'other-csv' : 'unknown';
}

/** A file whose first lines have been looked at and whose lines are counted while they are read. */
export class CountedInput {
  readonly head: string[] = [];
  readonly input: DataInput;
  #lines = 0;

  constructor(input: DataInput) {
    if (typeof input === 'string' || input instanceof Uint8Array) {
      this.input = input;
      for (const { line, text } of numberedLines(input)) {
        if (line <= 3) this.head.push(text);
        this.#lines = line;
      }
      return;
    }
    const iterator = input[Symbol.iterator]();
    const ahead: string[] = [];
    for (let next = iterator.next(); !next.done; next = iterator.next()) {
      ahead.push(next.value);
      if (ahead.length === 3) break;
    }
    for (const { text } of numberedLines(ahead)) this.head.push(text);
    const count = () => {
      this.#lines += 1;
    };
    this.input = (function* () {
      for (const text of ahead) {
        count();
        yield text;
      }
      for (let next = iterator.next(); !next.done; next = iterator.next()) {
        count();
        yield next.value;
      }
    })();
  }

  get count(): number {
    return this.#lines;
  }
}

/** The delimiter that splits a line into most fields. */
export function delimiterOf(line: string): string {
  const counts = [',', ';', '\t'].map((delimiter) => line.split(delimiter).length);
  return [',', ';', '\t'][counts.indexOf(Math.max(...counts))] ?? ',';
}
