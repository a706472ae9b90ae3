import { MINUTES_PER_DAY, parseIsoDay } from './civil-time.ts';
import { DataError } from './errors.ts';
import type { HomeSeries, HouseholdSeries } from './household-series.ts';
import { type ImportNotes, type ImportOptions, ImportReport } from './import-report.ts';
import { type DataInput, numberedLines } from './lines.ts';
import { warnOfImplausible } from './plausibility.ts';
import { scaleDecimal, whScale } from './quantity.ts';

const SHAPE = /^New\s+Loadshape\.(\S+)\s+npts=(\d+)\s+interval=([\d.]+)\s+mult=\[([^\]]*)\]$/i;

/**
 * Reads daily OpenDSS load shapes, one `New Loadshape` command a line, as homes without production. Their multipliers are kW
 * (means over the interval, in hours), not kWh. The shapes carry no date: `day` says which local day they are to stand for.
 */
export function importOpenDssLoadShapes(
  input: DataInput,
  options: ImportOptions & { day: string; zone?: string },
): ImportNotes & { series: HouseholdSeries } {
  const report = new ImportReport(options);
  const startMinute = parseIsoDay(options.day) * MINUTES_PER_DAY;
  const homes: HomeSeries[] = [];
  let slotMinutes = 0;
  for (const line of numberedLines(input)) {
    // The closing bracket already shows that the last line is whole.
    report.attempt(() => {
      const match = SHAPE.exec(line.text.trim());
      if (match === null)
        throw new DataError(
          'DATA_BAD_CASE',
          line.line,
          "not a whole 'New Loadshape' command with npts, interval, mult",
        );
      const [, id = '', points = '', interval = '', list = ''] = match;
      const minutes = Number(interval) * 60;
      if (minutes * Number(points) !== MINUTES_PER_DAY || (slotMinutes !== 0 && minutes !== slotMinutes)) {
        throw new DataError(
          'DATA_INCONSISTENT',
          line.line,
          `${points} points of ${interval} h are not one day, or differ from before`,
        );
      }
      const values = list.trim().split(/[\s,]+/);
      if (values.length !== Number(points)) {
        throw new DataError('DATA_COLUMN_COUNT', line.line, `${values.length} values, npts says ${points}`);
      }
      if (homes.some((home) => home.id === id))
        throw new DataError('DATA_DUPLICATE', line.line, `shape ${id} appears twice`);
      const loadWh = values.map((text, i) => {
        const { value } = scaleDecimal(text, whScale('kW', minutes), { line: line.line, field: `value ${i + 1}` });
        if (value < 0) throw new DataError('DATA_NEGATIVE_ENERGY', line.line, `value ${i + 1} is negative`);
        return value;
      });
      slotMinutes = minutes;
      homes.push({ id, loadWh: Int32Array.from(loadWh), pvWh: new Int32Array(loadWh.length) });
    });
  }
  report.requireRows();
  const series: HouseholdSeries = {
    axis: 'wallClock',
    zone: options.zone ?? 'Australia/Sydney',
    startMinute,
    slotMinutes,
    slotCount: MINUTES_PER_DAY / slotMinutes,
    measured: 'gross',
    homes,
    notes: [],
  };
  warnOfImplausible(series, report);
  return { ...report.notes(), series };
}
