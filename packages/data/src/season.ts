import { civilDate, dayNumber, MINUTES_PER_DAY } from './civil-time.ts';
import { DataError, type DataWarning } from './errors.ts';
import { type HouseholdSeries, slotWallMinute } from './household-series.ts';
import type { PriceSeries } from './ontario-prices.ts';
import { timeZone } from './time-zone.ts';

/** Half a year in whole weeks: moves a season to the other hemisphere and keeps the days of the week. */
export const HALF_YEAR_DAYS = 182;

/** A price per slot of a household series, and the statement that a study must print. */
export interface AlignedPrices {
  microCadPerKwh: Int32Array;
  shiftDays: number;
  statement: DataWarning;
}

/**
 * Gives each slot of a household series the Ontario price of the same time of day on the day that is `shiftDays` later in
 * the year. Southern homes need 182 (summer meets summer); 0 leaves the seasons opposed, which the statement then says. The
 * year is matched by month and day, 29 February falling back to the 28th; both clocks are read as local wall clocks.
 * Raises DATA_DAY_NOT_COVERED when the prices do not hold a needed hour.
 */
export function alignPrices(series: HouseholdSeries, prices: PriceSeries, shiftDays: number): AlignedPrices {
  if (!Number.isInteger(shiftDays)) throw new DataError('DATA_INVALID_OPTION', 0, 'shiftDays must be a whole number');
  const zone = timeZone(series.zone);
  const microCadPerKwh = new Int32Array(series.slotCount);
  const years = priceYears(prices);
  for (let slot = 0; slot < series.slotCount; slot++) {
    const wall = slotWallMinute(series, slot, zone) + shiftDays * MINUTES_PER_DAY;
    const day = Math.floor(wall / MINUTES_PER_DAY);
    const hour = Math.floor((wall - day * MINUTES_PER_DAY) / 60);
    const date = civilDate(day);
    const found = years
      .map((year) => (sameDayIn(year, date.month, date.day) * MINUTES_PER_DAY + hour * 60 - prices.startMinute) / 60)
      .find((index) => index >= 0 && index < prices.microCadPerKwh.length);
    if (found === undefined) {
      throw new DataError('DATA_DAY_NOT_COVERED', 0, `the prices have no ${date.month}-${date.day}, hour ${hour}`);
    }
    microCadPerKwh[slot] = prices.microCadPerKwh[found] ?? 0;
  }
  return { microCadPerKwh, shiftDays, statement: statementOf(series.zone, shiftDays) };
}

function priceYears(prices: PriceSeries): number[] {
  const first = civilDate(Math.floor(prices.startMinute / MINUTES_PER_DAY)).year;
  const lastMinute = prices.startMinute + (prices.microCadPerKwh.length - 1) * 60;
  const last = civilDate(Math.floor(lastMinute / MINUTES_PER_DAY)).year;
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

function sameDayIn(year: number, month: number, day: number): number {
  const days = dayNumber({ year, month, day });
  return civilDate(days).month === month ? days : days - 1;
}

function statementOf(zone: string, shiftDays: number): DataWarning {
  const southern = /^(Australia|Antarctica)\//.test(zone);
  if (shiftDays === 0) {
    const opposed = southern ? ': their seasons are opposed' : '';
    const message = `homes (${zone}) and Ontario prices are combined by calendar day without a shift${opposed}`;
    return { code: 'DATA_SEASON_NOT_SHIFTED', line: 0, count: 1, message };
  }
  const message = `homes (${zone}) meet the Ontario prices of the day ${shiftDays} days later in the year`;
  return { code: 'DATA_SEASON_SHIFTED', line: 0, count: 1, message };
}
