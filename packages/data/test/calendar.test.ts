import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { civilDate, dayNumber, dayOfYear, formatMinute, parseIsoDay, parseTime, weekday } from '../src/civil-time.ts';
import { clockChanges, timeZone, utcCandidates } from '../src/time-zone.ts';

describe('civil calendar', () => {
  it('agrees with the platform calendar from 1900 to 2200', () => {
    fc.assert(
      fc.property(fc.integer({ min: -25_567, max: 84_370 }), (days) => {
        const date = new Date(days * 86_400_000);
        const civil = civilDate(days);
        expect(civil).toEqual({ year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() });
        expect(dayNumber(civil)).toBe(days);
        expect(weekday(days)).toBe((date.getUTCDay() + 6) % 7);
        expect(dayOfYear(civil)).toBe(days - Date.UTC(date.getUTCFullYear(), 0, 1) / 86_400_000 + 1);
        expect(formatMinute(days * 1440 + 754)).toBe(`${date.toISOString().slice(0, 10)} 12:34`);
      }),
      { seed: 4, numRuns: 500 },
    );
  });

  it.each(['2013-02-29', '2013-13-01', '2013-00-10', '2013-04-31', '1899-12-31', '13-1-1', '2013-1-01', ''])(
    'refuses %s',
    (text) => expect(() => parseIsoDay(text, 3)).toThrow(expect.objectContaining({ code: 'DATA_BAD_DATE', line: 3 })),
  );

  it.each([
    ['2013-01-15 14:30', 'iso', '2013-01-15T14:30:00Z', null],
    ['2013-01-15T14:30:05Z', 'iso', '2013-01-15T14:30:05Z', 0],
    ['2019-05-01 01:18:45-07:00', 'iso', '2019-05-01T01:18:45Z', -420],
    ['2019-05-01 01:18:45.25+0930', 'iso', '2019-05-01T01:18:45Z', 570],
    ['2013-01-15 24:00', 'iso', '2013-01-16T00:00:00Z', null],
    ['3/4/2013 1:05', 'd/m/y', '2013-04-03T01:05:00Z', null],
    ['3/4/2013 01:05:09', 'm/d/y', '2013-03-04T01:05:09Z', null],
  ] as const)('reads %s as %s', (text, order, utc, offsetMinutes) => {
    expect(parseTime(text, order, 1)).toEqual({ second: Date.parse(utc) / 1000, offsetMinutes });
  });

  it.each([
    ['2013-01-15 25:00', 'iso'],
    ['2013-01-15 24:01', 'iso'],
    ['2013-01-15 10:60', 'iso'],
    ['2013-01-15', 'iso'],
    ['13/13/2013 10:00', 'd/m/y'],
    ['13/1/2013 10:00', 'm/d/y'],
  ] as const)('refuses %s', (text, order) => {
    expect(() => parseTime(text, order, 9)).toThrow(expect.objectContaining({ code: 'DATA_BAD_DATE', line: 9 }));
  });
});

describe('time zones', () => {
  it('finds the clock changes of Sydney: first Sundays of October and April', () => {
    const zone = timeZone('Australia/Sydney');
    const from = parseIsoDay('2010-07-01') * 1440;
    const changes = clockChanges(zone, from, from + 1096 * 1440);
    expect(changes.map((c) => [formatMinute(c.wallFrom), formatMinute(c.wallTo), c.jumpMinutes])).toEqual([
      ['2010-10-03 02:00', '2010-10-03 03:00', 60],
      ['2011-04-03 02:00', '2011-04-03 03:00', -60],
      ['2011-10-02 02:00', '2011-10-02 03:00', 60],
      ['2012-04-01 02:00', '2012-04-01 03:00', -60],
      ['2012-10-07 02:00', '2012-10-07 03:00', 60],
      ['2013-04-07 02:00', '2013-04-07 03:00', -60],
    ]);
  });

  it('maps wall clock to UTC: one, none or two instants', () => {
    const zone = timeZone('America/Toronto');
    const wall = (text: string) => parseTime(text, 'iso', 0).second / 60;
    expect(utcCandidates(zone, wall('2016-01-15 12:00'))).toEqual([wall('2016-01-15 17:00')]);
    expect(utcCandidates(zone, wall('2016-03-13 02:30'))).toEqual([]);
    expect(utcCandidates(zone, wall('2016-11-06 01:30'))).toEqual([wall('2016-11-06 05:30'), wall('2016-11-06 06:30')]);
  });

  it('every instant is among the candidates of the wall clock it shows', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(
          'Australia/Sydney',
          'America/Toronto',
          'Asia/Kathmandu',
          'Australia/Lord_Howe',
          'UTC',
          '-03:30',
        ),
        fc.integer({ min: 20_000_000, max: 30_000_000 }),
        (name, utc) => {
          const zone = timeZone(name);
          expect(utcCandidates(zone, utc + zone.offsetAt(utc))).toContain(utc);
        },
      ),
      { seed: 5, numRuns: 300 },
    );
  });

  it('knows fixed offsets and refuses unknown names', () => {
    expect(timeZone('+10:00').offsetAt(0)).toBe(600);
    expect(timeZone('UTC-05:00').offsetAt(0)).toBe(-300);
    for (const name of ['Mars/Olympus', '+25:00', '+10:75', '']) {
      expect(() => timeZone(name)).toThrow(expect.objectContaining({ code: 'DATA_INVALID_OPTION' }));
    }
  });
});
