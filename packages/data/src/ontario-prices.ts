import { checkedDay, formatMinute, MINUTES_PER_DAY } from './civil-time.ts';
import { DataError } from './errors.ts';
import { type ImportNotes, type ImportOptions, ImportReport } from './import-report.ts';
import { IntervalGrid } from './interval-grid.ts';
import { type DataInput, numberedLines, splitFields } from './lines.ts';
import { scaleDecimal } from './quantity.ts';

const HEADER = 'date,hour,HOEP,TOU';
const MICRO = { numerator: 1_000_000, denominator: 1 };

/** Options of the Ontario price table. */
export interface OntarioPriceOptions extends ImportOptions {
  /** The column to use as price. Default `HOEP`; `TOU` is refused (DATA_TOU_UNUSABLE) when it is zero throughout. */
  column?: 'HOEP' | 'TOU';
}

/** Hourly prices in 10^-6 CAD per kWh. Ontario's market keeps Eastern Standard Time all year, so each day has 24 hours. */
export interface PriceSeries {
  zone: '-05:00';
  /** Local minute since 1970-01-01 00:00 at which the first hour begins. */
  startMinute: number;
  slotMinutes: 60;
  microCadPerKwh: Int32Array;
  /** Hours whose price is below zero: a market that assumes pImport > pExport > 0 must be told what to do with them. */
  negativeHours: number[];
  touUsable: boolean;
}

/** Reads `date,hour,HOEP,TOU`: day first, hours 1 to 24 being interval ends, CAD per kWh. Whole days in order. */
export function importOntarioPrices(input: DataInput, options: OntarioPriceOptions = {}): ImportNotes & PriceSeries {
  const report = new ImportReport(options);
  const grid = new IntervalGrid(report, 60);
  const hoep: number[] = [];
  const tou: number[] = [];
  let headed = false;
  let [firstLine, lastLine] = [0, 0];
  for (const line of numberedLines(input)) {
    if (!headed) {
      if (splitFields(line.text, line.line).join(',') !== HEADER) {
        throw new DataError(
          'DATA_HEADER_MISMATCH',
          line.line,
          `the header is '${line.text.slice(0, 60)}', expected ${HEADER}`,
        );
      }
      headed = true;
      continue;
    }
    lastLine = line.line;
    if (report.refuseCut(line, options)) continue;
    report.attempt(() => {
      const fields = splitFields(line.text, line.line);
      if (fields.length !== 4)
        throw new DataError('DATA_COLUMN_COUNT', line.line, `${fields.length} columns, expected 4`);
      const [date = '', hour = '', price = '', touPrice = ''] = fields;
      const begin = hourBegin(date, hour, line.line);
      const [hoepMicro, touMicro] = [micro(price, 'HOEP', line.line), micro(touPrice, 'TOU', line.line)];
      const slot = grid.place(begin, line.line);
      if (firstLine === 0) firstLine = line.line;
      // Hours missing in tolerant mode are not given a price of zero silently: they are refused by their gap below.
      while (hoep.length < slot) {
        hoep.push(0);
        tou.push(0);
      }
      hoep.push(hoepMicro);
      tou.push(touMicro);
      if (hoepMicro < 0) report.warn('DATA_NEGATIVE_PRICE', line.line, 'hours with a negative price');
    });
  }
  report.requireRows();
  grid.requireWholeDays(firstLine, lastLine);
  for (const gap of grid.missing) {
    const when = formatMinute(grid.startMinute + gap.firstSlot * 60);
    report.refuse('DATA_GAP', gap.line, `${gap.slotCount} hour(s) from ${when} have no price and stand as 0`);
  }
  const touUsable = tou.some((value) => value !== 0);
  if (!touUsable) {
    report.warn('DATA_TOU_ALL_ZERO', 0, 'the TOU column is zero throughout: use the OEB rates instead');
    if (options.column === 'TOU') {
      const reason = 'the TOU column is zero throughout and cannot serve as a price; use the OEB rates';
      throw new DataError('DATA_TOU_UNUSABLE', firstLine, reason);
    }
  }
  const chosen = Int32Array.from(options.column === 'TOU' ? tou : hoep);
  const negativeHours: number[] = [];
  chosen.forEach((value, hour) => {
    if (value < 0) negativeHours.push(hour);
  });
  return {
    ...report.notes(),
    zone: '-05:00',
    startMinute: grid.startMinute,
    slotMinutes: 60,
    microCadPerKwh: chosen,
    negativeHours,
    touUsable,
  };
}

function hourBegin(date: string, hour: string, line: number): number {
  const match = /^(\d{2})\/(\d{2})\/(\d{4})$/.exec(date);
  if (match === null) throw new DataError('DATA_BAD_DATE', line, `'${date}' is not a date like 31/01/2016`);
  const day = checkedDay({ year: Number(match[3]), month: Number(match[2]), day: Number(match[1]) }, line, date);
  if (!/^\d{1,2}$/.test(hour) || Number(hour) < 1 || Number(hour) > 24) {
    throw new DataError('DATA_BAD_DATE', line, `hour '${hour}' is not between 1 and 24`);
  }
  return day * MINUTES_PER_DAY + (Number(hour) - 1) * 60;
}

function micro(text: string, field: string, line: number): number {
  return scaleDecimal(text, MICRO, { line, field }).value;
}
