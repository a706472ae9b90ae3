import { type ParseError, parse } from 'jsonc-parser';
import { civilDate, MINUTES_PER_DAY, parseIsoDay, weekday } from './civil-time.ts';
import { DataError } from './errors.ts';
import { type DataInput, numberedLines } from './lines.ts';

/** Rates in 10^-6 CAD per kWh, commodity only, from the day on which they take effect. */
export interface OebPlan {
  effectiveDay: number;
  tou: { off: number; mid: number; on: number };
  ulo?: { overnight: number; weekendOff: number; mid: number; on: number };
}

type TouPeriod = keyof OebPlan['tou'];
type UloPeriod = keyof NonNullable<OebPlan['ulo']>;

/** The Ontario regulator's time-of-use and ultra-low-overnight rates with their hours. Plans are newest first. */
export interface OebRates {
  plans: OebPlan[];
  seasons: { months: number[]; weekday: TouPeriod[]; weekend: TouPeriod }[];
  /** Ultra-low-overnight period per hour of a weekday and of a weekend day or holiday. */
  uloWeekday: UloPeriod[];
  uloWeekend: UloPeriod[];
}

/**
 * Reads the OEB rates file. Raises DATA_BAD_JSON (with the line where the text stops making sense, or the field that is
 * wrong) and DATA_INCONSISTENT when the hours of a day are not each in exactly one period.
 */
export function importOebRates(input: DataInput): OebRates {
  const texts: string[] = [];
  for (const { text } of numberedLines(input)) texts.push(text);
  const root = record(parseJson(texts), 'the file');
  const hours = record(root.hours, 'hours');
  const plans = list(root.plans, 'plans').map((value, index): OebPlan => {
    const plan = record(value, `plans[${index}]`);
    const effectiveDay = parseIsoDay(typeof plan.effective === 'string' ? plan.effective : '');
    const tou = record(plan.tou, `plans[${index}].tou`);
    const rate = (from: Record<string, unknown>, name: string) => microCad(from[name], `plans[${index}] ${name}`);
    const base = { effectiveDay, tou: { off: rate(tou, 'off'), mid: rate(tou, 'mid'), on: rate(tou, 'on') } };
    if (plan.ulo === undefined) return base;
    const ulo = record(plan.ulo, `plans[${index}].ulo`);
    const [overnight, weekendOff] = [rate(ulo, 'overnight'), rate(ulo, 'weekendOff')];
    return { ...base, ulo: { overnight, weekendOff, mid: rate(ulo, 'mid'), on: rate(ulo, 'on') } };
  });
  if (plans.length === 0) throw bad('plans is empty');
  plans.sort((a, b) => b.effectiveDay - a.effectiveDay);
  const seasons = ['summer', 'winter'].map((name) => readSeason(record(hours[name], `hours.${name}`), name));
  const months = seasons.flatMap((season) => season.months).sort((a, b) => a - b);
  if (months.join() !== '1,2,3,4,5,6,7,8,9,10,11,12') {
    throw new DataError('DATA_INCONSISTENT', 0, 'the seasons do not hold each month exactly once');
  }
  const ulo = record(hours.ulo, 'hours.ulo');
  return {
    plans,
    seasons,
    uloWeekday: uloDay(ulo, ['every day', 'weekdays']),
    uloWeekend: uloDay(ulo, ['every day', 'weekends and holidays']),
  };
}

/**
 * The rate in 10^-6 CAD per kWh at a local minute (since 1970-01-01 00:00). `holidays` are day numbers that count as
 * weekend. Raises DATA_INVALID_OPTION when no plan was in force yet, or the plan in force has no ultra-low-overnight rates.
 */
export function oebRateMicroCad(
  rates: OebRates,
  kind: 'tou' | 'ulo',
  localMinute: number,
  holidays: ReadonlySet<number> = new Set(),
): number {
  const day = Math.floor(localMinute / MINUTES_PER_DAY);
  const hour = Math.floor((localMinute - day * MINUTES_PER_DAY) / 60);
  const plan = rates.plans.find((candidate) => candidate.effectiveDay <= day);
  if (plan === undefined) throw new DataError('DATA_INVALID_OPTION', 0, 'no rates were in force that early');
  const free = weekday(day) >= 5 || holidays.has(day);
  if (kind === 'ulo') {
    const period = (free ? rates.uloWeekend : rates.uloWeekday)[hour];
    if (plan.ulo === undefined || period === undefined) {
      throw new DataError('DATA_INVALID_OPTION', 0, 'the rates of that day have no ultra-low-overnight plan');
    }
    return plan.ulo[period];
  }
  const season = rates.seasons.find((candidate) => candidate.months.includes(civilDate(day).month));
  const period = free ? season?.weekend : season?.weekday[hour];
  return plan.tou[period ?? 'off'];
}

function readSeason(season: Record<string, unknown>, name: string): OebRates['seasons'][number] {
  const weekdayHours = record(season.weekday, `hours.${name}.weekday`);
  const byHour = new Array<TouPeriod | undefined>(24).fill(undefined);
  for (const period of ['off', 'mid', 'on'] as const) {
    for (const range of list(weekdayHours[period], `hours.${name}.weekday.${period}`)) {
      const [from, to] = list(range, 'an hour range').map(Number);
      fill(byHour, period, from, to, `hours.${name}`);
    }
  }
  const weekend = season.weekendAndHoliday;
  if (weekend !== 'off' && weekend !== 'mid' && weekend !== 'on')
    throw bad(`hours.${name}.weekendAndHoliday is no period`);
  return { months: list(season.months, 'months').map(Number), weekday: complete(byHour, name), weekend };
}

function uloDay(ulo: Record<string, unknown>, scopes: string[]): UloPeriod[] {
  const byHour = new Array<UloPeriod | undefined>(24).fill(undefined);
  for (const period of ['overnight', 'weekendOff', 'mid', 'on'] as const) {
    const text = ulo[period];
    if (typeof text !== 'string') throw bad(`hours.ulo.${period} is not a text`);
    if (!scopes.some((scope) => text.startsWith(scope))) continue;
    for (const [, from, to] of text.matchAll(/(\d\d)-(\d\d)/g)) {
      const [start, end] = [Number(from), Number(to)];
      if (start < end) fill(byHour, period, start, end, 'hours.ulo');
      else {
        fill(byHour, period, start, 24, 'hours.ulo');
        fill(byHour, period, 0, end, 'hours.ulo');
      }
    }
  }
  return complete(byHour, 'ulo');
}

function fill<T>(byHour: (T | undefined)[], value: T, from: number | undefined, to: number | undefined, where: string) {
  if (from === undefined || to === undefined || !(from >= 0 && from < to && to <= 24)) {
    throw bad(`${where} has an hour range that is not within 0 to 24`);
  }
  for (let hour = from; hour < to; hour++) {
    if (byHour[hour] !== undefined)
      throw new DataError('DATA_INCONSISTENT', 0, `${where}: hour ${hour} is in two periods`);
    byHour[hour] = value;
  }
}

function complete<T>(byHour: (T | undefined)[], where: string): T[] {
  return byHour.map((value, hour) => {
    if (value === undefined) throw new DataError('DATA_INCONSISTENT', 0, `${where}: hour ${hour} is in no period`);
    return value;
  });
}

function parseJson(lines: string[]): unknown {
  const text = lines.join('\n');
  try {
    return JSON.parse(text);
  } catch {
    // The engine's own message has a position for some faults only, so a second parser is asked for the place.
    const faults: ParseError[] = [];
    parse(text, faults, { disallowComments: true });
    const line = text.slice(0, faults[0]?.offset ?? text.length).split('\n').length;
    throw new DataError('DATA_BAD_JSON', line, 'the text is not complete JSON from here on');
  }
}

function bad(reason: string): DataError {
  return new DataError('DATA_BAD_JSON', 0, reason);
}

function record(value: unknown, name: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bad(`${name} is not an object`);
  return value as Record<string, unknown>;
}

function list(value: unknown, name: string): unknown[] {
  if (!Array.isArray(value)) throw bad(`${name} is not a list`);
  return value;
}

function microCad(cents: unknown, name: string): number {
  if (typeof cents !== 'number' || !(cents >= 0 && cents < 1000)) throw bad(`${name} is not a price in cents`);
  return Math.round(cents * 10_000);
}
