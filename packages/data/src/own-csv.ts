import { type DateOrder, MINUTES_PER_DAY, parseTime } from './civil-time.ts';
import { DataError } from './errors.ts';
import type { HomeSeries, HouseholdSeries, PositionM, SlotNote } from './household-series.ts';
import { type ImportNotes, type ImportOptions, ImportReport } from './import-report.ts';
import { IntervalGrid } from './interval-grid.ts';
import { type DataInput, numberedLines, splitFields } from './lines.ts';
import { warnOfImplausible } from './plausibility.ts';
import { type EnergyUnit, scaleDecimal, whScale } from './quantity.ts';
import { type TimeZone, timeZone, utcCandidates } from './time-zone.ts';

/** Names of the columns that hold one home's energy: load and production, or their balance with export positive. */
export type EnergyColumns = { loadColumn: string; pvColumn?: string } | { netColumn: string };

/** Where a home's place is: columns (long layout) or values. */
export interface WideHome {
  id: string;
  energy: EnergyColumns;
  positionM?: PositionM;
  bus?: string;
}

/** How to read somebody's own file. `long` has a row per home and interval, `wide` a row per interval. */
export interface OwnCsvOptions extends ImportOptions {
  layout:
    | {
        kind: 'long';
        homeColumn: string;
        energy: EnergyColumns;
        /** Columns with the position in km. */
        positionColumns?: { xKm: string; yKm: string };
        busColumn?: string;
      }
    | { kind: 'wide'; homes: WideHome[] };
  timeColumn: string;
  /** Unit of the energy columns; kW and W are means over the interval. */
  unit: EnergyUnit;
  /** `UTC`, a fixed offset or a name; used for times that carry no offset themselves, and for the local day. */
  zone: string;
  /** Whether a time is the start or the end of its interval. */
  timeMeans: 'start' | 'end';
  /** Length of an interval. Without it the distance of a home's first two rows is taken. */
  slotMinutes?: number;
  /** Default `iso`. */
  dateOrder?: DateOrder;
  /** Default comma. */
  delimiter?: ',' | ';' | '\t';
}

interface PendingRow {
  fields: string[];
  line: number;
}

interface HomeState {
  id: string;
  grid: IntervalGrid;
  /** Load and production per row of the home's own grid. */
  loadWh: number[];
  pvWh: number[];
  lastLine: number;
  positionM?: PositionM;
  bus?: string;
}

/**
 * Reads somebody's own CSV by an explicit mapping: nothing is guessed but the interval length. The result is on the elapsed
 * axis: a local hour that happens twice is told apart by the order of rows, one that does not exist is refused. Each home's
 * rows must be in time order without gaps and all homes must cover the same span (tolerant mode notes what is missing).
 */
export function importOwnCsv(input: DataInput, options: OwnCsvOptions): ImportNotes & { series: HouseholdSeries } {
  const report = new ImportReport(options);
  const zone = timeZone(options.zone);
  if (options.slotMinutes !== undefined) checkSlotMinutes(options.slotMinutes, 0);
  let reader: RowReader | undefined;
  const pending: PendingRow[] = [];
  const delimiter = options.delimiter ?? ',';
  for (const line of numberedLines(input)) {
    if (reader === undefined) {
      reader = new RowReader(splitFields(line.text, line.line, delimiter), line.line, options, zone, report);
      continue;
    }
    if (report.refuseCut(line, options)) continue;
    pending.push({ fields: [], line: line.line });
    const row = pending.at(-1) as PendingRow;
    if (!collect(row, line.text, delimiter, report)) pending.pop();
    else if (reader.ready(row)) for (const next of pending.splice(0)) accept(reader, next, report);
  }
  if (reader !== undefined && pending.length > 0) {
    for (const row of pending) reader.checkTime(row);
    const reason = 'no home has two rows, so the length of an interval is unknown; state slotMinutes';
    throw new DataError('DATA_INVALID_OPTION', pending[0]?.line ?? 0, reason);
  }
  report.requireRows();
  const series = assemble((reader as RowReader).finish(), zone, options, report);
  warnOfImplausible(series, report);
  if (series.measured === 'net') {
    report.warn('DATA_NET_ONLY', 0, 'only the balance is known: loadWh is net import and pvWh net export');
  }
  return { ...report.notes(), series };
}

function collect(row: PendingRow, text: string, delimiter: string, report: ImportReport): boolean {
  try {
    row.fields = splitFields(text, row.line, delimiter);
    return true;
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    report.refuse(error.code, error.line, error.reason);
    return false;
  }
}

function accept(reader: RowReader, row: PendingRow, report: ImportReport): void {
  report.attempt(() => reader.read(row));
}

function checkSlotMinutes(slotMinutes: number, line: number): void {
  if (Number.isInteger(slotMinutes) && slotMinutes > 0 && MINUTES_PER_DAY % slotMinutes === 0) return;
  const reason = `an interval of ${slotMinutes} min does not divide the day; check the times or state slotMinutes`;
  throw new DataError(line > 0 ? 'DATA_INCONSISTENT' : 'DATA_INVALID_OPTION', line, reason);
}

interface HomeReading {
  id: string;
  energy: { load: number; pv: number | null } | { net: number };
  position?: { x: number; y: number };
  busColumn?: number;
  wide?: WideHome;
}

class RowReader {
  readonly #columns: string[];
  readonly #options: OwnCsvOptions;
  readonly #zone: TimeZone;
  readonly #report: ImportReport;
  readonly #homes = new Map<string, HomeState>();
  readonly #time: number;
  readonly #homeColumn: number | null;
  readonly #readings: HomeReading[];
  readonly #firstTimes = new Map<string, number>();
  #slotMinutes: number | undefined;

  constructor(columns: string[], line: number, options: OwnCsvOptions, zone: TimeZone, report: ImportReport) {
    this.#columns = columns;
    this.#options = options;
    this.#zone = zone;
    this.#report = report;
    this.#slotMinutes = options.slotMinutes;
    const repeated = columns.find((name, i) => name !== '' && columns.indexOf(name) !== i);
    if (repeated !== undefined) throw new DataError('DATA_HEADER_MISMATCH', line, `column '${repeated}' appears twice`);
    const at = (name: string): number => {
      const index = columns.indexOf(name);
      if (index >= 0) return index;
      const known = columns.join(', ').slice(0, 200);
      throw new DataError('DATA_HEADER_MISMATCH', line, `there is no column '${name}'; the header has: ${known}`);
    };
    const energyAt = (energy: EnergyColumns): HomeReading['energy'] =>
      'netColumn' in energy
        ? { net: at(energy.netColumn) }
        : { load: at(energy.loadColumn), pv: energy.pvColumn === undefined ? null : at(energy.pvColumn) };
    this.#time = at(options.timeColumn);
    const { layout } = options;
    if (layout.kind === 'long') {
      this.#homeColumn = at(layout.homeColumn);
      const reading: HomeReading = { id: '', energy: energyAt(layout.energy) };
      if (layout.positionColumns !== undefined) {
        reading.position = { x: at(layout.positionColumns.xKm), y: at(layout.positionColumns.yKm) };
      }
      if (layout.busColumn !== undefined) reading.busColumn = at(layout.busColumn);
      this.#readings = [reading];
    } else {
      this.#homeColumn = null;
      this.#readings = layout.homes.map((home) => ({ id: home.id, energy: energyAt(home.energy), wide: home }));
      const ids = new Set(layout.homes.map((home) => home.id));
      if (ids.size !== layout.homes.length || ids.size === 0) {
        throw new DataError('DATA_INVALID_OPTION', 0, 'layout.homes needs at least one home, and ids that differ');
      }
    }
  }

  /** Whether the interval length is known, so that rows can be read; learns it from a home's second row. */
  ready({ fields, line }: PendingRow): boolean {
    if (this.#slotMinutes !== undefined) return true;
    const id = this.#homeColumn === null ? '' : (fields[this.#homeColumn] ?? '');
    let minute: number;
    try {
      minute = this.#utcMinute(fields[this.#time] ?? '', line, this.#firstTimes.get(id));
    } catch (error) {
      if (error instanceof DataError) return false;
      throw error;
    }
    const first = this.#firstTimes.get(id);
    if (first === undefined) {
      this.#firstTimes.set(id, minute);
      return false;
    }
    checkSlotMinutes(minute - first, line);
    this.#slotMinutes = minute - first;
    return true;
  }

  /** Raises what is wrong with a row's time stamp. */
  checkTime({ fields, line }: PendingRow): void {
    this.#utcMinute(fields[this.#time] ?? '', line, undefined);
  }

  read({ fields, line }: PendingRow): void {
    if (fields.length !== this.#columns.length) {
      const reason = `${fields.length} columns, the header has ${this.#columns.length}`;
      throw new DataError('DATA_COLUMN_COUNT', line, reason);
    }
    const slotMinutes = this.#slotMinutes ?? 0;
    const values = this.#readings.map((reading) => this.#energy(reading, fields, line, slotMinutes));
    const homes = this.#readings.map((reading) => this.#home(reading, fields, line));
    const first = homes[0] as HomeState;
    const expected =
      first.grid.slotCount === 0 ? undefined : first.grid.startMinute + first.grid.slotCount * slotMinutes;
    const shift = this.#options.timeMeans === 'end' ? slotMinutes : 0;
    const label = expected === undefined ? undefined : expected + shift - slotMinutes;
    const begin = this.#utcMinute(fields[this.#time] ?? '', line, label) - shift;
    homes.forEach((home, index) => {
      const slot = home.grid.place(begin, line);
      while (home.loadWh.length < slot) {
        home.loadWh.push(0);
        home.pvWh.push(0);
      }
      home.loadWh.push(values[index]?.loadWh ?? 0);
      home.pvWh.push(values[index]?.pvWh ?? 0);
      home.lastLine = line;
      this.#homes.set(home.id, home);
    });
  }

  finish(): HomeState[] {
    return [...this.#homes.values()];
  }

  /** UTC minute of a time stamp. Of a local time that happens twice, the first that lies after `previous` is meant. */
  #utcMinute(text: string, line: number, previous: number | undefined): number {
    const { second, offsetMinutes } = parseTime(text, this.#options.dateOrder ?? 'iso', line);
    if (second % 60 !== 0) throw new DataError('DATA_BAD_DATE', line, `'${text}' is not on a whole minute`);
    const wall = second / 60;
    if (offsetMinutes !== null) return wall - offsetMinutes;
    const candidates = utcCandidates(this.#zone, wall);
    const chosen = candidates.find((utc) => previous === undefined || utc > previous) ?? candidates.at(-1);
    if (chosen === undefined) {
      const reason = `'${text}' does not exist in ${this.#zone.name}, whose clock goes forward then`;
      throw new DataError('DATA_NONEXISTENT_TIME', line, reason);
    }
    return chosen;
  }

  #energy(reading: HomeReading, fields: string[], line: number, slotMinutes: number): { loadWh: number; pvWh: number } {
    const scale = whScale(this.#options.unit, slotMinutes);
    const value = (column: number): number => {
      const field = `column '${this.#columns[column]}'`;
      const result = scaleDecimal(fields[column] ?? '', scale, { line, field });
      if (result.rounded) this.#report.warn('DATA_ROUNDED', line, 'values finer than 1 Wh were rounded');
      return result.value;
    };
    if ('net' in reading.energy) {
      const net = value(reading.energy.net);
      return { loadWh: Math.max(-net, 0), pvWh: Math.max(net, 0) };
    }
    const loadWh = value(reading.energy.load);
    const pvWh = reading.energy.pv === null ? 0 : value(reading.energy.pv);
    if (loadWh < 0 || pvWh < 0) {
      throw new DataError(
        'DATA_NEGATIVE_ENERGY',
        line,
        'load and production must not be negative; map a net column as net',
      );
    }
    return { loadWh, pvWh };
  }

  #home(reading: HomeReading, fields: string[], line: number): HomeState {
    const id = this.#homeColumn === null ? reading.id : (fields[this.#homeColumn] ?? '');
    if (id === '') throw new DataError('DATA_BAD_ID', line, 'the home has no name');
    const place: { positionM?: PositionM; bus?: string } = {};
    if (reading.wide?.positionM !== undefined) place.positionM = reading.wide.positionM;
    if (reading.wide?.bus !== undefined) place.bus = reading.wide.bus;
    if (reading.position !== undefined) {
      const metres = (column: number) => {
        const field = `column '${this.#columns[column]}'`;
        return scaleDecimal(fields[column] ?? '', { numerator: 1000, denominator: 1 }, { line, field }).value;
      };
      place.positionM = { xM: metres(reading.position.x), yM: metres(reading.position.y) };
    }
    if (reading.busColumn !== undefined) place.bus = fields[reading.busColumn] ?? '';
    const known = this.#homes.get(id);
    if (known === undefined) {
      const grid = new IntervalGrid(this.#report, this.#slotMinutes ?? 0, `home ${id}`);
      return { id, grid, loadWh: [], pvWh: [], lastLine: line, ...place };
    }
    const moved = known.positionM?.xM !== place.positionM?.xM || known.positionM?.yM !== place.positionM?.yM;
    if (moved || known.bus !== place.bus) {
      throw new DataError('DATA_INCONSISTENT', line, `home ${id} changes its position or bus within the file`);
    }
    return known;
  }
}

function assemble(homes: HomeState[], zone: TimeZone, options: OwnCsvOptions, report: ImportReport): HouseholdSeries {
  const slotMinutes = homes[0]?.grid.stepMinutes ?? 0;
  const startMinute = homes.reduce((least, { grid }) => Math.min(least, grid.startMinute), Number.POSITIVE_INFINITY);
  const endMinute = homes.reduce(
    (most, { grid }) => Math.max(most, grid.startMinute + grid.slotCount * slotMinutes),
    Number.NEGATIVE_INFINITY,
  );
  const slotCount = Math.ceil((endMinute - startMinute) / slotMinutes);
  const notes: SlotNote[] = [];
  const series: HomeSeries[] = [];
  for (const home of homes) {
    const offset = (home.grid.startMinute - startMinute) / slotMinutes;
    if (!Number.isInteger(offset)) {
      report.refuse(
        'DATA_INCONSISTENT',
        home.lastLine,
        `home ${home.id} is on another grid of times than the first home`,
      );
      continue;
    }
    const missing = (firstSlot: number, count: number) => {
      if (count > 0) notes.push({ kind: 'missing', homeId: home.id, firstSlot, slotCount: count });
    };
    const tail = slotCount - offset - home.grid.slotCount;
    if (offset > 0 || tail > 0) {
      const reason = `home ${home.id} lacks ${offset} interval(s) at the beginning and ${tail} at the end that others have`;
      report.refuse(tail > 0 ? 'DATA_TRUNCATED' : 'DATA_GAP', home.lastLine, reason);
    }
    missing(0, offset);
    for (const gap of home.grid.missing) missing(offset + gap.firstSlot, gap.slotCount);
    missing(slotCount - tail, tail);
    const loadWh = new Int32Array(slotCount);
    const pvWh = new Int32Array(slotCount);
    loadWh.set(home.loadWh, offset);
    pvWh.set(home.pvWh, offset);
    const entry: HomeSeries = { id: home.id, loadWh, pvWh };
    if (home.positionM !== undefined) entry.positionM = home.positionM;
    if (home.bus !== undefined) entry.bus = home.bus;
    series.push(entry);
  }
  const energies = options.layout.kind === 'long' ? [options.layout.energy] : options.layout.homes.map((h) => h.energy);
  const measured = energies.some((energy) => 'netColumn' in energy) ? 'net' : 'gross';
  return { axis: 'elapsed', zone: zone.name, startMinute, slotMinutes, slotCount, measured, homes: series, notes };
}
