import { type AcnImport, importAcnSessions } from './acn-sessions.ts';
import { importAusgridRaw } from './ausgrid-raw.ts';
import { importAusgridAggregate, importAusgridHourly, importAusgridNeighbourhood } from './ausgrid-tables.ts';
import { formatDay, formatMinute } from './civil-time.ts';
import { type ColumnSummary, summariseColumns } from './column-summary.ts';
import { CountedInput, type DataFormat, detectFormat } from './detect-format.ts';
import { DataError, type DataWarning, type RefusedRow } from './errors.ts';
import { type HouseholdSeries, slotWallMinute, totalWh } from './household-series.ts';
import type { ImportNotes, ImportOptions } from './import-report.ts';
import type { DataInput } from './lines.ts';
import { importMatpowerCase } from './matpower-case.ts';
import { importOebRates } from './oeb-rates.ts';
import { importOntarioPrices, type PriceSeries } from './ontario-prices.ts';
import { importOpenDssLoadShapes } from './opendss-load-shapes.ts';
import { timeZone } from './time-zone.ts';

/** One home's figures: energy in Wh over the span, largest slot in Wh. */
export interface HomeSummary {
  id: string;
  loadWh: number;
  pvWh: number;
  meanLoadW: number;
  peakLoadWh: number;
  peakPvWh: number;
}

/** What is in a file. Fields that a format does not have are null or empty; `error` is what stopped the reading. */
export interface FileDescription {
  format: DataFormat;
  lines: number;
  rows: number;
  unit: string | null;
  zone: string | null;
  axis: HouseholdSeries['axis'] | null;
  /** First instant and end of the last interval on the local clock, `YYYY-MM-DD HH:MM`. */
  from: string | null;
  to: string | null;
  slotMinutes: number | null;
  slotCount: number | null;
  homes: HomeSummary[];
  /** Slots that nobody measured, as local begin, number of slots and home (null: all). */
  gaps: { from: string; slotCount: number; homeId: string | null }[];
  clockChanges: { from: string; kind: 'clockForward' | 'clockBack'; slotCount: number }[];
  columns: ColumnSummary[];
  /** Further facts in words, such as the number of negative prices. */
  facts: string[];
  refused: RefusedRow[];
  refusedCount: number;
  warnings: DataWarning[];
  error: { code: string; line: number; reason: string } | null;
}

/**
 * Recognises a file by its first lines and reads it in tolerant mode. Never raises a DataError: what cannot be read at all is
 * told in `error`, with format `unknown` when the first lines fit nothing.
 */
export function describe(input: DataInput, options: Pick<ImportOptions, 'finalLineEnd'> = {}): FileDescription {
  const description = emptyDescription();
  try {
    const counted = new CountedInput(input);
    description.format = detectFormat(counted.head);
    READERS[description.format](description, counted.input, { ...options, mode: 'tolerant' });
    description.lines = counted.count;
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    description.error = { code: error.code, line: error.line, reason: error.reason };
  }
  return description;
}

type Reader = (description: FileDescription, input: DataInput, options: ImportOptions) => void;

const READERS: Record<DataFormat, Reader> = {
  'ausgrid-raw': (into, input, options) => fillSeries(into, importAusgridRaw(input, options), 'kWh per half hour'),
  'ausgrid-hourly': (into, input, options) => fillSeries(into, importAusgridHourly(input, options), 'kWh per hour'),
  'ausgrid-aggregate': (into, input, options) =>
    fillSeries(into, importAusgridAggregate(input, options), 'kWh per half hour, last column kW'),
  'ausgrid-neighbourhood': (into, input, options) =>
    fillSeries(into, importAusgridNeighbourhood(input, options), 'kWh per half hour, export positive'),
  'opendss-load-shapes': (into, input, options) => {
    fillSeries(into, importOpenDssLoadShapes(input, { ...options, day: '1970-01-01' }), 'kW');
    into.from = null;
    into.to = null;
    into.facts.push('the shapes carry no date');
  },
  'acn-sessions': (into, input, options) => fillSessions(into, importAcnSessions(input, options)),
  'ontario-prices': (into, input, options) => fillPrices(into, importOntarioPrices(input, options)),
  'oeb-rates': (into, input) => {
    const rates = importOebRates(input);
    into.unit = 'CAD cents per kWh';
    into.rows = rates.plans.length;
    for (const plan of rates.plans) {
      const extra = plan.ulo === undefined ? '' : ' with ultra-low-overnight';
      into.facts.push(`rates from ${formatDay(plan.effectiveDay)}${extra}`);
    }
  },
  'matpower-case': (into, input) => {
    const { buses, branches, totalLoadKw, warnings } = importMatpowerCase(input);
    into.unit = 'MW';
    into.rows = buses.length + branches.length;
    into.warnings = warnings;
    into.facts.push(`${buses.length} buses, ${branches.length} branches, ${totalLoadKw} kW of load`);
  },
  'other-csv': summariseColumns,
  unknown() {
    throw new DataError('DATA_UNKNOWN_FORMAT', 1, 'the first lines fit no known format and do not look like a table');
  },
};

function fillPrices(description: FileDescription, read: ImportNotes & PriceSeries): void {
  fillNotes(description, read);
  description.unit = 'CAD per kWh';
  description.zone = read.zone;
  description.slotMinutes = read.slotMinutes;
  description.slotCount = read.microCadPerKwh.length;
  description.from = formatMinute(read.startMinute);
  description.to = formatMinute(read.startMinute + read.microCadPerKwh.length * read.slotMinutes);
  description.facts.push(`${read.negativeHours.length} hours have a negative price`);
  description.facts.push(
    read.touUsable ? 'the TOU column has prices' : 'the TOU column is zero throughout: not usable',
  );
}

function fillNotes(description: FileDescription, notes: ImportNotes): void {
  description.rows = notes.rows;
  description.refused = notes.refused;
  description.refusedCount = notes.refusedCount;
  description.warnings = notes.warnings;
}

function fillSeries(description: FileDescription, read: ImportNotes & { series: HouseholdSeries }, unit: string): void {
  const { series } = read;
  const zone = timeZone(series.zone);
  const when = (slot: number) => formatMinute(slotWallMinute(series, slot, zone));
  fillNotes(description, read);
  description.unit = unit;
  description.zone = series.zone;
  description.axis = series.axis;
  description.from = when(0);
  description.to = when(series.slotCount);
  description.slotMinutes = series.slotMinutes;
  description.slotCount = series.slotCount;
  for (const { kind, firstSlot, slotCount, homeId } of series.notes) {
    if (kind === 'missing') description.gaps.push({ from: when(firstSlot), slotCount, homeId });
    else description.clockChanges.push({ from: when(firstSlot), kind, slotCount });
  }
  const hours = (series.slotCount * series.slotMinutes) / 60;
  for (const { id, loadWh, pvWh } of series.homes) {
    const total = totalWh(loadWh);
    const peak = (values: Int32Array) => values.reduce((a, b) => Math.max(a, b), 0);
    const summary = { id, loadWh: total, pvWh: totalWh(pvWh), meanLoadW: Math.round(total / hours) };
    description.homes.push({ ...summary, peakLoadWh: peak(loadWh), peakPvWh: peak(pvWh) });
  }
}

function fillSessions(description: FileDescription, read: AcnImport): void {
  fillNotes(description, read);
  description.unit = 'kWh per session';
  const { sessions } = read;
  const ends = sessions.map((session) => session.departureS).reduce((a, b) => Math.max(a, b), 0);
  description.zone = 'UTC';
  description.from = formatMinute(Math.floor((sessions[0]?.arrivalS ?? 0) / 60));
  description.to = formatMinute(Math.floor(ends / 60));
  const delivered = sessions.reduce((sum, session) => sum + session.deliveredWh, 0);
  description.facts.push(`${sessions.length} sessions at ${new Set(sessions.map((s) => s.stationId)).size} stations`);
  description.facts.push(`${delivered} Wh delivered`, `${read.longStays.length} stays exceed 24 h`);
}

function emptyDescription(): FileDescription {
  return {
    format: 'unknown',
    lines: 0,
    rows: 0,
    unit: null,
    zone: null,
    axis: null,
    from: null,
    to: null,
    slotMinutes: null,
    slotCount: null,
    homes: [],
    gaps: [],
    clockChanges: [],
    columns: [],
    facts: [],
    refused: [],
    refusedCount: 0,
    warnings: [],
    error: null,
  };
}
