import { describe, expect, it } from 'vitest';
import { parseTime } from '../src/civil-time.ts';
import {
  alignPrices,
  HALF_YEAR_DAYS,
  homesPerBus,
  importAcnSessions,
  importAusgridHourly,
  importMatpowerCase,
  importOebRates,
  importOntarioPrices,
  importOpenDssLoadShapes,
  oebRateMicroCad,
  parseIsoDay,
} from '../src/index.ts';
import { acnFile, caseFile, hourlyFile, inventedWh, priceFile, ratesFile, shapesFile } from './synthetic-files.ts';

const codes = (warnings: { code: string }[]) => warnings.map((warning) => warning.code);
const refusal = (code: string, line: number) => expect.objectContaining({ code, line });
const replaceLine = (text: string, line: number, by: (old: string) => string) =>
  text
    .split('\n')
    .map((old, i) => (i === line - 1 ? by(old) : old))
    .join('\n');

describe('Ontario prices', () => {
  it('reads integer micro-dollars, hour 1 being the first of the day', () => {
    const read = importOntarioPrices(priceFile({ firstDay: '2016-02-28', dayCount: 3 }));
    expect(read.microCadPerKwh).toHaveLength(72);
    expect(read.microCadPerKwh[40]).toBe(inventedWh(40, 1) * 10 - 2000);
    expect(read.startMinute).toBe(parseIsoDay('2016-02-28') * 1440);
  });

  it('trap 4: negative prices are flagged, hour by hour', () => {
    const read = importOntarioPrices(priceFile({}, (hour) => (hour % 10 === 3 ? -1090 : 20_000)));
    expect(read.negativeHours).toEqual([3, 13, 23, 33, 43, 53, 63]);
    expect(read.microCadPerKwh[3]).toBe(-1090);
    expect(read.warnings).toContainEqual(expect.objectContaining({ code: 'DATA_NEGATIVE_PRICE', line: 5, count: 7 }));
  });

  it('trap 4: a TOU column of zeros cannot be used; a real one can', () => {
    expect(importOntarioPrices(priceFile()).touUsable).toBe(false);
    expect(codes(importOntarioPrices(priceFile()).warnings)).toContain('DATA_TOU_ALL_ZERO');
    expect(() => importOntarioPrices(priceFile(), { column: 'TOU' })).toThrow(refusal('DATA_TOU_UNUSABLE', 2));
    const usable = importOntarioPrices(
      priceFile({}, () => -5, '0.087'),
      { column: 'TOU' },
    );
    expect([usable.touUsable, usable.microCadPerKwh[7], usable.negativeHours.length]).toEqual([true, 87_000, 0]);
  });

  it.each([
    ['hour 25', (t: string) => replaceLine(t, 4, (l) => l.replace(',3,', ',25,')), 'DATA_BAD_DATE', 4],
    ['a month first date', (t: string) => t.replaceAll('01/01/2016', '01/13/2016'), 'DATA_BAD_DATE', 2],
    ['an hour twice', (t: string) => replaceLine(t, 4, (l) => l.replace(',3,', ',2,')), 'DATA_DUPLICATE', 4],
    ['an hour skipped', (t: string) => replaceLine(t, 4, (l) => l.replace(',3,', ',5,')), 'DATA_GAP', 4],
    ['a fifth column', (t: string) => replaceLine(t, 4, (l) => `${l},0`), 'DATA_COLUMN_COUNT', 4],
    ['another header', (t: string) => t.replace('HOEP', 'price'), 'DATA_HEADER_MISMATCH', 1],
  ])('refuses %s', (_, damage, code, line) => {
    expect(() => importOntarioPrices(damage(priceFile()))).toThrow(refusal(code, line));
  });

  it('tolerant mode names the hours without a price', () => {
    const lines = priceFile().trimEnd().split('\n');
    const read = importOntarioPrices([...lines.slice(0, 5), ...lines.slice(7)], { mode: 'tolerant' });
    expect(read.refused).toEqual([
      expect.objectContaining({ code: 'DATA_GAP', line: 6, reason: expect.stringContaining('2 hour(s)') }),
    ]);
    expect(read.microCadPerKwh[6]).toBe(inventedWh(6, 1) * 10 - 2000);
  });
});

describe('trap 3: seasons of two hemispheres', () => {
  const prices = importOntarioPrices(priceFile({ firstDay: '2016-01-01', dayCount: 366 }, (hour) => hour));
  const homes = importAusgridHourly(hourlyFile({ firstDay: '2012-07-01', dayCount: 366 })).series;
  const hourOf = (date: string, hour: number) => (parseIsoDay(date) - parseIsoDay('2016-01-01')) * 24 + hour;

  it('shifts by 182 days and says so', () => {
    const { microCadPerKwh, statement } = alignPrices(homes, prices, HALF_YEAR_DAYS);
    // Sydney's 1 July (winter) meets 30 December; its 15 January (summer) meets 16 July.
    expect(microCadPerKwh[5]).toBe(hourOf('2016-12-30', 5));
    const january = (parseIsoDay('2013-01-15') - parseIsoDay('2012-07-01')) * 24;
    expect(microCadPerKwh[january + 13]).toBe(hourOf('2016-07-16', 13));
    expect(statement).toMatchObject({ code: 'DATA_SEASON_SHIFTED', message: expect.stringContaining('182 days') });
  });

  it('says when the shift was not done', () => {
    const { microCadPerKwh, statement } = alignPrices(homes, prices, 0);
    expect(microCadPerKwh[5]).toBe(hourOf('2016-07-01', 5));
    expect(statement).toMatchObject({ code: 'DATA_SEASON_NOT_SHIFTED', message: expect.stringContaining('opposed') });
  });

  it('lets 29 February fall back on a year without one, and refuses days without prices', () => {
    const short = importOntarioPrices(priceFile({ firstDay: '2015-01-01', dayCount: 365 }, (hour) => hour));
    const leap = importAusgridHourly(hourlyFile({ firstDay: '2012-02-29', dayCount: 1 })).series;
    expect(alignPrices(leap, short, 0).microCadPerKwh[1]).toBe((31 + 27) * 24 + 1);
    const few = importOntarioPrices(priceFile({ dayCount: 3 }));
    expect(() => alignPrices(homes, few, 0)).toThrow(expect.objectContaining({ code: 'DATA_DAY_NOT_COVERED' }));
    expect(() => alignPrices(homes, prices, 0.5)).toThrow(expect.objectContaining({ code: 'DATA_INVALID_OPTION' }));
  });
});

describe('OEB rates', () => {
  const rates = importOebRates(ratesFile());
  const at = (time: string) => parseTime(time, 'iso', 0).second / 60;

  it.each([
    ['tou', '2024-12-02 08:59', 143_000],
    ['tou', '2024-12-02 11:00', 102_000],
    ['tou', '2024-12-02 19:00', 61_000],
    ['tou', '2024-12-07 12:00', 61_000],
    ['tou', '2025-07-01 12:00', 143_000],
    ['tou', '2020-07-01 12:00', 113_000],
    ['ulo', '2024-12-02 23:00', 25_000],
    ['ulo', '2024-12-02 06:59', 25_000],
    ['ulo', '2024-12-02 15:00', 102_000],
    ['ulo', '2024-12-02 22:00', 102_000],
    ['ulo', '2024-12-02 16:00', 259_000],
    ['ulo', '2024-12-07 16:00', 61_000],
  ] as const)('%s at %s', (kind, time, micro) => expect(oebRateMicroCad(rates, kind, at(time))).toBe(micro));

  it('holidays count as weekend; a time or plan without rates is refused', () => {
    const christmas = new Set([parseIsoDay('2024-12-25')]);
    expect(oebRateMicroCad(rates, 'tou', at('2024-12-25 08:00'), christmas)).toBe(61_000);
    expect(oebRateMicroCad(rates, 'tou', at('2024-12-25 08:00'))).toBe(143_000);
    expect(() => oebRateMicroCad(rates, 'tou', at('2017-01-01 00:00'))).toThrow(/no rates were in force/);
    expect(() => oebRateMicroCad(rates, 'ulo', at('2020-01-01 00:00'))).toThrow(/no ultra-low-overnight/);
  });

  it('names the line where the JSON breaks, and the field that is wrong', () => {
    const broken = replaceLine(ratesFile(), 5, () => '!');
    expect(() => importOebRates(broken)).toThrow(refusal('DATA_BAD_JSON', 5));
    expect(() => importOebRates(ratesFile().replace('"effective": "2018', '"since": "2018'))).toThrow(/DATA_BAD_DATE/);
    expect(() => importOebRates(ratesFile().replace('5.1', '"5.1"'))).toThrow(/plans\[0\] off/);
    expect(() => importOebRates(ratesFile().replace('weekdays 16-21', 'weekdays 15-21'))).toThrow(
      expect.objectContaining({ code: 'DATA_INCONSISTENT', message: expect.stringContaining('hour 15') }),
    );
    expect(() => importOebRates(ratesFile().replace('weekdays 16-21', 'weekdays 17-21'))).toThrow(
      /hour 16 is in no period/,
    );
  });
});

describe('trap 6: ACN sessions', () => {
  it('reads times in UTC and energies in Wh', () => {
    const { sessions, direction } = importAcnSessions(acnFile());
    expect(direction).toBe('chargeOnly');
    expect(sessions[2]).toEqual({
      sessionId: 's_2',
      stationId: 'ST-2',
      arrivalS: Date.UTC(2019, 4, 1, 16, 2) / 1000,
      departureS: Date.UTC(2019, 4, 1, 20, 2) / 1000,
      estimatedDepartureS: Date.UTC(2019, 4, 1, 19, 2) / 1000,
      requestedWh: 10_250,
      deliveredWh: 5250,
      claimed: false,
    });
  });

  it('says that discharging is modelled, and which stays exceed a day', () => {
    const read = importAcnSessions(acnFile(6, (i) => (i === 1 || i === 4 ? 25 : 24)));
    expect(read.longStays).toEqual([1, 4]);
    expect(read.warnings).toContainEqual(expect.objectContaining({ code: 'DATA_LONG_STAY', line: 3, count: 2 }));
    expect(codes(read.warnings)).toContain('DATA_ONE_DIRECTIONAL');
    expect(codes(importAcnSessions(acnFile()).warnings)).toEqual(['DATA_ONE_DIRECTIONAL']);
  });

  it('doubts energies that no such charger delivers', () => {
    const watts = replaceLine(acnFile(), 4, (l) => l.replace('5.250', '5250.0'));
    expect(codes(importAcnSessions(watts).warnings)).toEqual([
      'DATA_DELIVERED_ABOVE_REQUEST',
      'DATA_SUSPECT_UNIT',
      'DATA_ONE_DIRECTIONAL',
    ]);
  });

  it.each([
    [
      'a departure before arrival',
      (t: string) => replaceLine(t, 3, (l) => l.replace('2019-05-01 11', '2019-05-01 01')),
      'DATA_BAD_SESSION',
      3,
    ],
    ['a time without offset', (t: string) => replaceLine(t, 3, (l) => l.replace('-07:00', '')), 'DATA_BAD_DATE', 3],
    ['a session twice', (t: string) => replaceLine(t, 4, (l) => l.replace('s_2', 's_1')), 'DATA_DUPLICATE', 4],
    [
      'an earlier arrival',
      (t: string) => replaceLine(t, 4, (l) => l.replace('2019-05-01 09', '2019-05-01 07')),
      'DATA_OUT_OF_ORDER',
      4,
    ],
    [
      'a claim that is neither',
      (t: string) => replaceLine(t, 4, (l) => l.replace('False', 'maybe')),
      'DATA_BAD_SESSION',
      4,
    ],
    [
      'a negative energy',
      (t: string) => replaceLine(t, 4, (l) => l.replace('10.250', '-1')),
      'DATA_NEGATIVE_ENERGY',
      4,
    ],
    ['a missing column', (t: string) => replaceLine(t, 4, (l) => l.replace('10.250,', '')), 'DATA_COLUMN_COUNT', 4],
    ['an empty id', (t: string) => replaceLine(t, 4, (l) => l.replace('s_2', '')), 'DATA_BAD_ID', 4],
    ['another header', (t: string) => t.replace('station_id', 'station'), 'DATA_HEADER_MISMATCH', 1],
  ])('refuses %s', (_, damage, code, line) => {
    expect(() => importAcnSessions(damage(acnFile()))).toThrow(refusal(code, line));
    if (line > 1)
      expect(importAcnSessions(damage(acnFile()), { mode: 'tolerant' })).toMatchObject({ rows: 5, refusedCount: 1 });
  });
});

describe('trap 5: networks', () => {
  it('reads buses and branches, and says what the case does not have', () => {
    const network = importMatpowerCase(caseFile());
    expect([network.name, network.baseMva, network.buses.length, network.totalLoadKw]).toEqual([
      'invented3',
      100,
      3,
      25_500,
    ]);
    expect(network.branches[1]).toEqual({
      from: 2,
      to: 3,
      resistancePu: 0.019,
      reactancePu: 0.059,
      chargingPu: 0.05,
      limitKva: null,
      tapRatio: 0.978,
      inService: true,
    });
    expect(codes(network.warnings)).toEqual([
      'DATA_NO_BRANCH_LIMITS',
      'DATA_NO_BASE_VOLTAGE',
      'DATA_TRANSMISSION_SCALE',
    ]);
    const complete = importMatpowerCase(caseFile({ rateA: 5, baseKv: 11, loadMw: 0.4 }));
    expect(complete.warnings).toEqual([]);
    expect([complete.branches[0]?.limitKva, complete.buses[0]?.baseV]).toEqual([5000, 11_000]);
  });

  it('gives homes per bus only for a stated scale', () => {
    const network = importMatpowerCase(caseFile());
    expect([...homesPerBus(network, 50)]).toEqual([
      [1, 0],
      [2, 430],
      [3, 80],
    ]);
    for (const scale of [undefined, 0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => homesPerBus(network, scale)).toThrow(expect.objectContaining({ code: 'DATA_SCALE_NOT_STATED' }));
    }
  });

  it.each([
    ['a short row', (t: string) => replaceLine(t, 7, (l) => l.replace('\t1.06', '')), 'DATA_BAD_CASE', 7],
    ['a row without semicolon', (t: string) => replaceLine(t, 7, (l) => l.replace(';', '')), 'DATA_BAD_CASE', 7],
    ['a word', (t: string) => replaceLine(t, 7, (l) => l.replace('21.5', 'many')), 'DATA_BAD_NUMBER', 7],
    [
      'a branch to nowhere',
      (t: string) => replaceLine(t, 15, (l) => l.replace('\t2\t3', '\t2\t9')),
      'DATA_BAD_CASE',
      15,
    ],
    ['a bus twice', (t: string) => replaceLine(t, 8, (l) => l.replace('\t3\t', '\t2\t')), 'DATA_DUPLICATE', 6],
    ['a bus 0', (t: string) => replaceLine(t, 8, (l) => l.replace('\t3\t', '\t0\t')), 'DATA_BAD_ID', 8],
    ['an open matrix', (t: string) => t.split('\n').slice(0, 15).join('\n'), 'DATA_TRUNCATED', 15],
    ['no branches', (t: string) => t.split('\n').slice(0, 12).join('\n'), 'DATA_BAD_CASE', 12],
  ])('refuses %s', (_, damage, code, line) => {
    expect(() => importMatpowerCase(damage(caseFile()))).toThrow(refusal(code, line));
  });

  it('trap 2: load shapes are kW, half of which is the energy of a half hour', () => {
    const { series } = importOpenDssLoadShapes(shapesFile(), { day: '2013-01-15' });
    expect(series.homes.map((home) => home.id)).toEqual(['P1', 'P2', 'P3']);
    expect(series.homes[1]?.loadWh[9]).toBe(100);
    const strong = importOpenDssLoadShapes(
      shapesFile(1, () => 1.6),
      { day: '2013-01-15' },
    );
    expect(codes(strong.warnings)).toContain('DATA_SUSPECT_UNIT');
    expect(() => importOpenDssLoadShapes(shapesFile().replace('npts=48', 'npts=47'), { day: '2013-01-15' })).toThrow(
      refusal('DATA_INCONSISTENT', 1),
    );
    expect(() => importOpenDssLoadShapes(shapesFile().replace('[0.010 ', '['), { day: '2013-01-15' })).toThrow(
      refusal('DATA_COLUMN_COUNT', 1),
    );
    expect(() => importOpenDssLoadShapes(shapesFile().replaceAll('P2', 'P1'), { day: '2013-01-15' })).toThrow(
      refusal('DATA_DUPLICATE', 2),
    );
  });
});
