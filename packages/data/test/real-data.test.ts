/**
 * The importers on the published files, where a folder of them is at hand: WATTMESH_SHARED names it, or it lies beside the
 * repository as `shared`. Row counts and sums come from counting the files with other tools.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, type TestContext, it as test } from 'vitest';
import * as data from '../src/index.ts';

const beside = fileURLToPath(new URL('../../../../shared', import.meta.url));
const folder = `${process.env.WATTMESH_SHARED ?? beside}/data`;

function it(name: string, file: string, run: (bytes: Uint8Array) => void): void {
  test(name, (context: TestContext) => {
    const path = `${folder}/${file}`;
    if (!existsSync(path)) context.skip(`no real data: ${file} is not beside the repository (set WATTMESH_SHARED)`);
    run(readFileSync(path));
  });
}

describe('published files', () => {
  it('eight homes, hourly', 'ausgrid/households8-hourly-2012-2013.csv', (bytes) => {
    const { series, rows, warnings } = data.importAusgridHourly(bytes);
    expect([rows, series.slotCount]).toEqual([8760, 8760]);
    expect(series.homes.map((home) => [home.id, data.totalWh(home.loadWh), data.totalWh(home.pvWh)])).toEqual([
      ['5', 3_995_311, 1_262_292],
      ['13', 4_287_005, 2_910_253],
      ['50', 2_662_079, 1_311_872],
      ['58', 9_734_497, 1_505_482],
      ['158', 6_999_457, 3_060_220],
      ['286', 7_056_120, 1_520_237],
      ['292', 2_885_924, 1_219_356],
      ['297', 4_322_606, 1_995_848],
    ]);
    expect(warnings.map((warning) => warning.code)).toEqual([
      'DATA_NO_POSITIONS',
      'DATA_CLOCK_FORWARD',
      'DATA_CLOCK_BACK',
    ]);
    const elapsed = data.toElapsed(series);
    expect(elapsed.slotCount).toBe(8760);
    expect(data.totalWh(elapsed.homes[3]?.loadWh ?? new Int32Array())).toBe(9_734_497);
    const day = data.selectDay(series, '2013-01-15');
    const trading = Array.from({ length: 24 }, (_, slot) => {
      const net = day.homes.map((home) => (home.pvWh[slot] ?? 0) - (home.loadWh[slot] ?? 0));
      return net.some((wh) => wh > 0) && net.some((wh) => wh < 0);
    });
    expect(trading.filter(Boolean).length).toBeGreaterThanOrEqual(7);
  });

  it('one customer, raw rows', 'ausgrid/raw-format-customer1-166days-2012.csv', (bytes) => {
    const { series, rows } = data.importAusgridRaw(bytes);
    expect([rows, series.slotCount, series.homes[0]?.capacityW]).toEqual([498, 166 * 48, 3780]);
    expect(data.totalWh(series.homes[0]?.loadWh ?? new Int32Array())).toBe(1_200_237 + 2_564_192);
    expect(data.totalWh(series.homes[0]?.pvWh ?? new Int32Array())).toBe(2_533_602);
    expect(series.notes.map((note) => note.kind)).toEqual(['clockForward']);
  });

  it('sum of 300 homes', 'ausgrid/aggregate300-2010-2013-halfhourly.csv', (bytes) => {
    const { series, rows } = data.importAusgridAggregate(bytes);
    expect(rows).toBe(52_608);
    expect(data.totalWh(series.homes[0]?.loadWh ?? new Int32Array())).toBe(5_226_880_569);
    expect(data.totalWh(series.homes[0]?.pvWh ?? new Int32Array())).toBe(1_914_827_009);
    // Put at the end of its day, the label 00:00 continues the load of both neighbours better than where it stands.
    const load = series.homes[0]?.loadWh ?? new Int32Array();
    const days = Array.from({ length: 1094 }, (_, i) => i + 1);
    const step = (from: (day: number) => number, to: (day: number) => number) =>
      days.reduce((total, day) => total + Math.abs((load[from(day)] ?? 0) - (load[to(day)] ?? 0)), 0);
    const end = (day: number) => day * 48 + 47;
    expect(step(end, (day) => day * 48 + 46)).toBeLessThan(step(end, (day) => day * 48 - 2));
    expect(step(end, (day) => (day + 1) * 48)).toBeLessThan(step(end, (day) => day * 48));
  });

  it('net sum of a neighbourhood', 'ausgrid/neighbourhood-4postcodes-net-2012-2013.csv', (bytes) => {
    const { series, rows } = data.importAusgridNeighbourhood(bytes);
    const [home] = series.homes;
    expect(rows).toBe(17_520);
    expect(data.totalWh(home?.pvWh ?? new Int32Array()) - data.totalWh(home?.loadWh ?? new Int32Array())).toBe(
      -185_258_030,
    );
  });

  it('load shapes of the feeder', 'ausgrid/csiro-feederN-62-load-shapes-1day.dss', (bytes) => {
    const { series } = data.importOpenDssLoadShapes(bytes, { day: '2013-01-15' });
    expect([series.homes.length, series.slotCount]).toEqual([63, 48]);
  });

  it('Ontario prices', 'ontario/price2016.csv', (bytes) => {
    const { microCadPerKwh, negativeHours, touUsable, rows } = data.importOntarioPrices(bytes);
    expect([rows, negativeHours.length, touUsable]).toEqual([8784, 1076, false]);
    expect(data.totalWh(microCadPerKwh)).toBe(130_873_200);
  });

  it('Ontario rates', 'ontario/oeb-rpp-tou.json', (bytes) => {
    const rates = data.importOebRates(bytes);
    const at = (day: string, hour: number) => data.parseIsoDay(day) * 1440 + hour * 60;
    expect(rates.plans).toHaveLength(4);
    expect(data.oebRateMicroCad(rates, 'tou', at('2024-01-15', 8))).toBe(182_000);
    expect(data.oebRateMicroCad(rates, 'ulo', at('2024-12-16', 3))).toBe(28_000);
  });

  it('case of 14 buses', 'network/case14.m', (bytes) => {
    const network = data.importMatpowerCase(bytes);
    expect([network.buses.length, network.branches.length, network.totalLoadKw]).toEqual([14, 20, 259_000]);
    expect(network.warnings.map((warning) => [warning.code, warning.count])).toEqual([
      ['DATA_NO_BRANCH_LIMITS', 20],
      ['DATA_NO_BASE_VOLTAGE', 14],
      ['DATA_TRANSMISSION_SCALE', 1],
    ]);
  });

  for (const [file, count, deliveredWh, long] of [
    ['caltech__2019-05-01_2019-08-31', 3527, 29_532_772, 29],
    ['caltech__2019-09-01_2019-12-31', 3177, 27_974_334, 15],
    ['caltech__2020-02-01_2020-05-31', 1269, 9_522_578, 13],
    ['jpl__2019-05-01_2019-08-31', 6026, 86_060_440, 5],
    ['jpl__2019-09-01_2019-12-31', 5804, 85_732_429, 0],
    ['jpl__2020-02-01_2020-05-31', 2689, 40_594_323, 0],
  ] as const) {
    it(`charging sessions ${file}`, `ev/acn/${file}.csv.gz`, (bytes) => {
      const { sessions, longStays, refusedCount } = data.importAcnSessions(gunzipSync(bytes));
      expect([sessions.length, longStays.length, refusedCount]).toEqual([count, long, 0]);
      // The other tool summed floating-point kWh of more digits than a Wh: one Wh per session is the most rounding can do.
      const total = sessions.reduce((sum, session) => sum + session.deliveredWh, 0);
      expect(Math.abs(total - deliveredWh)).toBeLessThanOrEqual(count);
    });
  }
});
