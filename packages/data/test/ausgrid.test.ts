import { describe, expect, it } from 'vitest';
import { formatMinute } from '../src/civil-time.ts';
import {
  importAusgridAggregate,
  importAusgridHourly,
  importAusgridNeighbourhood,
  importAusgridRaw,
  selectDay,
  slotWallMinute,
  toElapsed,
  totalWh,
} from '../src/index.ts';
import {
  aggregateFile,
  hourlyFile,
  inventedWh,
  kwh,
  neighbourhoodFile,
  RAW_HEADER,
  rawFile,
} from './synthetic-files.ts';

const codes = (warnings: { code: string }[]) => warnings.map((warning) => warning.code);
const refusal = (code: string, line: number) => expect.objectContaining({ code, line });

/** Replaces one field of one line (both from 1). */
function edit(text: string, line: number, change: (fields: string[]) => string[]): string {
  const lines = text.split('\n');
  lines[line - 1] = change((lines[line - 1] ?? '').split(',')).join(',');
  return lines.join('\n');
}
const setField = (text: string, line: number, field: number, value: string) =>
  edit(text, line, (fields) => fields.map((old, i) => (i === field - 1 ? value : old)));

describe('raw rows', () => {
  it('reads GC and CL as load, GG as production, half hours in order', () => {
    const { series, rows } = importAusgridRaw(rawFile());
    expect(rows).toBe(18);
    expect([series.slotMinutes, series.slotCount, series.axis, series.measured]).toEqual([
      30,
      144,
      'wallClock',
      'gross',
    ]);
    expect(series.homes.map((home) => [home.id, home.capacityW, home.postcode])).toEqual([
      ['5', 3780, '2076'],
      ['13', 3780, '2076'],
    ]);
    // Rows 9 to 17 are customer 13's: CL, GC, GG of three days.
    for (const [slot, row] of [
      [0, 9],
      [47, 9],
      [48 + 10, 12],
    ] as const) {
      expect(series.homes[1]?.loadWh[slot]).toBe(inventedWh(row, slot % 48) + inventedWh(row + 1, slot % 48));
      expect(series.homes[1]?.pvWh[slot]).toBe(inventedWh(row + 2, slot % 48));
    }
    const general = importAusgridRaw(rawFile(), { includeControlledLoad: false }).series;
    expect(general.homes[1]?.loadWh[0]).toBe(inventedWh(10, 0));
  });

  it("trap 1: 0:00 is the end of the row's own day", () => {
    const peak = rawFile({ customers: [5], dayCount: 2 }, (row, slot) => (row === 1 && slot === 47 ? 777 : 0));
    const { series } = importAusgridRaw(peak);
    expect(formatMinute(slotWallMinute(series, 0))).toBe('2010-07-01 00:00');
    expect(series.homes[0]?.loadWh[47]).toBe(777);
    expect(totalWh(selectDay(series, '2010-07-01').homes[0]?.loadWh ?? new Int32Array())).toBe(777);
    expect(totalWh(selectDay(series, '2010-07-02').homes[0]?.loadWh ?? new Int32Array())).toBe(0);
  });

  it('trap 1: both ways of writing dates, with and without note line and header, give the same', () => {
    const reference = importAusgridRaw(rawFile({ firstDay: '2012-07-01' })).series;
    for (const dates of ['month name', 'slashes'] as const) {
      for (const shape of [{ header: true }, { note: true }, { header: false }]) {
        const text = rawFile({ firstDay: '2012-07-01', dates, ...shape });
        expect(importAusgridRaw(text).series).toEqual(reference);
        expect(importAusgridRaw(text.replaceAll('\n', '\r\n')).series).toEqual(reference);
        expect(importAusgridRaw(new TextEncoder().encode(`\ufeff${text}`)).series).toEqual(reference);
        expect(importAusgridRaw(text.trimEnd().split('\n')).series).toEqual(reference);
      }
    }
  });

  it('trap 1: day and month are not swapped', () => {
    const { series } = importAusgridRaw(rawFile({ firstDay: '2012-03-11', dates: 'slashes' }));
    expect(formatMinute(slotWallMinute(series, 0))).toBe('2012-03-11 00:00');
    const american = setField(rawFile({ firstDay: '2012-07-13', dates: 'slashes' }), 1, 5, '7/13/2012');
    expect(() => importAusgridRaw(american)).toThrow(refusal('DATA_BAD_DATE', 1));
  });

  it('trap 1: clock changes are noted on the right half hours', () => {
    const empty = (row: number, slot: number) =>
      row < 3 && (slot === 4 || slot === 5) ? 0 : inventedWh(row, slot) + 1;
    const spring = importAusgridRaw(
      rawFile({ firstDay: '2012-10-07', dayCount: 2 }, (row, slot) => empty(row % 6, slot)),
    );
    expect(spring.series.notes).toEqual([{ kind: 'clockForward', homeId: null, firstSlot: 4, slotCount: 2 }]);
    expect(codes(spring.warnings)).toContain('DATA_CLOCK_FORWARD');
    const autumn = importAusgridRaw(rawFile({ firstDay: '2013-04-07', dayCount: 2 }));
    expect(autumn.series.notes).toEqual([{ kind: 'clockBack', homeId: null, firstSlot: 4, slotCount: 2 }]);
    expect(codes(autumn.warnings)).toContain('DATA_CLOCK_BACK');
    const standard = importAusgridRaw(rawFile({ firstDay: '2012-10-07', dayCount: 2 }), { zone: '+10:00' });
    expect(standard.series.notes).toEqual([]);
  });

  it('trap 1: a blank row quality says nothing, another is counted', () => {
    expect(codes(importAusgridRaw(rawFile()).warnings)).not.toContain('DATA_ROW_QUALITY');
    const marked = setField(setField(rawFile(), 2, 54, 'NA'), 7, 54, 'NA');
    expect(importAusgridRaw(marked).warnings).toContainEqual(
      expect.objectContaining({ code: 'DATA_ROW_QUALITY', line: 2, count: 2 }),
    );
  });

  it('trap 2: kW read as kWh look suspicious, and so does production beyond the system', () => {
    const doubled = importAusgridRaw(rawFile({ categories: ['GC'] }, () => 800));
    expect(doubled.warnings).toContainEqual(
      expect.objectContaining({ code: 'DATA_SUSPECT_UNIT', message: expect.stringContaining('0.800 kWh per 30 min') }),
    );
    expect(codes(importAusgridRaw(rawFile({ categories: ['GC'] }, () => 400)).warnings)).not.toContain(
      'DATA_SUSPECT_UNIT',
    );
    const strong = importAusgridRaw(rawFile({}, (row, slot) => (row % 3 === 2 && slot === 24 ? 3000 : 0)));
    expect(strong.warnings).toContainEqual(
      expect.objectContaining({ code: 'DATA_SUSPECT_UNIT', message: expect.stringContaining('more than its 3780 W') }),
    );
  });

  it('a home without CL or GG rows is complete; one that lacks them on a day is not', () => {
    expect(importAusgridRaw(rawFile({ categories: ['GC'] })).series.homes).toHaveLength(2);
    const lines = rawFile({ customers: [5] })
      .trimEnd()
      .split('\n');
    const withoutOne = [...lines.slice(0, 5), ...lines.slice(6)];
    expect(() => importAusgridRaw(withoutOne)).toThrow(refusal('DATA_GAP', 8));
    const tolerant = importAusgridRaw(withoutOne, { mode: 'tolerant' });
    expect(tolerant.series.notes).toEqual([{ kind: 'missing', homeId: '5', firstSlot: 48, slotCount: 48 }]);
    expect(tolerant.refusedCount).toBe(1);
    expect(totalWh(tolerant.series.homes[0]?.loadWh.slice(48, 96) ?? new Int32Array())).toBe(0);
  });

  it.each([
    ['a row cut short', (t: string) => edit(t, 4, (f) => f.slice(0, 30)), 'DATA_COLUMN_COUNT', 4],
    ['a 55th column', (t: string) => edit(t, 4, (f) => [...f, '']), 'DATA_COLUMN_COUNT', 4],
    ['an unknown category', (t: string) => setField(t, 5, 4, 'XX'), 'DATA_BAD_CATEGORY', 5],
    ['a customer that is no number', (t: string) => setField(t, 5, 1, 'five'), 'DATA_BAD_ID', 5],
    ['an empty value', (t: string) => setField(t, 6, 20, ''), 'DATA_BAD_NUMBER', 6],
    ['a negative value', (t: string) => setField(t, 6, 20, '-0.1'), 'DATA_NEGATIVE_ENERGY', 6],
    ['a date of another style', (t: string) => setField(t, 7, 5, '3/07/2010'), 'DATA_BAD_DATE', 7],
    ['a date that does not exist', (t: string) => setField(t, 7, 5, '31-Jun-10'), 'DATA_BAD_DATE', 7],
    ['a month that does not exist', (t: string) => setField(t, 7, 5, '3-Jux-10'), 'DATA_BAD_DATE', 7],
    ['the same row twice', (t: string) => setField(t, 4, 5, '1-Jul-10'), 'DATA_DUPLICATE', 4],
    ['a customer that returns', (t: string) => setField(t, 18, 1, '5'), 'DATA_OUT_OF_ORDER', 18],
    ['a day back', (t: string) => setField(t, 4, 5, '30-Jun-10'), 'DATA_OUT_OF_ORDER', 4],
    ['a day far off', (t: string) => setField(t, 4, 5, '1-Jul-13'), 'DATA_GAP', 4],
    ['another capacity', (t: string) => setField(t, 8, 2, '4.5'), 'DATA_INCONSISTENT', 8],
    ['an open quote', (t: string) => setField(t, 8, 54, '"NA'), 'DATA_BAD_QUOTING', 8],
  ])('refuses %s', (_, damage, code, line) => {
    const text = damage(rawFile());
    expect(() => importAusgridRaw(text)).toThrow(refusal(code, line));
    const tolerant = importAusgridRaw(text, { mode: 'tolerant' });
    expect(tolerant.refused).toContainEqual(refusal(code, line));
    expect(tolerant.rows).toBe(17);
  });

  it('accepts quoted fields and refuses a header of another order or a note without header', () => {
    expect(importAusgridRaw(setField(rawFile(), 8, 54, '"NA, see notes"')).rows).toBe(18);
    const swapped = RAW_HEADER.replace('0:30,1:00', '1:00,0:30');
    expect(() => importAusgridRaw(`${swapped}\n${rawFile()}`)).toThrow(refusal('DATA_HEADER_MISMATCH', 1));
    expect(() => importAusgridRaw(`Some note\n${rawFile()}`)).toThrow(refusal('DATA_HEADER_MISMATCH', 1));
    expect(() => importAusgridRaw('Some note\n')).toThrow(refusal('DATA_UNKNOWN_FORMAT', 1));
  });

  it('customers that cover different days are refused', () => {
    const uneven = `${rawFile({ customers: [5], dayCount: 3 })}${rawFile({ customers: [13], dayCount: 2 })}`;
    expect(() => importAusgridRaw(uneven)).toThrow(refusal('DATA_TRUNCATED', 15));
    const other = `${rawFile({ customers: [5], dayCount: 2 })}${rawFile({ customers: [13], dayCount: 3 })}`;
    expect(() => importAusgridRaw(other)).toThrow(refusal('DATA_GAP', 6));
  });
});

describe('hourly table of homes', () => {
  it('reads every home and hour', () => {
    const { series, rows, warnings } = importAusgridHourly(hourlyFile());
    expect([rows, series.slotCount, series.slotMinutes]).toEqual([48, 48, 60]);
    expect(series.homes.map((home) => home.id)).toEqual(['5', '13']);
    expect(series.homes[1]?.pvWh[30]).toBe(inventedWh(30, 3));
    expect(series.homes[0]?.loadWh[47]).toBe(inventedWh(47, 0));
    expect(warnings).toEqual([expect.objectContaining({ code: 'DATA_NO_POSITIONS', count: 2 })]);
  });

  it('trap 0: the hour filled with zeros is noted, and gone on the elapsed axis', () => {
    const text = hourlyFile({ firstDay: '2012-10-06', dayCount: 3 }, (hour, column) =>
      hour === 26 ? 0 : inventedWh(hour, column),
    );
    const { series, warnings } = importAusgridHourly(text);
    expect(series.notes).toEqual([{ kind: 'clockForward', homeId: null, firstSlot: 26, slotCount: 1 }]);
    expect(warnings).toContainEqual(
      expect.objectContaining({ code: 'DATA_CLOCK_FORWARD', message: expect.stringContaining('2012-10-07 02:00') }),
    );
    const elapsed = toElapsed(series);
    expect(elapsed.slotCount).toBe(71);
    expect(selectDay(elapsed, '2012-10-07').slotCount).toBe(23);
    expect(selectDay(series, '2012-10-07').slotCount).toBe(24);
    expect(selectDay(series, '2012-10-07').notes).toEqual([
      { kind: 'clockForward', homeId: null, firstSlot: 2, slotCount: 1 },
    ]);
    series.homes.forEach((home, i) => {
      expect(totalWh(elapsed.homes[i]?.loadWh ?? new Int32Array())).toBe(totalWh(home.loadWh));
      expect(elapsed.homes[i]?.loadWh[26]).toBe(home.loadWh[27]);
    });
    expect(formatMinute(slotWallMinute(elapsed, 25))).toBe('2012-10-07 01:00');
    expect(formatMinute(slotWallMinute(elapsed, 26))).toBe('2012-10-07 03:00');
  });

  it('trap 0: the hour that holds two is noted, and split on the elapsed axis', () => {
    const text = hourlyFile({ firstDay: '2013-04-06', dayCount: 3 }, (hour, column) =>
      hour === 26 ? 1501 : inventedWh(hour, column),
    );
    const { series, warnings } = importAusgridHourly(text);
    expect(codes(warnings)).toContain('DATA_CLOCK_BACK');
    const elapsed = toElapsed(series);
    expect(elapsed.slotCount).toBe(73);
    expect(elapsed.homes[0]?.loadWh.slice(25, 29)).toEqual(
      Int32Array.of(inventedWh(25, 0), 750, 751, inventedWh(27, 0)),
    );
    expect(selectDay(elapsed, '2013-04-07').slotCount).toBe(25);
    expect(toElapsed(elapsed)).toBe(elapsed);
  });

  it('energy in the skipped hour is doubted, and cannot be put on the elapsed axis', () => {
    const { series, warnings } = importAusgridHourly(hourlyFile({ firstDay: '2012-10-07' }, () => 400));
    expect(codes(warnings)).toContain('DATA_CLOCK_SUSPECT');
    expect(() => toElapsed(series)).toThrow(expect.objectContaining({ code: 'DATA_INCONSISTENT' }));
  });

  it('trap 2: a home with 0.8 kWh per half hour, here 1.6 an hour, is doubted', () => {
    expect(codes(importAusgridHourly(hourlyFile({}, () => 1600)).warnings)).toContain('DATA_SUSPECT_UNIT');
    expect(codes(importAusgridHourly(hourlyFile({}, () => 1400)).warnings)).not.toContain('DATA_SUSPECT_UNIT');
  });

  it('a gap is refused, or noted in tolerant mode, and so is a file that begins or ends within a day', () => {
    const lines = hourlyFile().trimEnd().split('\n');
    expect(() => importAusgridHourly([...lines.slice(0, 10), ...lines.slice(12)])).toThrow(refusal('DATA_GAP', 11));
    const { series } = importAusgridHourly([...lines.slice(0, 10), ...lines.slice(12)], { mode: 'tolerant' });
    expect(series.notes).toEqual([{ kind: 'missing', homeId: null, firstSlot: 9, slotCount: 2 }]);
    expect(series.homes[0]?.loadWh[11]).toBe(inventedWh(11, 0));
    expect(() => importAusgridHourly(lines.slice(0, -1))).toThrow(refusal('DATA_TRUNCATED', 48));
    const beheaded = [lines[0] ?? '', ...lines.slice(4)];
    expect(() => importAusgridHourly(beheaded)).toThrow(refusal('DATA_TRUNCATED', 2));
    const tolerant = importAusgridHourly(beheaded, { mode: 'tolerant' });
    expect(tolerant.series.notes).toEqual([{ kind: 'missing', homeId: null, firstSlot: 0, slotCount: 3 }]);
    expect(tolerant.series.homes[0]?.loadWh[3]).toBe(inventedWh(3, 0));
  });

  it('a day that comes after the days it precedes is out of order, in both modes', () => {
    const [header = '', ...rows] = hourlyFile().trimEnd().split('\n');
    const turned = [header, ...rows.slice(24), ...rows.slice(0, 24)];
    expect(() => importAusgridHourly(turned)).toThrow(refusal('DATA_OUT_OF_ORDER', 26));
    const { series, refused, refusedCount } = importAusgridHourly(turned, { mode: 'tolerant' });
    expect([refusedCount, refused[0]?.code, series.slotCount]).toEqual([24, 'DATA_OUT_OF_ORDER', 24]);
    expect(series.homes[0]?.loadWh[0]).toBe(inventedWh(24, 0));
  });

  it('a last line without a line end may be cut: refused unless allowed', () => {
    const text = hourlyFile().trimEnd();
    expect(() => importAusgridHourly(text)).toThrow(refusal('DATA_TRUNCATED', 49));
    expect(importAusgridHourly(text, { finalLineEnd: 'optional' }).rows).toBe(48);
  });

  it.each([
    ['a header without pairs', (t: string) => t.replace('c5_pv_kWh', 'c6_pv_kWh'), 'DATA_HEADER_MISMATCH', 1],
    ['a home twice', (t: string) => t.replaceAll('c13_', 'c5_'), 'DATA_HEADER_MISMATCH', 1],
    ['a blank line within', (t: string) => edit(t, 5, () => ['']), 'DATA_COLUMN_COUNT', 5],
    ['a time off the hour', (t: string) => setField(t, 6, 1, '2012-07-01 04:30:00'), 'DATA_BAD_DATE', 6],
    ['a time with an offset', (t: string) => setField(t, 6, 1, '2012-07-01 04:00:00Z'), 'DATA_BAD_DATE', 6],
    ['a negative load', (t: string) => setField(t, 6, 2, '-1'), 'DATA_NEGATIVE_ENERGY', 6],
  ])('refuses %s', (_, damage, code, line) => {
    expect(() => importAusgridHourly(damage(hourlyFile()))).toThrow(refusal(code, line));
  });

  it('selectDay refuses a day that is not wholly there', () => {
    const { series } = importAusgridHourly(hourlyFile());
    expect(selectDay(series, '2012-07-02').homes[0]?.loadWh[0]).toBe(inventedWh(24, 0));
    for (const day of ['2012-06-30', '2012-07-03']) {
      expect(() => selectDay(series, day)).toThrow(
        expect.objectContaining({ code: 'DATA_DAY_NOT_COVERED', message: expect.stringContaining('2012-07-01 00:00') }),
      );
    }
  });
});

describe('sum of homes', () => {
  it('trap 1: the label 00:00 stands first and is the last half hour of its day', () => {
    const { series } = importAusgridAggregate(aggregateFile());
    expect(series.slotCount).toBe(96);
    const load = series.homes[0]?.loadWh ?? new Int32Array();
    expect(load[47]).toBe(inventedWh(0, 0));
    expect(load[0]).toBe(inventedWh(1, 0));
    expect(load[46]).toBe(inventedWh(47, 0));
    expect(load[95]).toBe(inventedWh(48, 0));
  });

  it('trap 2: the last column is kW; a row whose columns do not fit together is refused', () => {
    expect(importAusgridAggregate(aggregateFile({}, () => 900_000 / 5)).warnings.map((w) => w.code)).toEqual([
      'DATA_NO_POSITIONS',
    ]);
    expect(codes(importAusgridAggregate(aggregateFile({}, () => 300 * 800)).warnings)).toContain('DATA_SUSPECT_UNIT');
    const wrongKw = setField(aggregateFile(), 3, 5, kwh(inventedWh(1, 0) - inventedWh(1, 1)));
    expect(() => importAusgridAggregate(wrongKw)).toThrow(refusal('DATA_INCONSISTENT', 3));
    const wrongNet = setField(aggregateFile(), 4, 4, '0.5');
    expect(() => importAusgridAggregate(wrongNet)).toThrow(refusal('DATA_INCONSISTENT', 4));
    expect(() => importAusgridAggregate(setField(aggregateFile(), 4, 2, '-0.5'))).toThrow(
      refusal('DATA_NEGATIVE_ENERGY', 4),
    );
  });

  it('tolerant mode keeps the rows of a file that begins within a day at their half hours', () => {
    const lines = aggregateFile().trimEnd().split('\n');
    const { series } = importAusgridAggregate([lines[0] ?? '', ...lines.slice(3)], { mode: 'tolerant' });
    expect(series.homes[0]?.loadWh[1]).toBe(inventedWh(2, 0));
    expect(series.homes[0]?.loadWh[95]).toBe(inventedWh(48, 0));
    expect(series.notes).toEqual([
      { kind: 'missing', homeId: null, firstSlot: 0, slotCount: 1 },
      { kind: 'missing', homeId: null, firstSlot: 47, slotCount: 1 },
    ]);
  });
});

describe('net sum of a neighbourhood', () => {
  it('has true interval ends, export positive, and says that only the balance is known', () => {
    const { series, warnings } = importAusgridNeighbourhood(neighbourhoodFile());
    expect(series.measured).toBe('net');
    expect(codes(warnings)).toContain('DATA_NET_ONLY');
    expect(formatMinute(slotWallMinute(series, 0))).toBe('2012-07-01 00:00');
    for (const slot of [0, 1, 47, 95]) {
      const net = inventedWh(slot, 0) - 450;
      expect([series.homes[0]?.pvWh[slot], series.homes[0]?.loadWh[slot]]).toEqual([
        Math.max(net, 0),
        Math.max(-net, 0),
      ]);
    }
  });
});
