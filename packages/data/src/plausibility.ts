import { formatMinute } from './civil-time.ts';
import type { HouseholdSeries, SlotNote } from './household-series.ts';
import type { ImportReport } from './import-report.ts';

/**
 * Mean consumption above which one home's figures are doubted: 1.5 kW, that is 0.75 kWh a half hour or 13 MWh a year.
 * A typical home reaches this when kW per half hour are read as kWh.
 */
export const SUSPICIOUS_MEAN_W = 1500;

/** Warns about values that a wrong unit or a wrong clock would explain. `homesInSum` is the number of homes per series. */
export function warnOfImplausible(series: HouseholdSeries, report: ImportReport, homesInSum = 1): void {
  const hours = series.slotMinutes / 60;
  const missing = new Set<string>();
  for (const home of series.homes) {
    const meanWh = mean(home.loadWh) / homesInSum;
    if (meanWh / hours >= SUSPICIOUS_MEAN_W) {
      const kwh = (meanWh / 1000).toFixed(3);
      report.warn(
        'DATA_SUSPECT_UNIT',
        0,
        `home ${home.id} uses a mean of ${kwh} kWh per ${series.slotMinutes} min; are these kW rather than kWh?`,
      );
    }
    const capacityWh = (home.capacityW ?? 0) * hours;
    const peakWh = home.pvWh.reduce((a, b) => Math.max(a, b), 0);
    if (capacityWh > 0 && peakWh > capacityWh * 1.25) {
      report.warn(
        'DATA_SUSPECT_UNIT',
        0,
        `home ${home.id} produces ${peakWh} Wh in ${series.slotMinutes} min, more than its ${home.capacityW} W can`,
      );
    }
    if (home.positionM === undefined && home.bus === undefined) missing.add(home.id);
  }
  if (missing.size > 0) {
    const message = `${missing.size} home(s) have no position: draw them from the scenario's seed and say so`;
    report.warn('DATA_NO_POSITIONS', 0, message, missing.size);
  }
  for (const note of series.notes) warnOfClock(series, note, report);
}

function warnOfClock(series: HouseholdSeries, note: SlotNote, report: ImportReport): void {
  if (note.kind === 'missing') return;
  const when = formatMinute(series.startMinute + note.firstSlot * series.slotMinutes);
  const minutes = note.slotCount * series.slotMinutes;
  if (note.kind === 'clockBack') {
    report.warn('DATA_CLOCK_BACK', 0, `the ${minutes} min from ${when} hold twice that time (clock back)`);
    return;
  }
  let energyWh = 0;
  for (const home of series.homes) {
    for (let i = 0; i < note.slotCount; i++) {
      energyWh += (home.loadWh[note.firstSlot + i] ?? 0) + (home.pvWh[note.firstSlot + i] ?? 0);
    }
  }
  if (energyWh === 0) {
    report.warn('DATA_CLOCK_FORWARD', 0, `the ${minutes} min from ${when} are filled with zeros (clock forward)`);
  } else {
    const message = `${when} does not exist in ${series.zone} but holds ${energyWh} Wh: the clock may be another one`;
    report.warn('DATA_CLOCK_SUSPECT', 0, message);
  }
}

function mean(values: Int32Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return values.length === 0 ? 0 : sum / values.length;
}
