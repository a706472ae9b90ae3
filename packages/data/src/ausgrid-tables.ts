import { formatMinute, MINUTES_PER_DAY, parseTime } from './civil-time.ts';
import { DataError } from './errors.ts';
import { clockNotes, type HomeSeries, type HouseholdSeries, type SlotNote } from './household-series.ts';
import { type ImportNotes, type ImportOptions, ImportReport } from './import-report.ts';
import { IntervalGrid } from './interval-grid.ts';
import { type DataInput, numberedLines, splitFields } from './lines.ts';
import { warnOfImplausible } from './plausibility.ts';
import { scaleDecimal, whScale } from './quantity.ts';
import { timeZone } from './time-zone.ts';

/** Options of the tables derived from Ausgrid's data. */
export interface AusgridTableOptions extends ImportOptions {
  /** Clock of the labels. Default `Australia/Sydney`. */
  zone?: string;
  /** Homes in a sum, for the plausibility check. Default 300 (aggregate) or 63 (neighbourhood). */
  homesInSum?: number;
}

interface TableFormat {
  slotMinutes: number;
  measured: 'gross' | 'net';
  homesInSum: number;
  /** Checks the header and names the series. */
  header(fields: string[], line: number): HomeColumns[];
  /** From a label to the minute that must rise by one step from row to row and lies in the row's day. */
  orderOf(labelMinute: number): number;
  /** From that minute to the wall-clock minute at which the interval begins. */
  beginOf(orderMinute: number): number;
  read(fields: string[], line: number, report: ImportReport): { loadWh: number[]; pvWh: number[] };
}

interface HomeColumns {
  id: string;
}

function readTable(
  input: DataInput,
  options: AusgridTableOptions,
  format: TableFormat,
): ImportNotes & { series: HouseholdSeries } {
  const report = new ImportReport(options);
  const zone = timeZone(options.zone ?? 'Australia/Sydney');
  const grid = new IntervalGrid(report, format.slotMinutes);
  let homes: HomeColumns[] | undefined;
  let columns = 0;
  let [firstLine, lastLine] = [0, 0];
  const loads: number[][] = [];
  const pvs: number[][] = [];
  for (const line of numberedLines(input)) {
    if (homes === undefined) {
      const fields = splitFields(line.text, line.line);
      homes = format.header(fields, line.line);
      columns = fields.length;
      for (const _ of homes) {
        loads.push([]);
        pvs.push([]);
      }
      continue;
    }
    lastLine = line.line;
    if (report.refuseCut(line, options)) continue;
    report.attempt(() => {
      const fields = splitFields(line.text, line.line);
      if (fields.length !== columns) {
        throw new DataError('DATA_COLUMN_COUNT', line.line, `${fields.length} columns, the header has ${columns}`);
      }
      const label = wallMinute(fields[0] ?? '', line.line, format.slotMinutes);
      const { loadWh, pvWh } = format.read(fields, line.line, report);
      const index = grid.place(format.orderOf(label), line.line);
      if (firstLine === 0) firstLine = line.line;
      for (const [home, values] of loads.entries()) setAt(values, index, loadWh[home] ?? 0);
      for (const [home, values] of pvs.entries()) setAt(values, index, pvWh[home] ?? 0);
    });
  }
  report.requireRows();
  grid.requireWholeDays(firstLine, lastLine);
  // Whole days hold every row, also of a cut file in tolerant mode; slots without a row are noted as missing.
  const startMinute = floorToDay(grid.startMinute);
  const slotCount =
    (ceilToDay(grid.startMinute + grid.slotCount * format.slotMinutes) - startMinute) / format.slotMinutes;
  const slots = Array.from({ length: grid.slotCount }, (_, index) => {
    const begin = format.beginOf(grid.startMinute + index * format.slotMinutes);
    return (begin - startMinute) / format.slotMinutes;
  });
  const absent = new Set(Array.from({ length: slotCount }, (_, slot) => slot));
  slots.forEach((slot, index) => {
    if (!grid.missing.some((gap) => index >= gap.firstSlot && index < gap.firstSlot + gap.slotCount))
      absent.delete(slot);
  });
  const order = (values: number[] | undefined): Int32Array => {
    const ordered = new Int32Array(slotCount);
    slots.forEach((slot, index) => {
      ordered[slot] = values?.[index] ?? 0;
    });
    return ordered;
  };
  const series: HouseholdSeries = {
    axis: 'wallClock',
    zone: zone.name,
    startMinute,
    slotMinutes: format.slotMinutes,
    slotCount,
    measured: format.measured,
    homes: (homes ?? []).map(
      ({ id }, home): HomeSeries => ({ id, loadWh: order(loads[home]), pvWh: order(pvs[home]) }),
    ),
    notes: [...clockNotes(zone, startMinute, format.slotMinutes, slotCount), ...missingRuns([...absent])],
  };
  warnOfImplausible(series, report, options.homesInSum ?? format.homesInSum);
  return { ...report.notes(), series };
}

function setAt(values: number[], index: number, value: number): void {
  while (values.length < index) values.push(0);
  values[index] = value;
}

function floorToDay(minute: number): number {
  return Math.floor(minute / MINUTES_PER_DAY) * MINUTES_PER_DAY;
}

function ceilToDay(minute: number): number {
  return Math.ceil(minute / MINUTES_PER_DAY) * MINUTES_PER_DAY;
}

function missingRuns(ascendingSlots: number[]): SlotNote[] {
  const notes: SlotNote[] = [];
  for (const slot of ascendingSlots) {
    const last = notes.at(-1);
    if (last !== undefined && last.firstSlot + last.slotCount === slot) last.slotCount += 1;
    else notes.push({ kind: 'missing', homeId: null, firstSlot: slot, slotCount: 1 });
  }
  return notes;
}

function wallMinute(text: string, line: number, slotMinutes: number): number {
  const { second, offsetMinutes } = parseTime(text, 'iso', line);
  const minute = second / 60;
  if (offsetMinutes !== null)
    throw new DataError('DATA_BAD_DATE', line, `'${text}' has an offset; local time is expected`);
  if (!Number.isInteger(minute) || minute % slotMinutes !== 0) {
    throw new DataError('DATA_BAD_DATE', line, `'${text}' is not on the ${slotMinutes}-minute grid`);
  }
  return minute;
}

function energyWh(text: string, line: number, field: string, report: ImportReport): number {
  const { value, rounded } = scaleDecimal(text, whScale('kWh', 60), { line, field });
  if (rounded) report.warn('DATA_ROUNDED', line, 'values finer than 1 Wh were rounded');
  return value;
}

function mismatch(line: number, found: string[], expected: string): DataError {
  const reason = `the header is '${found.join(',').slice(0, 80)}', expected ${expected}`;
  return new DataError('DATA_HEADER_MISMATCH', line, reason);
}

/**
 * Reads the hourly table of single homes: `hour_beginning_local`, then `c<id>_load_kWh` and `c<id>_pv_kWh` per home (general
 * consumption only). Rows are whole local days of 24 hours on the wall-clock axis; the empty and the double hour of the
 * clock changes are noted and warned about. Raises the DATA_* codes of its rows in strict mode.
 */
export function importAusgridHourly(
  input: DataInput,
  options: AusgridTableOptions = {},
): ImportNotes & { series: HouseholdSeries } {
  return readTable(input, options, {
    slotMinutes: 60,
    measured: 'gross',
    homesInSum: 1,
    header(fields, line) {
      const expected = 'hour_beginning_local, then c<id>_load_kWh and c<id>_pv_kWh for each home';
      if (fields[0] !== 'hour_beginning_local' || fields.length < 3) throw mismatch(line, fields, expected);
      const homes: HomeColumns[] = [];
      for (let column = 1; column < fields.length; column += 2) {
        const id = /^c(\d+)_load_kWh$/.exec(fields[column] ?? '')?.[1];
        if (id === undefined || fields[column + 1] !== `c${id}_pv_kWh` || homes.some((home) => home.id === id)) {
          throw mismatch(line, fields.slice(column), expected);
        }
        homes.push({ id });
      }
      return homes;
    },
    orderOf: (label) => label,
    beginOf: (order) => order,
    read(fields, line, report) {
      const loadWh: number[] = [];
      const pvWh: number[] = [];
      for (let column = 1; column < fields.length; column++) {
        const value = energyWh(fields[column] ?? '', line, `column ${column + 1}`, report);
        if (value < 0) throw new DataError('DATA_NEGATIVE_ENERGY', line, `column ${column + 1} is negative`);
        (column % 2 === 1 ? loadWh : pvWh).push(value);
      }
      return { loadWh, pvWh };
    },
  });
}

/**
 * Reads the half-hourly sum of 300 homes: `datetime,grossload_kWh,pv_kWh,netload_kWh,netload_kW`. Its labels are interval
 * ends of the raw rows glued to their own date, so `D 00:00` is the last half hour of day D although it stands first: it is
 * put there. A row whose balance or kW column does not follow from the others is refused (DATA_INCONSISTENT).
 */
export function importAusgridAggregate(
  input: DataInput,
  options: AusgridTableOptions = {},
): ImportNotes & { series: HouseholdSeries } {
  return readTable(input, options, {
    slotMinutes: 30,
    measured: 'gross',
    homesInSum: 300,
    header(fields, line) {
      const expected = 'datetime,grossload_kWh,pv_kWh,netload_kWh,netload_kW';
      if (fields.join(',') !== expected) throw mismatch(line, fields, expected);
      return [{ id: 'aggregate' }];
    },
    orderOf: (label) => label,
    beginOf: (order) => (order % MINUTES_PER_DAY === 0 ? order + MINUTES_PER_DAY : order) - 30,
    read(fields, line, report) {
      const [load, pv, net, netKw] = [1, 2, 3, 4].map((i) =>
        energyWh(fields[i] ?? '', line, `column ${i + 1}`, report),
      );
      if (load === undefined || pv === undefined || load < 0 || pv < 0) {
        throw new DataError('DATA_NEGATIVE_ENERGY', line, 'load and pv must not be negative');
      }
      if (net === undefined || Math.abs(net - (load - pv)) > 1) {
        throw new DataError('DATA_INCONSISTENT', line, `netload_kWh is not grossload_kWh - pv_kWh (${load - pv} Wh)`);
      }
      if (netKw === undefined || Math.abs(netKw - net * 2) > 2) {
        throw new DataError('DATA_INCONSISTENT', line, 'netload_kW is not twice netload_kWh of the half hour');
      }
      return { loadWh: [load], pvWh: [pv] };
    },
  });
}

/**
 * Reads the half-hourly net sum of 63 homes: an unnamed label column of true interval ends (`00:30` to the next day's
 * `00:00`) and `Column1` in kWh, export positive. Only the balance is known: the series is marked `net`.
 */
export function importAusgridNeighbourhood(
  input: DataInput,
  options: AusgridTableOptions = {},
): ImportNotes & { series: HouseholdSeries } {
  const result = readTable(input, options, {
    slotMinutes: 30,
    measured: 'net',
    homesInSum: 63,
    header(fields, line) {
      if (fields.join(',') !== ',Column1') throw mismatch(line, fields, "an empty first name, then 'Column1'");
      return [{ id: 'neighbourhood' }];
    },
    orderOf: (label) => label - 30,
    beginOf: (order) => order,
    read(fields, line, report) {
      const net = energyWh(fields[1] ?? '', line, 'Column1', report);
      return { loadWh: [Math.max(-net, 0)], pvWh: [Math.max(net, 0)] };
    },
  });
  result.warnings.push({
    code: 'DATA_NET_ONLY',
    line: 0,
    count: 1,
    message: `only the balance is known: loadWh is import and pvWh export, from ${formatMinute(result.series.startMinute)}`,
  });
  return result;
}
