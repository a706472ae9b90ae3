/**
 * Every code of errors.ts is raised by something. The tables are typed by the codes themselves, so that a new code without an
 * example does not compile.
 */
import { describe, expect, it } from 'vitest';
import * as data from '../src/index.ts';
import { DataError, type DataErrorCode, type DataWarning, type DataWarningCode } from '../src/index.ts';
import { acnFile, caseFile, hourlyFile, neighbourhoodFile, priceFile, ratesFile, rawFile } from './synthetic-files.ts';

const lines = (text: string) => text.trimEnd().split('\n');
const without = (text: string, line: number) => lines(text).filter((_, i) => i !== line - 1);
const own = (text: string, zone = 'UTC') =>
  data.importOwnCsv(text, {
    layout: { kind: 'wide', homes: [{ id: 'a', energy: { loadColumn: 'load' } }] },
    timeColumn: 'time',
    unit: 'kWh',
    zone,
    timeMeans: 'start',
  });

const REFUSALS: Record<DataErrorCode, [line: number, act: () => unknown]> = {
  DATA_INVALID_OPTION: [0, () => data.generateHouseholds({ seed: 's', homes: 0 })],
  DATA_EMPTY: [0, () => data.importAusgridRaw('')],
  DATA_BINARY: [2, () => data.importAcnSessions(`${lines(acnFile())[0]}\n\u0000`)],
  DATA_COMPRESSED: [1, () => data.importAcnSessions(Uint8Array.of(0x1f, 0x8b))],
  DATA_UNKNOWN_FORMAT: [1, () => data.importAusgridRaw('hello\n')],
  DATA_HEADER_MISMATCH: [1, () => data.importOntarioPrices('day,hour,price\n')],
  DATA_COLUMN_COUNT: [2, () => data.importOntarioPrices('date,hour,HOEP,TOU\n01/01/2016,1,0\n')],
  DATA_BAD_QUOTING: [2, () => data.importOntarioPrices('date,hour,HOEP,TOU\n"01/01/2016,1,0,0\n')],
  DATA_BAD_NUMBER: [2, () => data.importOntarioPrices('date,hour,HOEP,TOU\n01/01/2016,1,free,0\n')],
  DATA_NEGATIVE_ENERGY: [2, () => own('time,load\n2016-01-01 00:00,-1\n2016-01-01 01:00,1\n')],
  DATA_OUT_OF_RANGE: [2, () => own('time,load\n2016-01-01 00:00,3e9\n2016-01-01 01:00,1\n')],
  DATA_BAD_DATE: [2, () => data.importOntarioPrices('date,hour,HOEP,TOU\n2016-01-01,1,0,0\n')],
  DATA_NONEXISTENT_TIME: [
    3,
    () => own('time,load\n2016-03-13 01:30,1\n2016-03-13 02:00,1\n2016-03-13 03:00,1\n', 'America/Toronto'),
  ],
  DATA_BAD_CATEGORY: [1, () => data.importAusgridRaw(rawFile({ categories: ['GG2'] }))],
  DATA_BAD_ID: [2, () => data.importAusgridRaw(lines(rawFile({ header: true })).map((l) => l.replace(/^5,/, 'x5,')))],
  DATA_BAD_SESSION: [2, () => data.importAcnSessions(acnFile(2, () => -1))],
  DATA_DUPLICATE: [3, () => data.importAcnSessions([...lines(acnFile(1)), lines(acnFile(1))[1] ?? ''])],
  DATA_OUT_OF_ORDER: [3, () => data.importAcnSessions([0, 2, 1].map((i) => lines(acnFile(2))[i] ?? ''))],
  DATA_GAP: [5, () => data.importAusgridHourly(without(hourlyFile(), 5))],
  DATA_TRUNCATED: [48, () => data.importAusgridHourly(without(hourlyFile(), 49))],
  DATA_INCONSISTENT: [4, () => own('time,load\n2016-01-01 00:00,1\n2016-01-01 01:00,1\n2016-01-01 02:30,1\n')],
  DATA_BAD_JSON: [2, () => data.importOebRates('{\n"plans": nothing\n}\n')],
  DATA_BAD_CASE: [13, () => data.importMatpowerCase(`${'\n'.repeat(12)}function mpc = none\n`)],
  DATA_TOU_UNUSABLE: [2, () => data.importOntarioPrices(priceFile(), { column: 'TOU' })],
  DATA_DAY_NOT_COVERED: [0, () => data.selectDay(data.importAusgridHourly(hourlyFile()).series, '1999-01-01')],
  DATA_SCALE_NOT_STATED: [0, () => data.homesPerBus(data.importMatpowerCase(caseFile()), undefined)],
};

const hourly = (firstDay: string, wh: (hour: number) => number) =>
  data.importAusgridHourly(hourlyFile({ firstDay }, wh)).warnings;
const prices = (wh: (hour: number) => number) => data.importOntarioPrices(priceFile({}, wh)).warnings;
const aligned = (shiftDays: number): DataWarning[] => {
  const { series } = data.importAusgridHourly(hourlyFile({ firstDay: '2012-01-01' }));
  const year = data.importOntarioPrices(priceFile({ dayCount: 366 }));
  return [data.alignPrices(series, year, shiftDays).statement];
};

const WARNINGS: Record<DataWarningCode, () => DataWarning[]> = {
  DATA_CLOCK_FORWARD: () => hourly('2012-10-07', (hour) => (hour === 2 ? 0 : 9)),
  DATA_CLOCK_BACK: () => hourly('2013-04-07', () => 9),
  DATA_CLOCK_SUSPECT: () => hourly('2012-10-07', () => 9),
  DATA_NO_POSITIONS: () => hourly('2012-07-01', () => 9),
  DATA_ROW_QUALITY: () => data.importAusgridRaw(rawFile().replace(/,\n/, ',NA\n')).warnings,
  DATA_SUSPECT_UNIT: () => hourly('2012-07-01', () => 1500),
  DATA_ROUNDED: () => own('time,load\n2016-01-01 00:00,0.0004\n2016-01-01 01:00,1\n').warnings,
  DATA_NET_ONLY: () => data.importAusgridNeighbourhood(neighbourhoodFile()).warnings,
  DATA_NEGATIVE_PRICE: () => prices((hour) => hour - 1),
  DATA_TOU_ALL_ZERO: () => prices(() => 1),
  DATA_ONE_DIRECTIONAL: () => data.importAcnSessions(acnFile()).warnings,
  DATA_LONG_STAY: () => data.importAcnSessions(acnFile(2, () => 25)).warnings,
  DATA_DELIVERED_ABOVE_REQUEST: () => data.importAcnSessions(acnFile().replace('10.000', '1.000')).warnings,
  DATA_NO_BRANCH_LIMITS: () => data.importMatpowerCase(caseFile({ baseKv: 1, loadMw: 1 })).warnings,
  DATA_NO_BASE_VOLTAGE: () => data.importMatpowerCase(caseFile({ rateA: 1, loadMw: 1 })).warnings,
  DATA_TRANSMISSION_SCALE: () => data.importMatpowerCase(caseFile({ rateA: 1, baseKv: 1 })).warnings,
  DATA_SEASON_SHIFTED: () => aligned(data.HALF_YEAR_DAYS),
  DATA_SEASON_NOT_SHIFTED: () => aligned(0),
};

describe('refusals', () => {
  it.each(Object.entries(REFUSALS))('%s', (code, [line, act]) => {
    let raised: unknown;
    try {
      act();
    } catch (error) {
      raised = error;
    }
    expect(raised).toBeInstanceOf(DataError);
    expect(raised).toMatchObject({ code, line });
    const { message, reason } = raised as DataError;
    expect(message).toContain(reason);
    expect(message).toContain(line > 0 ? `${code} at line ${line}` : code);
  });
});

describe('warnings', () => {
  it.each(Object.entries(WARNINGS))('%s', (code, act) => {
    const found = act().filter((warning) => warning.code === code);
    expect(found).toHaveLength(1);
    expect(found[0]?.message.length).toBeGreaterThan(20);
  });
});

describe('tolerant mode', () => {
  it('lists at most 1,000 refused rows but counts them all', () => {
    const head = 'date,hour,HOEP,TOU';
    const bad = Array.from({ length: 1500 }, () => 'x,1,0,0');
    const good = lines(priceFile({ dayCount: 1 })).slice(1);
    const read = data.importOntarioPrices([head, ...bad, ...good], { mode: 'tolerant' });
    expect([read.refused.length, read.refusedCount, read.rows]).toEqual([1000, 1500, 24]);
    expect(read.refused[999]).toMatchObject({ code: 'DATA_BAD_DATE', line: 1001 });
  });

  it('a file in which no row is good is refused with the first reason', () => {
    expect(() => data.importOntarioPrices(['date,hour,HOEP,TOU', 'x,1,0,0'], { mode: 'tolerant' })).toThrow(
      expect.objectContaining({ code: 'DATA_EMPTY', line: 2, message: expect.stringContaining("'x'") }),
    );
    expect(() => data.importOebRates(ratesFile().replace('"plans"', '"plan"'))).toThrow(/plans is not a list/);
  });
});
