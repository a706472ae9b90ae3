/**
 * Synthetic files in the formats that the importers read, made of invented figures. They reproduce the traps of the published
 * data sets (clock changes, label conventions, zero columns) without any of its rows.
 */

/** An invented energy in Wh for the cell `i` of row `row`: distinct enough that a swap of two cells is noticed. */
export function inventedWh(row: number, i: number): number {
  return (row * 7919 + i * 104_729 + 13) % 900;
}

export function kwh(wh: number): string {
  return (wh / 1000).toFixed(3).replace(/\.?0+$/, '');
}

const MONTH_NAMES = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Calendar days from `first` on, by the platform's own calendar (the package has another, which this one checks). */
export function days(first: string, count: number): { year: number; month: number; day: number; iso: string }[] {
  return Array.from({ length: count }, (_, i) => {
    const date = new Date(Date.parse(`${first}T00:00:00Z`) + i * 86_400_000);
    const iso = date.toISOString().slice(0, 10);
    return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate(), iso };
  });
}

export const RAW_HEADER = [
  'Customer,Generator Capacity,Postcode,Consumption Category,date',
  ...Array.from({ length: 48 }, (_, i) => `${Math.floor(((i + 1) % 48) / 2)}:${(i + 1) % 2 === 0 ? '00' : '30'}`),
  'Row Quality',
].join(',');

export interface RawFileOptions {
  customers?: number[];
  firstDay?: string;
  dayCount?: number;
  dates?: 'month name' | 'slashes';
  header?: boolean;
  note?: boolean;
  categories?: readonly string[];
}

/** A raw file; `wh(row, slot)` of data row `row` is the energy of the half hour that begins at 00:00 + 30 min x slot. */
export function rawFile(options: RawFileOptions = {}, wh: (row: number, slot: number) => number = inventedWh): string {
  const { customers = [5, 13], firstDay = '2010-07-01', dayCount = 3, dates = 'month name' } = options;
  const { categories = ['CL', 'GC', 'GG'] } = options;
  const lines: string[] = [];
  if (options.note) lines.push('For details of this file see the accompanying notes,,,');
  if (options.header ?? options.note) lines.push(RAW_HEADER);
  let row = 0;
  for (const customer of customers) {
    for (const { year, month, day } of days(firstDay, dayCount)) {
      const named = `${day}-${MONTH_NAMES[month - 1]}-${String(year).slice(2)}`;
      const date = dates === 'month name' ? named : `${day}/${String(month).padStart(2, '0')}/${year}`;
      for (const category of categories) {
        const values = Array.from({ length: 48 }, (_, slot) => kwh(wh(row, slot)));
        lines.push([customer, '3.78', '2076', category, date, ...values, ''].join(','));
        row += 1;
      }
    }
  }
  return `${lines.join('\n')}\n`;
}

export interface TableOptions {
  firstDay?: string;
  dayCount?: number;
}

/** An hourly table of two homes. `wh(hour, column)` has columns load, pv, load, pv. */
export function hourlyFile(
  { firstDay = '2012-07-01', dayCount = 2 }: TableOptions = {},
  wh: (hour: number, column: number) => number = inventedWh,
): string {
  const lines = ['hour_beginning_local,c5_load_kWh,c5_pv_kWh,c13_load_kWh,c13_pv_kWh'];
  days(firstDay, dayCount).forEach(({ iso }, index) => {
    for (let hour = 0; hour < 24; hour++) {
      const values = [0, 1, 2, 3].map((column) => kwh(wh(index * 24 + hour, column)));
      lines.push([`${iso} ${String(hour).padStart(2, '0')}:00:00`, ...values].join(','));
    }
  });
  return `${lines.join('\n')}\n`;
}

/** The sum of homes, whose label 00:00 stands first in a day but is the day's last half hour. */
export function aggregateFile(
  { firstDay = '2010-07-01', dayCount = 2 }: TableOptions = {},
  wh: (label: number, column: number) => number = inventedWh,
): string {
  const lines = ['datetime,grossload_kWh,pv_kWh,netload_kWh,netload_kW'];
  days(firstDay, dayCount).forEach(({ iso }, index) => {
    for (let half = 0; half < 48; half++) {
      const time = `${String(Math.floor(half / 2)).padStart(2, '0')}:${half % 2 === 0 ? '00' : '30'}:00`;
      const [load, pv] = [wh(index * 48 + half, 0), wh(index * 48 + half, 1)];
      lines.push(`${iso} ${time},${kwh(load)},${kwh(pv)},${kwh(load - pv)},${kwh((load - pv) * 2)}`);
    }
  });
  return `${lines.join('\n')}\n`;
}

/** The net sum of a neighbourhood, labels 00:30 to the next day's 00:00, lines ended by CR LF. */
export function neighbourhoodFile(
  { firstDay = '2012-07-01', dayCount = 2 }: TableOptions = {},
  wh: (slot: number) => number = (slot) => inventedWh(slot, 0) - 450,
): string {
  const lines = [',Column1'];
  for (let slot = 0; slot < dayCount * 48; slot++) {
    const end = new Date(Date.parse(`${firstDay}T00:00:00Z`) + (slot + 1) * 1_800_000);
    lines.push(`${end.toISOString().slice(0, 19).replace('T', ' ')},${wh(slot) / 1000}`);
  }
  return `${lines.join('\r\n')}\r\n`;
}

export const ACN_HEADER =
  'arrival,departure,requested_energy (kWh),delivered_energy (kWh),station_id,session_id,estimated_departure,claimed';

/** Charging sessions an hour apart; session `i` stays `stayHours(i)`. */
export function acnFile(count = 6, stayHours: (i: number) => number = (i) => 2 + i): string {
  const lines = [ACN_HEADER];
  for (let i = 0; i < count; i++) {
    const local = (hours: number) =>
      `${new Date(Date.UTC(2019, 4, 1, 7, i) + hours * 3_600_000).toISOString().slice(0, 19).replace('T', ' ')}-07:00`;
    const energy = `${(10 + i / 8).toFixed(3)},${(5 + i / 8).toFixed(3)}`;
    lines.push(
      `${local(i)},${local(i + stayHours(i))},${energy},ST-${i % 3},s_${i},${local(i + 3)},${i % 2 ? 'True' : 'False'}`,
    );
  }
  return `${lines.join('\n')}\n`;
}

/** Hourly prices; `micro(hour)` in 10^-6 CAD per kWh. The TOU column is `tou`. */
export function priceFile(
  { firstDay = '2016-01-01', dayCount = 3 }: TableOptions = {},
  micro: (hour: number) => number = (hour) => inventedWh(hour, 1) * 10 - 2000,
  tou = '0',
): string {
  const lines = ['date,hour,HOEP,TOU'];
  days(firstDay, dayCount).forEach(({ year, month, day }, index) => {
    for (let hour = 1; hour <= 24; hour++) {
      const date = `${String(day).padStart(2, '0')}/${String(month).padStart(2, '0')}/${year}`;
      lines.push(`${date},${hour},${(micro(index * 24 + hour - 1) / 1e6).toFixed(6)},${tou}`);
    }
  });
  return `${lines.join('\n')}\n`;
}

/** A file of rates with invented prices and hours of the real file's shape. */
export function ratesFile(): string {
  const range = (...pairs: [number, number][]) => pairs;
  return `${JSON.stringify(
    {
      unit: 'CAD cents per kWh',
      plans: [
        { effective: '2018-05-01', tou: { off: 5.1, mid: 8.2, on: 11.3 } },
        {
          effective: '2024-11-01',
          tou: { off: 6.1, mid: 10.2, on: 14.3 },
          ulo: { overnight: 2.5, weekendOff: 6.1, mid: 10.2, on: 25.9 },
        },
      ],
      hours: {
        summer: {
          months: [5, 6, 7, 8, 9, 10],
          weekday: { off: range([19, 24], [0, 7]), mid: range([7, 11], [17, 19]), on: range([11, 17]) },
          weekendAndHoliday: 'off',
        },
        winter: {
          months: [11, 12, 1, 2, 3, 4],
          weekday: { off: range([19, 24], [0, 7]), mid: range([11, 17]), on: range([7, 11], [17, 19]) },
          weekendAndHoliday: 'off',
        },
        ulo: {
          overnight: 'every day 23-07',
          weekendOff: 'weekends and holidays 07-23',
          mid: 'weekdays 07-16 and 21-23',
          on: 'weekdays 16-21',
        },
      },
    },
    null,
    1,
  )}\n`;
}

/** A network of three buses; limits, base voltage and load of bus 2 (MW) as given. */
export function caseFile({ rateA = 0, baseKv = 0, loadMw = 21.5 } = {}): string {
  const bus = (id: number, load: number) => `\t${id}\t1\t${load}\t3.5\t0\t0\t1\t1.02\t-4.5\t${baseKv}\t1\t1.06\t0.94;`;
  const branch = (from: number, to: number, tap: number) =>
    `\t${from}\t${to}\t0.019\t0.059\t0.05\t${rateA}\t0\t0\t${tap}\t0\t1\t-360\t360;`;
  return [
    'function mpc = invented3',
    '% three buses',
    "mpc.version = '2';",
    'mpc.baseMVA = 100;',
    'mpc.bus = [',
    bus(1, 0),
    bus(2, loadMw),
    bus(3, 4),
    '];',
    'mpc.gen = [',
    `\t1${'\t0'.repeat(20)};`,
    '];',
    'mpc.branch = [',
    branch(1, 2, 0),
    branch(2, 3, 0.978),
    '];',
    '',
  ].join('\n');
}

/** Daily load shapes in kW. */
export function shapesFile(
  count = 3,
  kw: (shape: number, half: number) => number = (s, h) => ((s + 1) * (h + 1)) / 100,
): string {
  const lines = Array.from({ length: count }, (_, shape) => {
    const values = Array.from({ length: 48 }, (_, half) => kw(shape, half).toFixed(3)).join(' ');
    return `New Loadshape.P${shape + 1} npts=48 interval=0.5 mult=[${values}]`;
  });
  return `${lines.join('\n')}\n`;
}
