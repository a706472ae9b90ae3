import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describe as describeFile } from '../src/index.ts';
import {
  acnFile,
  aggregateFile,
  caseFile,
  hourlyFile,
  inventedWh,
  neighbourhoodFile,
  priceFile,
  ratesFile,
  rawFile,
  shapesFile,
} from './synthetic-files.ts';

const sum = (count: number, of: (i: number) => number) =>
  Array.from({ length: count }, (_, i) => of(i)).reduce((a, b) => a + b, 0);

describe('describe', () => {
  it.each([
    ['ausgrid-raw', rawFile(), 18, 18],
    ['ausgrid-raw', rawFile({ header: true }), 19, 18],
    ['ausgrid-raw', rawFile({ note: true }), 20, 18],
    ['ausgrid-hourly', hourlyFile(), 49, 48],
    ['ausgrid-aggregate', aggregateFile(), 97, 96],
    ['ausgrid-neighbourhood', neighbourhoodFile(), 97, 96],
    ['acn-sessions', acnFile(), 7, 6],
    ['ontario-prices', priceFile(), 73, 72],
    ['oeb-rates', ratesFile(), ratesFile().split('\n').length - 1, 2],
    ['matpower-case', caseFile(), 16, 5],
    ['opendss-load-shapes', shapesFile(), 3, 3],
    ['other-csv', 'a;b\n1;2\n3;4\n', 3, 2],
  ] as const)('recognises %s', (format, text, lineCount, rows) => {
    const expected = { format, lines: lineCount, rows, error: null, refusedCount: 0 };
    expect(describeFile(text)).toMatchObject(expected);
    expect(describeFile(new TextEncoder().encode(text))).toEqual(describeFile(text));
    expect(describeFile(text.trimEnd().split('\n').values())).toEqual(describeFile(text));
  });

  it('tells homes, span, step, totals, clock changes', () => {
    const wh = (hour: number, column: number) => (hour === 26 ? 0 : inventedWh(hour, column));
    const file = describeFile(hourlyFile({ firstDay: '2012-10-06', dayCount: 3 }, wh));
    expect(file).toMatchObject({
      unit: 'kWh per hour',
      zone: 'Australia/Sydney',
      axis: 'wallClock',
      from: '2012-10-06 00:00',
      to: '2012-10-09 00:00',
      slotMinutes: 60,
      slotCount: 72,
      gaps: [],
      clockChanges: [{ from: '2012-10-07 02:00', kind: 'clockForward', slotCount: 1 }],
    });
    const loadWh = sum(72, (hour) => wh(hour, 0));
    expect(file.homes[0]).toMatchObject({
      id: '5',
      loadWh,
      pvWh: sum(72, (hour) => wh(hour, 1)),
      meanLoadW: Math.round(loadWh / 72),
    });
    expect(file.homes[0]?.peakLoadWh).toBe(Math.max(...Array.from({ length: 72 }, (_, hour) => wh(hour, 0))));
  });

  it('states mean power in W at every interval length', () => {
    expect(describeFile(rawFile({ categories: ['GC'] }, () => 250)).homes[0]?.meanLoadW).toBe(500);
    expect(describeFile(shapesFile(1, () => 0.4)).homes[0]?.meanLoadW).toBe(400);
  });

  it('lists refused rows, gaps and suspicious values instead of stopping', () => {
    const lines = hourlyFile({}, () => 1700)
      .trimEnd()
      .split('\n');
    lines[9] = 'nonsense';
    const file = describeFile(lines);
    expect(file.refused).toEqual([expect.objectContaining({ code: 'DATA_COLUMN_COUNT', line: 10 })]);
    expect(file.gaps).toEqual([{ from: '2012-07-01 08:00', slotCount: 1, homeId: null }]);
    expect(file.warnings).toContainEqual(expect.objectContaining({ code: 'DATA_SUSPECT_UNIT', count: 2 }));
  });

  it('tells prices and sessions in words', () => {
    expect(describeFile(priceFile({}, (hour) => hour - 2)).facts).toEqual([
      '2 hours have a negative price',
      'the TOU column is zero throughout: not usable',
    ]);
    expect(describeFile(acnFile(4, (i) => (i === 2 ? 30 : 1))).facts).toEqual([
      '4 sessions at 3 stations',
      '20750 Wh delivered',
      '1 stays exceed 24 h',
    ]);
    expect(describeFile(acnFile(4)).from).toBe('2019-05-01 14:00');
  });

  it('summarises the columns of an unknown table', () => {
    const file = describeFile('when,home,kW,empty\n2013-01-01 00:00,a,1.5,\n2013-01-01 01:00,b,-0.5,\n"x\n2013,1\n');
    expect(file.columns).toEqual([
      { name: 'when', content: 'time', least: null, most: null, mean: null, example: '2013-01-01 00:00' },
      { name: 'home', content: 'text', least: null, most: null, mean: null, example: 'a' },
      { name: 'kW', content: 'number', least: -0.5, most: 1.5, mean: 0.5, example: '1.5' },
      { name: 'empty', content: 'empty', least: null, most: null, mean: null, example: '' },
    ]);
    expect(file.refused.map((row) => [row.code, row.line])).toEqual([
      ['DATA_BAD_QUOTING', 4],
      ['DATA_COLUMN_COUNT', 5],
    ]);
  });

  it('tells in `error` what cannot be read, and never raises', () => {
    expect(describeFile('just some words\n')).toMatchObject({
      format: 'unknown',
      error: { code: 'DATA_UNKNOWN_FORMAT', line: 1 },
    });
    expect(describeFile('')).toMatchObject({ format: 'unknown', error: { code: 'DATA_UNKNOWN_FORMAT' } });
    expect(describeFile(Uint8Array.of(0x1f, 0x8b, 0))).toMatchObject({ error: { code: 'DATA_COMPRESSED' } });
    expect(describeFile('a,b\n1,\u0000\n')).toMatchObject({ error: { code: 'DATA_BINARY', line: 2 } });
    fc.assert(
      fc.property(
        fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.string(), fc.array(fc.string({ maxLength: 20 }))),
        (input) => {
          const { error, rows, format } = describeFile(input);
          expect(error !== null || rows > 0 || format === 'other-csv').toBe(true);
        },
      ),
      { seed: 13, numRuns: 300 },
    );
  });
});
