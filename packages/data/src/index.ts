/**
 * Household and charging data for the market: a seeded generator of prosumers, strict readers of the published data sets and
 * of people's own CSV, and a description of what a file holds.
 *
 * Guarantees. Pure: text, bytes and options come in, plain objects and typed arrays of integer Wh (money: 10^-6 CAD) go out;
 * no disk, clock or ambient randomness. Decimals are scaled to integers exactly and rounded half away from zero. In strict
 * mode (the default) every row read has the right columns, its place in time, and plausible signs, or the import stops with
 * a DataError that names the line; in tolerant mode such rows are listed, and slots without a row are noted as missing. What
 * is accepted with a reservation (clock changes, units that look wrong, negative prices) comes back as warnings.
 *
 * Limits of that guarantee. A file cut exactly between two days, or a session file between two sessions, is a valid shorter
 * file: compare the span. Named zones and the generator use the engine's zone tables and Math functions; figures that peers
 * must agree on go through announcements, never through each peer's own import.
 *
 * Deviation from the thesis. It draws one production and one consumption per prosumer and day; here the same moments hold for
 * daily totals and the hours come from sun, cloud and habits. Not every home owns PV by default (`pvOwnership`).
 *
 * Persists nothing. Fails only with DataError (codes in errors.ts).
 */
export { type AcnImport, type ChargingSession, type ChargingSessions, importAcnSessions } from './acn-sessions.ts';
export { type AusgridRawOptions, importAusgridRaw } from './ausgrid-raw.ts';
export {
  type AusgridTableOptions,
  importAusgridAggregate,
  importAusgridHourly,
  importAusgridNeighbourhood,
} from './ausgrid-tables.ts';
export {
  type CivilDate,
  civilDate,
  type DateOrder,
  dayNumber,
  dayOfYear,
  formatDay,
  formatMinute,
  parseIsoDay,
  weekday,
} from './civil-time.ts';
export type { ColumnSummary } from './column-summary.ts';
export {
  type DailyMoments,
  type Marginal,
  REFERENCE_CONSUMPTION,
  REFERENCE_PRODUCTION,
} from './daily-moments.ts';
export { describe, type FileDescription, type HomeSummary } from './describe.ts';
export { type DataFormat, detectFormat } from './detect-format.ts';
export { DataError, type DataErrorCode, type DataWarning, type DataWarningCode, type RefusedRow } from './errors.ts';
export {
  type ClampedNormal,
  type EvArrival,
  type EvArrivalOptions,
  generateEvArrivals,
  REFERENCE_ARRIVAL_HOUR,
  REFERENCE_DEPARTURE_HOUR,
  REFERENCE_INITIAL_SOC,
} from './ev-arrivals.ts';
export { type ForecastOptions, forecast, normalisedMae } from './forecast.ts';
export {
  daySpan,
  type HomeSeries,
  type HouseholdSeries,
  type PositionM,
  type SlotNote,
  selectDay,
  slotWallMinute,
  toElapsed,
  totalWh,
} from './household-series.ts';
export { generateHouseholds, type HouseholdOptions } from './households.ts';
export type { ImportMode, ImportNotes, ImportOptions } from './import-report.ts';
export type { DataInput } from './lines.ts';
export { type CaseBranch, type CaseBus, homesPerBus, importMatpowerCase, type NetworkCase } from './matpower-case.ts';
export { importOebRates, type OebPlan, type OebRates, oebRateMicroCad } from './oeb-rates.ts';
export { importOntarioPrices, type OntarioPriceOptions, type PriceSeries } from './ontario-prices.ts';
export { importOpenDssLoadShapes } from './opendss-load-shapes.ts';
export { type EnergyColumns, importOwnCsv, type OwnCsvOptions, type WideHome } from './own-csv.ts';
export { AREA_SIDE_M, drawPosition, EDC_POSITION_M, withDrawnPositions } from './positions.ts';
export type { EnergyUnit } from './quantity.ts';
export { drawNormal, normalCdf, normalQuantile, type RandomStream, randomStream } from './random.ts';
export { type AlignedPrices, alignPrices, HALF_YEAR_DAYS } from './season.ts';
export { type TimeZone, timeZone } from './time-zone.ts';
