import { DataError } from './errors.ts';

export const MINUTES_PER_DAY = 1440;

/** A calendar day of the proleptic Gregorian calendar; month and day count from 1. */
export interface CivilDate {
  year: number;
  month: number;
  day: number;
}

/** Days from 1970-01-01 to a date (negative before). Integer arithmetic on eras of 400 years. */
export function dayNumber({ year, month, day }: CivilDate): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** The date of a day number; inverse of `dayNumber`. */
export function civilDate(days: number): CivilDate {
  const z = days + 719_468;
  const era = Math.floor(z / 146_097);
  const dayOfEra = z - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shifted = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shifted < 10 ? shifted + 3 : shifted - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1,
  };
}

/** Day of the year, 1 for 1 January. */
export function dayOfYear(date: CivilDate): number {
  return dayNumber(date) - dayNumber({ year: date.year, month: 1, day: 1 }) + 1;
}

/** 0 for Monday to 6 for Sunday. */
export function weekday(days: number): number {
  return (((days + 3) % 7) + 7) % 7;
}

/** `YYYY-MM-DD` of a day number. */
export function formatDay(days: number): string {
  const { year, month, day } = civilDate(days);
  return `${String(year).padStart(4, '0')}-${pad(month)}-${pad(day)}`;
}

/** `YYYY-MM-DD HH:MM` of a count of minutes since 1970-01-01 00:00 on the same clock. */
export function formatMinute(minute: number): string {
  const days = Math.floor(minute / MINUTES_PER_DAY);
  const rest = minute - days * MINUTES_PER_DAY;
  return `${formatDay(days)} ${pad(Math.floor(rest / 60))}:${pad(rest % 60)}`;
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}

/** Checks that a date exists (no 30 February) and returns its day number. Raises DATA_BAD_DATE. */
export function checkedDay(date: CivilDate, line: number, text: string): number {
  const days = dayNumber(date);
  const back = civilDate(days);
  const exists = back.year === date.year && back.month === date.month && back.day === date.day;
  if (!exists || date.year < 1900 || date.year > 2200) {
    throw new DataError('DATA_BAD_DATE', line, `'${text}' is not a day between 1900 and 2200`);
  }
  return days;
}

const ISO_DAY = /^(\d{4})-(\d{2})-(\d{2})$/;

/** Day number of `YYYY-MM-DD`. Raises DATA_BAD_DATE. */
export function parseIsoDay(text: string, line = 0): number {
  const match = ISO_DAY.exec(text);
  if (match === null) throw new DataError('DATA_BAD_DATE', line, `'${text}' is not a date like 2013-01-15`);
  return checkedDay({ year: Number(match[1]), month: Number(match[2]), day: Number(match[3]) }, line, text);
}

/** How a file writes its days: ISO, day first or month first. */
export type DateOrder = 'iso' | 'd/m/y' | 'm/d/y';

/** A parsed time stamp: second of the clock it was written on, and that clock's offset from UTC where the text states it. */
export interface ParsedTime {
  second: number;
  offsetMinutes: number | null;
}

const ISO_TIME = /^(\d{4}-\d{2}-\d{2})[ T](\d{2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?$/;
const SLASH_TIME = /^(\d{1,2})\/(\d{1,2})\/(\d{4}) (\d{1,2}):(\d{2})(?::(\d{2}))?$/;

/** Parses a time stamp in the given order of day, month and year. `24:00` is the end of the day. Raises DATA_BAD_DATE. */
export function parseTime(text: string, order: DateOrder, line: number): ParsedTime {
  const match = (order === 'iso' ? ISO_TIME : SLASH_TIME).exec(text);
  if (match === null) {
    const example = order === 'iso' ? '2013-01-15 14:30' : order === 'd/m/y' ? '15/01/2013 14:30' : '01/15/2013 14:30';
    throw new DataError('DATA_BAD_DATE', line, `'${text.slice(0, 40)}' is not a time like ${example}`);
  }
  if (order === 'iso') {
    const days = parseIsoDay(match[1] ?? '', line);
    return {
      second: secondOf(days, match[2], match[3], match[4], line, text),
      offsetMinutes: match[5] === undefined ? null : parseOffset(match[5]),
    };
  }
  const [first, second] = [Number(match[1]), Number(match[2])];
  const [day, month] = order === 'd/m/y' ? [first, second] : [second, first];
  const days = checkedDay({ year: Number(match[3]), month, day }, line, text);
  return { second: secondOf(days, match[4], match[5], match[6], line, text), offsetMinutes: null };
}

function secondOf(
  days: number,
  h: string | undefined,
  m: string | undefined,
  s: string | undefined,
  line: number,
  text: string,
) {
  const [hour, minute, second] = [Number(h), Number(m), Number(s ?? '0')];
  const endOfDay = hour === 24 && minute === 0 && second === 0;
  if ((hour > 23 && !endOfDay) || minute > 59 || second > 59) {
    throw new DataError('DATA_BAD_DATE', line, `'${text}' has no such time of day`);
  }
  return days * 86_400 + hour * 3600 + minute * 60 + second;
}

/** Minutes east of UTC of `Z`, `+10:00` or `-0700`. */
export function parseOffset(text: string): number {
  if (text === 'Z') return 0;
  const minutes = Number(text.slice(1, 3)) * 60 + Number(text.slice(-2));
  return text.startsWith('-') ? -minutes : minutes;
}
