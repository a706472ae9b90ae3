/** Files that were cut, shuffled or are no text: nothing of it may pass in silence, whatever the format. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as data from '../src/index.ts';
import { DataError, type DataInput } from '../src/index.ts';
import {
  acnFile,
  aggregateFile,
  caseFile,
  hourlyFile,
  neighbourhoodFile,
  priceFile,
  ratesFile,
  rawFile,
  shapesFile,
} from './synthetic-files.ts';

interface Format {
  name: string;
  text: string;
  read: (input: DataInput) => unknown;
  /** Data rows that make up the smallest part that is a valid file by itself; null when only the whole file is valid. */
  rowsPerUnit: number | null;
  headerLines: number;
}

const OWN: data.OwnCsvOptions = {
  layout: {
    kind: 'wide',
    homes: [{ id: '5', energy: { loadColumn: 'c5_load_kWh', pvColumn: 'c5_pv_kWh' } }],
  },
  timeColumn: 'hour_beginning_local',
  unit: 'kWh',
  zone: '+10:00',
  timeMeans: 'start',
};

const FORMATS: Format[] = [
  {
    name: 'raw',
    text: rawFile({ header: true }),
    read: (i) => data.importAusgridRaw(i),
    rowsPerUnit: 3,
    headerLines: 1,
  },
  { name: 'hourly', text: hourlyFile(), read: (i) => data.importAusgridHourly(i), rowsPerUnit: 24, headerLines: 1 },
  {
    name: 'aggregate',
    text: aggregateFile(),
    read: (i) => data.importAusgridAggregate(i),
    rowsPerUnit: 48,
    headerLines: 1,
  },
  {
    name: 'neighbourhood',
    text: neighbourhoodFile(),
    read: (i) => data.importAusgridNeighbourhood(i),
    rowsPerUnit: 48,
    headerLines: 1,
  },
  { name: 'prices', text: priceFile(), read: (i) => data.importOntarioPrices(i), rowsPerUnit: 24, headerLines: 1 },
  { name: 'sessions', text: acnFile(20), read: (i) => data.importAcnSessions(i), rowsPerUnit: 1, headerLines: 1 },
  { name: 'own CSV', text: hourlyFile(), read: (i) => data.importOwnCsv(i, OWN), rowsPerUnit: 1, headerLines: 1 },
  {
    name: 'shapes',
    text: shapesFile(8),
    read: (i) => data.importOpenDssLoadShapes(i, { day: '2013-01-15' }),
    rowsPerUnit: 1,
    headerLines: 0,
  },
  { name: 'rates', text: ratesFile(), read: (i) => data.importOebRates(i), rowsPerUnit: null, headerLines: 0 },
  { name: 'case', text: caseFile(), read: (i) => data.importMatpowerCase(i), rowsPerUnit: null, headerLines: 0 },
];

/** The DataError that reading raises, or null. Anything else that is raised fails the test. */
function refusalOf(read: () => unknown): DataError | null {
  try {
    read();
    return null;
  } catch (error) {
    if (error instanceof DataError) return error;
    throw error;
  }
}

describe.each(FORMATS)('$name', ({ text, read, rowsPerUnit, headerLines }) => {
  const lastLine = text.trimEnd().split('\n').length;

  it('reads its own synthetic file, as text, bytes or lines', () => {
    const expected = read(text);
    expect(read(new TextEncoder().encode(text))).toEqual(expected);
    expect(read(text.trimEnd().split('\n').values())).toEqual(expected);
  });

  it('cut anywhere: refused by line, or a shorter file of whole parts', () => {
    const whole = read(text);
    fc.assert(
      fc.property(fc.nat(text.length - 1), (length) => {
        const cut = text.slice(0, length);
        const refusal = refusalOf(() => read(cut));
        if (refusal !== null) {
          const line = cut.split('\n').length;
          expect(refusal.line).toBeLessThanOrEqual(line);
          // Only a file without any data row has no line to name.
          expect(refusal.line > 0 || refusal.code === 'DATA_EMPTY' || line <= headerLines + 1).toBe(true);
          return;
        }
        // What only closes the file (a line end, a bracket's semicolon) may be cut when nothing of the content is lost.
        if (rowsPerUnit === null || cut.trimEnd() === text.trimEnd()) {
          expect(read(cut)).toEqual(whole);
          return;
        }
        const rows = cut.split('\n').length - 1 - headerLines;
        expect(rows % rowsPerUnit).toBe(0);
        // A load shape ends with its bracket, so a missing line end loses nothing.
        if (!cut.endsWith(']')) expect(cut.endsWith('\n')).toBe(true);
        expect(read(cut)).not.toEqual(whole);
      }),
      { seed: 8, numRuns: 120 },
    );
  });

  it('rows in another order: refused by line, or the same content', () => {
    if (rowsPerUnit === null) {
      const reversed = text.split('\n').reverse().join('\n');
      expect(refusalOf(() => read(reversed))?.line).toBeGreaterThan(0);
      return;
    }
    const lines = text.trimEnd().split('\n');
    const rows = lines.slice(headerLines);
    const byId = (result: unknown) => {
      const { series } = result as { series?: data.HouseholdSeries };
      return series === undefined
        ? result
        : { ...series, homes: series.homes.toSorted((a, b) => (a.id < b.id ? -1 : 1)) };
    };
    const expected = byId(read(text));
    let refused = 0;
    fc.assert(
      fc.property(fc.shuffledSubarray(rows, { minLength: rows.length }), (shuffled) => {
        const refusal = refusalOf(() =>
          expect(byId(read([...lines.slice(0, headerLines), ...shuffled]))).toEqual(expected),
        );
        if (refusal === null) return;
        refused += 1;
        expect(refusal.line).toBeGreaterThan(headerLines);
      }),
      { seed: 9, numRuns: 25 },
    );
    // Load shapes are named and so may stand in any order; every other format depends on it.
    if (headerLines > 0) expect(refused).toBe(25);
  });

  it('a control character or a wrong byte: refused at its line', () => {
    const bytes = new TextEncoder().encode(text);
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.constantFrom(0, 1, 7, 27, 127, 0xff, 0xc0), (at, byte) => {
        const damaged = bytes.slice();
        if (damaged[at] === 10) return;
        damaged[at] = byte;
        const line = text.slice(0, at).split('\n').length;
        const refusal = refusalOf(() => read(damaged));
        expect(refusal?.code).toBe('DATA_BINARY');
        expect(refusal?.line).toBe(line);
      }),
      { seed: 10, numRuns: 60 },
    );
  });

  it('bytes at random: refused, never another failure', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(refusalOf(() => read(bytes))).toBeInstanceOf(DataError);
      }),
      { seed: 11, numRuns: 60 },
    );
  });

  it('one character changed: refused by line, or read, never another failure', () => {
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (at, character) => {
        const refusal = refusalOf(() => read(text.slice(0, at) + character + text.slice(at + 1)));
        if (refusal !== null) expect(refusal.line).toBeLessThanOrEqual(lastLine + 1);
      }),
      { seed: 12, numRuns: 120 },
    );
  });

  it('compressed: says so', () => {
    expect(refusalOf(() => read(Uint8Array.of(0x1f, 0x8b, 8, 0)))?.code).toBe('DATA_COMPRESSED');
    expect(refusalOf(() => read('\u001f\ufffd\b'))?.code).toBe('DATA_COMPRESSED');
  });
});
