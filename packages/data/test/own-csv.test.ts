import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatMinute } from '../src/civil-time.ts';
import {
  importOwnCsv,
  type OwnCsvOptions,
  selectDay,
  slotWallMinute,
  totalWh,
  withDrawnPositions,
} from '../src/index.ts';
import { timeZone } from '../src/time-zone.ts';

const refusal = (code: string, line: number) => expect.objectContaining({ code, line });
const codes = (warnings: { code: string }[]) => warnings.map((warning) => warning.code);

const LONG: OwnCsvOptions = {
  layout: { kind: 'long', homeColumn: 'home', energy: { loadColumn: 'load', pvColumn: 'pv' } },
  timeColumn: 'time',
  unit: 'kWh',
  zone: 'UTC',
  timeMeans: 'start',
};
const WIDE: OwnCsvOptions = {
  ...LONG,
  layout: { kind: 'wide', homes: [{ id: 'a', energy: { loadColumn: 'load', pvColumn: 'pv' } }] },
};

/** Rows `time,load,pv` of one home with load 0.001, 0.002, ... kWh. */
const wide = (...times: string[]) => `time,load,pv\n${times.map((t, i) => `${t},0.00${i + 1},0\n`).join('')}`;
const starts = (text: string, options: OwnCsvOptions) => {
  const { series } = importOwnCsv(text, options);
  return Array.from({ length: series.slotCount }, (_, slot) =>
    formatMinute(series.startMinute + slot * series.slotMinutes),
  );
};

describe('round trip', () => {
  /** What a household writes down: its slots in some zone, unit, layout and label convention. */
  const file = fc.record({
    zone: fc.constantFrom('UTC', '-05:00', 'America/Toronto', 'Australia/Sydney'),
    startDay: fc.integer({ min: 15_000, max: 17_000 }),
    slotMinutes: fc.constantFrom(15, 30, 60),
    unit: fc.constantFrom('kWh', 'Wh', 'kW', 'W'),
    timeMeans: fc.constantFrom('start', 'end'),
    layout: fc.constantFrom('long by home', 'long by time', 'wide', 'net'),
    offsets: fc.boolean(),
    delimiter: fc.constantFrom(',', ';', '\t'),
    lineEnd: fc.constantFrom('\n', '\r\n'),
    values: fc.array(fc.tuple(fc.nat(9_999_999), fc.nat(9_999_999), fc.nat(99_999), fc.nat(99_999)), {
      minLength: 2,
      maxLength: 60,
    }),
  });

  it('what was written is read back to the Wh, through clock changes, in every unit and layout', () => {
    fc.assert(
      fc.property(file, (spec) => {
        const zone = timeZone(spec.zone);
        // Begin on a day that may hold a clock change: the hours around it are the interesting ones.
        const startMinute = spec.startDay * 1440;
        const stamp = (slot: number) => {
          const utc = startMinute + (slot + (spec.timeMeans === 'end' ? 1 : 0)) * spec.slotMinutes;
          const offset = zone.offsetAt(utc);
          const wall = formatMinute(utc + offset).replace(' ', 'T');
          const sign = offset < 0 ? '-' : '+';
          const [h, m] = [Math.floor(Math.abs(offset) / 60), Math.abs(offset) % 60].map((v) =>
            String(v).padStart(2, '0'),
          );
          return spec.offsets ? `${wall}:00${sign}${h}:${m}` : wall;
        };
        const energy = (wh: number) => {
          const perHour = (wh * 60) / spec.slotMinutes;
          return { kWh: `${wh / 1000}`, Wh: `${wh}`, kW: `${perHour / 1000}`, W: `${perHour}` }[spec.unit];
        };
        const cell = ([load, pv]: readonly [number, number]) =>
          spec.layout === 'net' ? [energy(pv - load)] : [energy(load), energy(pv)];
        const rows: (string | undefined)[][] = [];
        if (spec.layout === 'wide') {
          rows.push(['time', 'load a', 'pv a', 'load b', 'pv b']);
          for (const [slot, [a, b, c, d]] of spec.values.entries())
            rows.push([stamp(slot), ...cell([a, b]), ...cell([c, d])]);
        } else {
          rows.push(spec.layout === 'net' ? ['home', 'time', 'net'] : ['home', 'time', 'load', 'pv']);
          const first = spec.values.map(([a, b], slot) => ['a', stamp(slot), ...cell([a, b])]);
          const second = spec.values.map(([, , c, d], slot) => ['b', stamp(slot), ...cell([c, d])]);
          if (spec.layout === 'long by home') rows.push(...first, ...second);
          else for (const [i, row] of first.entries()) rows.push(row, second[i] ?? []);
        }
        const text = rows.map((row) => row.join(spec.delimiter) + spec.lineEnd).join('');
        const homes = ['a', 'b'].map((id) => ({ id, energy: { loadColumn: `load ${id}`, pvColumn: `pv ${id}` } }));
        const long = {
          kind: 'long' as const,
          homeColumn: 'home',
          energy: spec.layout === 'net' ? { netColumn: 'net' } : { loadColumn: 'load', pvColumn: 'pv' },
        };
        const { series } = importOwnCsv(text, {
          layout: spec.layout === 'wide' ? { kind: 'wide', homes } : long,
          timeColumn: 'time',
          unit: spec.unit as 'kWh',
          zone: spec.zone,
          timeMeans: spec.timeMeans as 'start',
          delimiter: spec.delimiter as ',',
        });
        expect(series.startMinute).toBe(startMinute);
        expect([series.slotCount, series.slotMinutes]).toEqual([spec.values.length, spec.slotMinutes]);
        const net = (load: number, pv: number) =>
          spec.layout === 'net' ? [Math.max(load - pv, 0), Math.max(pv - load, 0)] : [load, pv];
        spec.values.forEach(([a, b, c, d], slot) => {
          expect([series.homes[0]?.loadWh[slot], series.homes[0]?.pvWh[slot]]).toEqual(net(a, b));
          expect([series.homes[1]?.loadWh[slot], series.homes[1]?.pvWh[slot]]).toEqual(net(c, d));
        });
      }),
      { seed: 7, numRuns: 150 },
    );
  });
});

describe('time', () => {
  it('tells a repeated local hour apart by order and puts the day at 25 hours', () => {
    const hours = ['00', '01', '01', '02', '03'].map((h) => `2016-11-06 ${h}:00`);
    const { series } = importOwnCsv(wide(...hours), { ...WIDE, zone: 'America/Toronto' });
    expect(starts(wide(...hours), { ...WIDE, zone: 'America/Toronto' })).toEqual([
      '2016-11-06 04:00',
      '2016-11-06 05:00',
      '2016-11-06 06:00',
      '2016-11-06 07:00',
      '2016-11-06 08:00',
    ]);
    expect(formatMinute(slotWallMinute(series, 2))).toBe('2016-11-06 01:00');
    const whole = Array.from({ length: 25 }, (_, i) => `2016-11-06 ${String(i < 2 ? i : i - 1).padStart(2, '0')}:00`);
    const day = importOwnCsv(`time,load,pv\n${whole.map((t) => `${t},0.01,0\n`).join('')}`, {
      ...WIDE,
      zone: 'America/Toronto',
    });
    expect(selectDay(day.series, '2016-11-06').slotCount).toBe(25);
  });

  it('goes over a skipped hour without a gap, and refuses a time in it', () => {
    const over = wide('2016-03-13 00:00', '2016-03-13 01:00', '2016-03-13 03:00', '2016-03-13 04:00');
    expect(importOwnCsv(over, { ...WIDE, zone: 'America/Toronto' }).series.slotCount).toBe(4);
    expect(() => importOwnCsv(over, WIDE)).toThrow(refusal('DATA_GAP', 4));
    const inside = wide('2016-03-13 00:00', '2016-03-13 01:00', '2016-03-13 02:00', '2016-03-13 04:00');
    expect(() => importOwnCsv(inside, { ...WIDE, zone: 'America/Toronto' })).toThrow(
      refusal('DATA_NONEXISTENT_TIME', 4),
    );
  });

  it('the end of an interval is its label where the file says so', () => {
    const text = wide('2016-01-01 01:00', '2016-01-01 02:00');
    expect(starts(text, WIDE)).toEqual(['2016-01-01 01:00', '2016-01-01 02:00']);
    expect(starts(text, { ...WIDE, timeMeans: 'end' })).toEqual(['2016-01-01 00:00', '2016-01-01 01:00']);
    expect(starts(wide('1/2/2016 01:00', '1/2/2016 02:00'), { ...WIDE, dateOrder: 'd/m/y' })[0]).toBe(
      '2016-02-01 01:00',
    );
    expect(starts(wide('1/2/2016 01:00', '1/2/2016 02:00'), { ...WIDE, dateOrder: 'm/d/y' })[0]).toBe(
      '2016-01-02 01:00',
    );
  });

  it('needs an interval length that divides the day', () => {
    expect(() => importOwnCsv(wide('2016-01-01 01:00'), WIDE)).toThrow(refusal('DATA_INVALID_OPTION', 2));
    expect(importOwnCsv(wide('2016-01-01 01:00'), { ...WIDE, slotMinutes: 30 }).series.slotMinutes).toBe(30);
    expect(() => importOwnCsv(wide('2016-01-01 01:00', '2016-01-01 01:07'), WIDE)).toThrow(
      refusal('DATA_INCONSISTENT', 3),
    );
    expect(() => importOwnCsv(wide('2016-01-01 01:00', '2016-01-01 01:00'), WIDE)).toThrow(
      refusal('DATA_INCONSISTENT', 3),
    );
    expect(() => importOwnCsv(wide('2016-01-01'), { ...WIDE, slotMinutes: 7 })).toThrow(
      refusal('DATA_INVALID_OPTION', 0),
    );
    expect(() => importOwnCsv(wide('yesterday'), WIDE)).toThrow(refusal('DATA_BAD_DATE', 2));
    expect(() => importOwnCsv(wide('2016-01-01 00:00:30', '2016-01-01 01:00:30'), WIDE)).toThrow(
      refusal('DATA_BAD_DATE', 2),
    );
  });
});

describe('units', () => {
  const pair = (value: string) => `time,load,pv\n2016-01-01 00:00,${value},0\n2016-01-01 00:30,${value},0\n`;
  it.each([
    ['kWh', 500],
    ['Wh', 1],
    ['kW', 250],
    ['W', 0],
  ] as const)('0.5 %s in a half hour', (unit, wh) => {
    expect(importOwnCsv(pair('0.5'), { ...WIDE, unit }).series.homes[0]?.loadWh[0]).toBe(wh);
  });

  it('trap 2: a mean of 0.8 kWh per half hour is doubted, 0.8 kW is not', () => {
    expect(codes(importOwnCsv(pair('0.8'), WIDE).warnings)).toContain('DATA_SUSPECT_UNIT');
    expect(codes(importOwnCsv(pair('0.8'), { ...WIDE, unit: 'kW' }).warnings)).not.toContain('DATA_SUSPECT_UNIT');
  });

  it('says that values finer than a Wh were rounded', () => {
    expect(importOwnCsv(pair('0.0004'), WIDE).warnings).toContainEqual(
      expect.objectContaining({ code: 'DATA_ROUNDED', line: 2, count: 2 }),
    );
  });
});

describe('homes', () => {
  const LONG_PLACED: OwnCsvOptions = {
    ...LONG,
    layout: {
      kind: 'long',
      homeColumn: 'home',
      energy: { loadColumn: 'load', pvColumn: 'pv' },
      positionColumns: { xKm: 'x', yKm: 'y' },
      busColumn: 'bus',
    },
  };
  const placed = (...rows: string[]) => `home,time,load,pv,x,y,bus\n${rows.map((row) => `${row}\n`).join('')}`;
  const four = [
    'a,2016-01-01 00:00,1,0,1.25,19.5,4',
    'b,2016-01-01 00:00,1,0,3,4,5',
    'a,2016-01-01 01:00,1,0,1.25,19.5,4',
    'b,2016-01-01 01:00,1,0,3,4,5',
  ];

  it('reads positions in metres and buses, and draws positions only for homes without', () => {
    const { series, warnings } = importOwnCsv(placed(...four), LONG_PLACED);
    expect(series.homes[0]).toMatchObject({ id: 'a', positionM: { xM: 1250, yM: 19_500 }, bus: '4' });
    expect(codes(warnings)).not.toContain('DATA_NO_POSITIONS');
    expect(withDrawnPositions(series, 'seed').drawn).toBe(0);
    const bare = importOwnCsv(wide('2016-01-01 00:00', '2016-01-01 01:00'), WIDE);
    expect(codes(bare.warnings)).toContain('DATA_NO_POSITIONS');
    const drawn = withDrawnPositions(bare.series, 'seed');
    expect(drawn.drawn).toBe(1);
    expect(drawn.series.homes[0]?.positionM).toEqual(
      withDrawnPositions(bare.series, 'seed').series.homes[0]?.positionM,
    );
    expect(drawn.series.homes[0]?.positionM).not.toEqual(
      withDrawnPositions(bare.series, 'other').series.homes[0]?.positionM,
    );
  });

  it.each([
    ['a home that moves', 4, (r: string) => r.replace('1.25', '1.5'), 'DATA_INCONSISTENT'],
    ['a home on another bus', 4, (r: string) => r.replace(/4$/, '7'), 'DATA_INCONSISTENT'],
    ['a home without a name', 4, (r: string) => r.replace('a,', ','), 'DATA_BAD_ID'],
    ['a position that is no number', 4, (r: string) => r.replace('19.5', 'north'), 'DATA_BAD_NUMBER'],
    ['a negative load', 4, (r: string) => r.replace(',1,0', ',-1,0'), 'DATA_NEGATIVE_ENERGY'],
    ['a missing column', 5, (r: string) => r.replace(',3,4', ',3'), 'DATA_COLUMN_COUNT'],
  ])('refuses %s', (_, line, damage, code) => {
    const text = placed(...four.map((row, i) => (i === line - 2 ? damage(row) : row)));
    expect(() => importOwnCsv(text, LONG_PLACED)).toThrow(refusal(code, line));
  });

  it('homes that cover different times are refused, or noted in tolerant mode', () => {
    const short = placed(...four, 'a,2016-01-01 02:00,1,0,1.25,19.5,4');
    expect(() => importOwnCsv(short, LONG_PLACED)).toThrow(refusal('DATA_TRUNCATED', 5));
    const { series } = importOwnCsv(short, { ...LONG_PLACED, mode: 'tolerant' });
    expect(series.notes).toEqual([{ kind: 'missing', homeId: 'b', firstSlot: 2, slotCount: 1 }]);
    expect(totalWh(series.homes[1]?.loadWh ?? new Int32Array())).toBe(2000);
    const late = placed(
      ...four.slice(2),
      ...four.slice(2).map((r) => r.replace('01:00', '02:00')),
      'c,2016-01-01 02:00,1,0,1,1,1',
    );
    expect(() => importOwnCsv(late, LONG_PLACED)).toThrow(refusal('DATA_GAP', 6));
    const off = placed(...four, 'c,2016-01-01 00:30,1,0,1,1,1');
    expect(() => importOwnCsv(off, LONG_PLACED)).toThrow(refusal('DATA_INCONSISTENT', 6));
  });

  it('the mapping must fit the header', () => {
    const text = wide('2016-01-01 00:00', '2016-01-01 01:00');
    expect(() => importOwnCsv(text, LONG)).toThrow(
      expect.objectContaining({ code: 'DATA_HEADER_MISMATCH', line: 1, message: expect.stringContaining("'home'") }),
    );
    expect(() => importOwnCsv(text.replace('pv', 'load'), WIDE)).toThrow(/appears twice/);
    expect(() => importOwnCsv(text, { ...WIDE, layout: { kind: 'wide', homes: [] } })).toThrow(
      expect.objectContaining({ code: 'DATA_INVALID_OPTION' }),
    );
    expect(() => importOwnCsv('', WIDE)).toThrow(expect.objectContaining({ code: 'DATA_EMPTY' }));
  });
});
