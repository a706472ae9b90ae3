import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { decodePoegParameters } from '@wattmesh/consensus';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readDataFile, readHomes } from '../../src/homes/home-file.ts';
import { mappingSchema, readMapping } from '../../src/homes/mapping.ts';
import { provisionDay, tradingDay } from '../../src/homes/trading-day.ts';
import { hourlyHomesFile, INVENTED_HOMES, OWN_MAPPING, ownFile } from '../fixtures/home-files.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const DAY = '2013-01-15';
const hourly = readHomes(bytes(hourlyHomesFile(['2013-01-14', DAY]))).series;
const own = (options: Parameters<typeof ownFile>[1] = {}, layout: object = {}) =>
  readHomes(bytes(ownFile(DAY, options)), {
    mapping: mappingSchema.parse({ ...OWN_MAPPING, layout: { ...OWN_MAPPING.layout, ...layout } }),
  }).series;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wattmesh-homes-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a day of homes', () => {
  test('has the energy of the file, hour by hour', () => {
    const { homes, hours } = tradingDay(hourly, { day: DAY, seed: 's' });
    expect(hours).toEqual(Array.from({ length: 24 }, (_, hour) => `${String(hour).padStart(2, '0')}:00`));
    expect(homes.map(({ id }) => id)).toEqual(['5', '13', '50']);
    homes.forEach(({ household }, k) => {
      expect(household.intervals).toEqual(
        hours.map((_, hour) => ({
          productionWh: INVENTED_HOMES[k]?.pvWh(hour),
          consumptionWh: INVENTED_HOMES[k]?.loadWh(hour),
        })),
      );
    });
  });

  test('half hours are added up to hours, and the addition is said', () => {
    const { homes, remarks } = tradingDay(own(), { day: DAY, seed: 's' });
    expect(homes[0]?.household.intervals.map(({ consumptionWh }) => consumptionWh)).toEqual(
      Array.from({ length: 24 }, (_, hour) => INVENTED_HOMES[0]?.loadWh(hour)),
    );
    expect(remarks).toContain('intervals of 30 min are added up to hours');
  });

  test('places are drawn from the seed, whichever homes are chosen, and the draw is said', () => {
    const all = tradingDay(hourly, { day: DAY, seed: 's' });
    const some = tradingDay(hourly, { day: DAY, seed: 's', homes: ['50', '5'] });
    const other = tradingDay(hourly, { day: DAY, seed: 't' });
    expect(some.homes.map(({ position }) => position)).toEqual([all.homes[2]?.position, all.homes[0]?.position]);
    expect(other.homes.map(({ position }) => position)).not.toEqual(all.homes.map(({ position }) => position));
    expect(some.remarks).toEqual(['2 of 2 homes have no position in the file: drawn from seed s']);
  });

  test('places of the file are kept', () => {
    const place = (home: number) => [3 + home, 4.25];
    const series = own({ columns: ['x', 'y'], place }, { positionColumns: { xKm: 'x', yKm: 'y' } });
    const { homes, remarks } = tradingDay(series, { day: DAY, seed: 's' });
    expect(homes.map(({ position }) => position)).toEqual([0, 1, 2].map((home) => ({ x: 3 + home, y: 4.25 })));
    expect(remarks.join()).not.toContain('drawn');
  });

  test('homes on buses have the loss rates of the network', () => {
    const buses = [2, 3, 14];
    const series = own({ columns: ['bus'], place: (home) => [buses[home] ?? ''] }, { busColumn: 'bus' });
    const day = tradingDay(series, { day: DAY, seed: 's' });
    const { genesis } = provisionDay(day, { slotMs: 60_000, genesisTimeMs: 0 });
    const { rateEdcPpb, ratePpb } = decodePoegParameters(genesis.application.parameters);
    // Table of the market's specification, in percent, plus half a kilometre of 0.396 % at each end (one end for the EDC).
    const wayToBus = 0.5 * (5.6 / Math.hypot(10, 10));
    const percent = (ppb: bigint | undefined): number => Number(ppb) / 1e7;
    expect(percent(ratePpb[0]?.[1])).toBeCloseTo(4.14 + 2 * wayToBus, 3);
    expect(percent(ratePpb[1]?.[2])).toBeCloseTo(5.137 + 2 * wayToBus, 3);
    expect(percent(rateEdcPpb[2])).toBeCloseTo(6.562 + wayToBus, 3);
  });

  test('a day on which the clock changes has 23 or 25 hours, and says so', () => {
    const zeroed = INVENTED_HOMES.map((home) => ({
      ...home,
      loadWh: (hour: number) => (hour === 2 ? 0 : home.loadWh(hour)),
    }));
    const forward = readHomes(bytes(hourlyHomesFile(['2012-10-07'], zeroed))).series;
    const day = tradingDay(forward, { day: '2012-10-07', seed: 's' });
    expect(day.hours.slice(0, 4)).toEqual(['00:00', '01:00', '03:00', '04:00']);
    expect(day.remarks).toContain('the clock changes on 2012-10-07: 23 hours');
    const back = readHomes(bytes(hourlyHomesFile(['2013-04-07']))).series;
    expect(tradingDay(back, { day: '2013-04-07', seed: 's' }).hours.length).toBe(25);
  });

  test('a packed file is read', async () => {
    const path = join(folder, 'homes.csv.gz');
    await writeFile(path, gzipSync(hourlyHomesFile([DAY])));
    expect(readHomes(await readDataFile(path)).series.homes.length).toBe(3);
  });

  test('wide tables may place their homes in the mapping', async () => {
    const path = join(folder, 'mapping.json');
    const mapping = {
      ...OWN_MAPPING,
      timeColumn: 'hour',
      layout: {
        kind: 'wide',
        homes: [
          { id: 'a', energy: { loadColumn: 'a' }, positionKm: { x: 1, y: 2.5 } },
          { id: 'b', energy: { netColumn: 'b' }, positionKm: { x: 3, y: 4 } },
        ],
      },
    };
    await writeFile(path, JSON.stringify(mapping));
    const rows = Array.from(
      { length: 24 },
      (_, hour) => `${DAY}T${String(hour).padStart(2, '0')}:00Z,0.5,${hour / 10 - 1}`,
    );
    const read = readHomes(bytes(`hour,a,b\n${rows.join('\n')}\n`), { mapping: await readMapping(path) });
    const { homes, remarks } = tradingDay(read.series, { day: DAY, seed: 's' });
    expect(homes.map(({ position }) => position)).toEqual([
      { x: 1, y: 2.5 },
      { x: 3, y: 4 },
    ]);
    expect(homes[1]?.household.intervals[23]).toEqual({ productionWh: 1_300, consumptionWh: 0 });
    expect(remarks).toContain('only the balance is known: net import counts as load, net export as production');
  });
});

describe('what cannot be traded is refused', () => {
  const refusal = (code: string) => expect.objectContaining({ code });
  const day = (options: Partial<Parameters<typeof tradingDay>[1]>) => () =>
    tradingDay(hourly, { day: DAY, seed: 's', ...options });

  test('a file that is not there, a folder', async () => {
    await expect(readDataFile(join(folder, 'none.csv'))).rejects.toMatchObject({ code: 'HOMES_FILE_UNREADABLE' });
    await expect(readDataFile(folder)).rejects.toMatchObject({ code: 'HOMES_FILE_UNREADABLE' });
  });

  test('a table without a mapping, and a known format with one', () => {
    const mapping = mappingSchema.parse(OWN_MAPPING);
    expect(() => readHomes(bytes(ownFile(DAY)))).toThrow(refusal('HOMES_MAPPING_NEEDED'));
    expect(() => readHomes(bytes(hourlyHomesFile([DAY])), { mapping })).toThrow(refusal('HOMES_MAPPING_UNUSED'));
  });

  test('a file of something else', () => {
    expect(() => readHomes(bytes('date,hour,HOEP,TOU\n2016-01-01,1,0.01,0\n'))).toThrow(
      refusal('HOMES_NOT_HOUSEHOLDS'),
    );
  });

  test('a damaged row, by its line', () => {
    const lines = hourlyHomesFile([DAY]).split('\n');
    lines[7] = (lines[7] ?? '').replace(/,[\d.]+$/, ',x');
    expect(() => readHomes(bytes(lines.join('\n')))).toThrow(
      expect.objectContaining({ code: 'DATA_BAD_NUMBER', line: 8 }),
    );
  });

  test('homes that are not there, too few, too many', () => {
    expect(day({ homes: ['5', '99'] })).toThrow(refusal('HOMES_UNKNOWN_HOME'));
    expect(day({ homes: ['5'] })).toThrow(refusal('HOMES_WRONG_NUMBER'));
    expect(day({ homes: ['5', '5'] })).toThrow(refusal('HOMES_WRONG_NUMBER'));
    const many = Array.from({ length: 65 }, (_, k) => ({ ...INVENTED_HOMES[0]!, id: String(k + 1) }));
    const { series } = readHomes(bytes(hourlyHomesFile([DAY], many)));
    expect(() => tradingDay(series, { day: DAY, seed: 's' })).toThrow(refusal('HOMES_WRONG_NUMBER'));
  });

  test('a day that the file does not have', () => {
    expect(day({ day: '2013-01-16' })).toThrow(refusal('DATA_DAY_NOT_COVERED'));
  });

  test('intervals longer than an hour', () => {
    const rows = Array.from(
      { length: 12 },
      (_, k) =>
        `${DAY}T${String(2 * k).padStart(2, '0')}:00Z,a,1,0\n${DAY}T${String(2 * k).padStart(2, '0')}:00Z,b,1,0`,
    );
    const { series } = readHomes(bytes(`time,home,used,made\n${rows.join('\n')}\n`), {
      mapping: mappingSchema.parse(OWN_MAPPING),
    });
    expect(() => tradingDay(series, { day: DAY, seed: 's' })).toThrow(refusal('HOMES_BAD_INTERVAL'));
  });

  test('a day with intervals that nobody measured', () => {
    const series = { ...hourly, notes: [{ kind: 'missing' as const, homeId: '13', firstSlot: 30, slotCount: 2 }] };
    expect(() => tradingDay(series, { day: DAY, seed: 's' })).toThrow(refusal('HOMES_INCOMPLETE_DAY'));
    expect(tradingDay(series, { day: '2013-01-14', seed: 's' }).hours.length).toBe(24);
  });

  test.each([
    ['a bus that the network does not have', [2, 99, 4], false],
    ['a bus for some only', [2, null, 4], false],
    ['a bus and a position', [2, 3, 4], true],
  ])('%s', (_, buses, withPosition) => {
    const series = {
      ...hourly,
      homes: hourly.homes.map((home, k) => ({
        ...home,
        ...(buses[k] === null ? {} : { bus: String(buses[k]) }),
        ...(withPosition ? { positionM: { xM: 1, yM: 2 } } : {}),
      })),
    };
    expect(() => tradingDay(series, { day: DAY, seed: 's' })).toThrow(refusal('HOMES_BAD_PLACE'));
  });

  test('a mapping with a field that it does not have', async () => {
    const path = join(folder, 'wrong.json');
    await writeFile(path, JSON.stringify({ ...OWN_MAPPING, loadColumn: 'x' }));
    await expect(readMapping(path)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});

test('the mappings in docs/data.md are mappings', () => {
  const text = readFileSync(new URL('../../../../docs/data.md', import.meta.url), 'utf8');
  const blocks = [...text.matchAll(/```json\n([\s\S]*?)```/g)].map(([, json = '']) =>
    mappingSchema.parse(JSON.parse(json)),
  );
  expect(blocks.map(({ layout }) => layout.kind)).toEqual(['long', 'wide']);
});
