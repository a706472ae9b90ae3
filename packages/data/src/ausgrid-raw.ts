import { checkedDay, formatDay, MINUTES_PER_DAY } from './civil-time.ts';
import { DataError } from './errors.ts';
import { clockNotes, type HomeSeries, type HouseholdSeries, type SlotNote } from './household-series.ts';
import { type ImportNotes, type ImportOptions, ImportReport } from './import-report.ts';
import { type DataInput, type NumberedLine, numberedLines, splitFields } from './lines.ts';
import { warnOfImplausible } from './plausibility.ts';
import { scaleDecimal, whScale } from './quantity.ts';
import { timeZone } from './time-zone.ts';

const SLOT_MINUTES = 30;
const SLOTS_PER_DAY = 48;
const COLUMNS = 54;
const FIRST_VALUE = 5;
const CATEGORIES = ['GC', 'CL', 'GG'] as const;
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

type Category = (typeof CATEGORIES)[number];

/** Options of the raw Ausgrid format. */
export interface AusgridRawOptions extends ImportOptions {
  /** Clock of the labels. Default `Australia/Sydney`, which changes on the first Sunday of October and of April. */
  zone?: string;
  /** Whether controlled load (CL, mostly hot water) is part of a home's load beside general consumption. Default true. */
  includeControlledLoad?: boolean;
}

interface RawRow {
  customer: string;
  capacityW: number;
  postcode: string;
  category: Category;
  day: number;
  valuesWh: number[];
  line: number;
}

interface CustomerState {
  id: string;
  capacityW: number;
  postcode: string;
  firstDay: number;
  lastDay: number;
  lastLine: number;
  /** Last day seen per category: dates must rise within each. */
  seen: Map<Category, number>;
  /** Per day number and category the 48 values. */
  days: Map<number, Map<Category, Int32Array>>;
}

/**
 * Reads the raw Ausgrid rows: customer, capacity in kWp, postcode, category, date, 48 half hours in kWh labelled by their
 * ends 0:30 to 0:00 (0:00 being the end of the row's own day), row quality. A note line and a header may come first; dates
 * are all `1-Jul-10` or all `1/07/2012` (day first). Half hours become slots in order, on the wall-clock axis, with GG as
 * production and GC (plus CL by option) as load. Rows of a customer must be together with dates rising per category, each
 * day with the same categories; customers must cover the same days. Raises the DATA_* codes of its rows in strict mode.
 */
export function importAusgridRaw(
  input: DataInput,
  options: AusgridRawOptions = {},
): ImportNotes & { series: HouseholdSeries } {
  const report = new ImportReport(options);
  const zone = timeZone(options.zone ?? 'Australia/Sydney');
  const customers = new Map<string, CustomerState>();
  const reader = new RowReader(report);
  let current: CustomerState | undefined;
  for (const row of dataRows(numberedLines(input), report, options)) {
    report.attempt(() => {
      const read = reader.read(row);
      if (current === undefined || current.id !== read.customer) {
        if (customers.has(read.customer)) {
          const reason = `customer ${read.customer} returns after ${current?.id}; a customer's rows must be together`;
          throw new DataError('DATA_OUT_OF_ORDER', row.line, reason);
        }
        current = newCustomer(read);
        customers.set(read.customer, current);
      }
      addRow(current, read);
    });
  }
  report.requireRows();
  const series = assemble([...customers.values()], zone, report, options.includeControlledLoad ?? true);
  warnOfImplausible(series, report);
  return { ...report.notes(), series };
}

/** Skips a note line and a header, and refuses a last line that may have been cut. */
function* dataRows(
  lines: Iterable<NumberedLine>,
  report: ImportReport,
  options: ImportOptions,
): Generator<NumberedLine> {
  let note: NumberedLine | undefined;
  let begun = false;
  for (const line of lines) {
    const head = begun ? '' : (line.text.split(',')[0] ?? '').trim();
    if (!begun && /^customer$/i.test(head)) {
      checkHeader(line);
      begun = true;
      note = undefined;
      continue;
    }
    if (!begun && line.line === 1 && !/^\d+$/.test(head)) {
      note = line;
      continue;
    }
    if (note !== undefined) {
      const reason = 'line 1 is neither a header nor a row of figures, and no header follows it';
      throw new DataError('DATA_HEADER_MISMATCH', 1, reason);
    }
    begun = true;
    if (!report.refuseCut(line, options)) yield line;
  }
  if (note !== undefined) throw new DataError('DATA_UNKNOWN_FORMAT', 1, 'the only line is not a raw Ausgrid row');
}

function checkHeader({ text, line }: NumberedLine): void {
  const fields = splitFields(text, line).map((field) => field.toLowerCase());
  const labels = Array.from({ length: SLOTS_PER_DAY }, (_, i) => {
    const end = ((i + 1) * SLOT_MINUTES) % MINUTES_PER_DAY;
    return `${Math.floor(end / 60)}:${String(end % 60).padStart(2, '0')}`;
  });
  const expected = [
    'customer',
    'generator capacity',
    'postcode',
    'consumption category',
    'date',
    ...labels,
    'row quality',
  ];
  const wrong = expected.findIndex((name, i) => fields[i] !== name);
  if (wrong >= 0 || fields.length !== COLUMNS) {
    const found = fields[Math.max(0, wrong)] ?? 'nothing';
    const reason = `column ${wrong + 1} of the header is '${found}', expected '${expected[wrong] ?? 'no more columns'}'`;
    throw new DataError('DATA_HEADER_MISMATCH', line, reason);
  }
}

class RowReader {
  readonly #report: ImportReport;
  #dateStyle: 'month name' | 'day/month/year' | null = null;

  constructor(report: ImportReport) {
    this.#report = report;
  }

  read({ text, line }: NumberedLine): RawRow {
    const fields = splitFields(text, line);
    if (fields.length !== COLUMNS) {
      throw new DataError('DATA_COLUMN_COUNT', line, `${fields.length} columns, a raw Ausgrid row has ${COLUMNS}`);
    }
    const [customer = '', capacity = '', postcode = '', category = '', date = ''] = fields;
    if (!/^\d+$/.test(customer)) throw new DataError('DATA_BAD_ID', line, `customer '${customer}' is not a number`);
    if (!isCategory(category)) {
      throw new DataError('DATA_BAD_CATEGORY', line, `category '${category}' is none of GC, CL, GG`);
    }
    const valuesWh: number[] = [];
    for (let slot = 0; slot < SLOTS_PER_DAY; slot++) {
      const field = `half hour ${slot + 1}`;
      const { value, rounded } = scaleDecimal(fields[FIRST_VALUE + slot] ?? '', KWH, { line, field });
      if (value < 0) throw new DataError('DATA_NEGATIVE_ENERGY', line, `${field} is negative`);
      if (rounded) this.#report.warn('DATA_ROUNDED', line, 'values finer than 1 Wh were rounded');
      valuesWh.push(value);
    }
    const capacityW = scaleDecimal(capacity, KWH, { line, field: 'capacity' }).value;
    const day = this.#day(date, line);
    const quality = fields[COLUMNS - 1] ?? '';
    if (quality !== '') {
      this.#report.warn(
        'DATA_ROW_QUALITY',
        line,
        `row quality is '${quality}': values that were estimated or substituted`,
      );
    }
    return { customer, capacityW, postcode, category, day, valuesWh, line };
  }

  #day(text: string, line: number): number {
    const named = /^(\d{1,2})-([A-Za-z]{3})-(\d{2}|\d{4})$/.exec(text);
    const slashed = /^(\d{1,2})\/(\d{1,2})\/(\d{4})$/.exec(text);
    const match = named ?? slashed;
    if (match === null)
      throw new DataError('DATA_BAD_DATE', line, `'${text}' is neither like 1-Jul-10 nor like 1/07/2012`);
    const month = named === null ? Number(match[2]) : MONTHS.indexOf((match[2] ?? '').toLowerCase()) + 1;
    const year = (match[3] ?? '').length === 2 ? 2000 + Number(match[3]) : Number(match[3]);
    const day = checkedDay({ year, month, day: Number(match[1]) }, line, text);
    const style = named === null ? 'day/month/year' : 'month name';
    this.#dateStyle ??= style;
    if (this.#dateStyle !== style) {
      throw new DataError(
        'DATA_BAD_DATE',
        line,
        `'${text}' is written otherwise than the dates before it (${this.#dateStyle})`,
      );
    }
    return day;
  }
}

const KWH = whScale('kWh', SLOT_MINUTES);

function isCategory(text: string): text is Category {
  return (CATEGORIES as readonly string[]).includes(text);
}

function newCustomer(row: RawRow): CustomerState {
  return {
    id: row.customer,
    capacityW: row.capacityW,
    postcode: row.postcode,
    firstDay: row.day,
    lastDay: row.day,
    lastLine: row.line,
    seen: new Map(),
    days: new Map(),
  };
}

function addRow(state: CustomerState, row: RawRow): void {
  if (row.capacityW !== state.capacityW || row.postcode !== state.postcode) {
    const reason = `customer ${row.customer} changes capacity or postcode within the file`;
    throw new DataError('DATA_INCONSISTENT', row.line, reason);
  }
  const previous = state.seen.get(row.category);
  if (previous === row.day) {
    const reason = `customer ${row.customer} has ${row.category} of ${formatDay(row.day)} twice`;
    throw new DataError('DATA_DUPLICATE', row.line, reason);
  }
  const first = previous === undefined;
  if (previous !== undefined && row.day < previous) {
    const reason = `${row.category} of ${formatDay(row.day)} comes after that of ${formatDay(previous)}`;
    throw new DataError('DATA_OUT_OF_ORDER', row.line, reason);
  }
  if (previous !== undefined && row.day > previous + 400) {
    throw new DataError(
      'DATA_GAP',
      row.line,
      `${formatDay(row.day)} is more than 400 days after ${formatDay(previous)}`,
    );
  }
  if (first && Math.abs(row.day - state.firstDay) > 400) {
    throw new DataError(
      'DATA_GAP',
      row.line,
      `${formatDay(row.day)} is more than 400 days from the customer's first row`,
    );
  }
  state.seen.set(row.category, row.day);
  state.firstDay = Math.min(state.firstDay, row.day);
  state.lastDay = Math.max(state.lastDay, row.day);
  state.lastLine = row.line;
  const day = state.days.get(row.day) ?? new Map<Category, Int32Array>();
  day.set(row.category, Int32Array.from(row.valuesWh));
  state.days.set(row.day, day);
}

function assemble(
  customers: CustomerState[],
  zone: ReturnType<typeof timeZone>,
  report: ImportReport,
  withControlledLoad: boolean,
): HouseholdSeries {
  let [firstDay, lastDay] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { firstDay: first, lastDay: last } of customers) {
    firstDay = Math.min(firstDay, first);
    lastDay = Math.max(lastDay, last);
  }
  const slotCount = (lastDay - firstDay + 1) * SLOTS_PER_DAY;
  const startMinute = firstDay * MINUTES_PER_DAY;
  const notes: SlotNote[] = clockNotes(zone, startMinute, SLOT_MINUTES, slotCount);
  const homes: HomeSeries[] = [];
  customers.forEach((customer, index) => {
    const isLast = index === customers.length - 1;
    const loadWh = new Int32Array(slotCount);
    const pvWh = new Int32Array(slotCount);
    const needed = CATEGORIES.filter((c) => c === 'GC' || customer.seen.has(c));
    for (let day = firstDay; day <= lastDay; day++) {
      const rows = customer.days.get(day);
      const lacking = needed.filter((category) => !rows?.has(category));
      const from = (day - firstDay) * SLOTS_PER_DAY;
      if (lacking.length > 0) {
        refuseIncomplete(customer, day, lacking, isLast, report);
        addMissing(notes, customer.id, from);
        continue;
      }
      for (let slot = 0; slot < SLOTS_PER_DAY; slot++) {
        const controlled = withControlledLoad ? (rows?.get('CL')?.[slot] ?? 0) : 0;
        loadWh[from + slot] = (rows?.get('GC')?.[slot] ?? 0) + controlled;
        pvWh[from + slot] = rows?.get('GG')?.[slot] ?? 0;
      }
    }
    const { id, capacityW, postcode } = customer;
    homes.push({ id, loadWh, pvWh, capacityW, postcode });
  });
  return {
    axis: 'wallClock',
    zone: zone.name,
    startMinute,
    slotMinutes: SLOT_MINUTES,
    slotCount,
    measured: 'gross',
    homes,
    notes,
  };
}

function refuseIncomplete(
  customer: CustomerState,
  day: number,
  lacking: Category[],
  isLast: boolean,
  report: ImportReport,
) {
  const atEnd = isLast && day >= customer.lastDay;
  const reason = `customer ${customer.id} has no ${lacking.join(', ')} row for ${formatDay(day)}`;
  const advice = atEnd ? ', the end of the file is missing' : ', a day that other rows of the file cover';
  report.refuse(atEnd ? 'DATA_TRUNCATED' : 'DATA_GAP', customer.lastLine, `${reason}${advice}`);
}

function addMissing(notes: SlotNote[], homeId: string, firstSlot: number): void {
  const last = notes.at(-1);
  if (last?.kind === 'missing' && last.homeId === homeId && last.firstSlot + last.slotCount === firstSlot) {
    last.slotCount += SLOTS_PER_DAY;
    return;
  }
  notes.push({ kind: 'missing', homeId, firstSlot, slotCount: SLOTS_PER_DAY });
}
