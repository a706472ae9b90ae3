import { MINUTES_PER_DAY } from './civil-time.ts';
import { DataError } from './errors.ts';

/** A time zone: a fixed offset or a named zone with its clock changes. */
export interface TimeZone {
  name: string;
  /** Minutes to add to UTC at that UTC minute. */
  offsetAt(utcMinute: number): number;
}

/** A clock change. `utcMinute` is the first minute on the new offset; `jumpMinutes` is positive when the clock goes forward. */
export interface ClockChange {
  utcMinute: number;
  jumpMinutes: number;
  /** Wall-clock minutes that do not exist (forward) or happen twice (back): from inclusive, to exclusive. */
  wallFrom: number;
  wallTo: number;
}

const FIXED = /^(?:UTC)?([+-])(\d{1,2}):?(\d{2})$/;

/**
 * `UTC`, `+10:00`, `-05:00`, or an IANA name such as `Australia/Sydney`, whose rules come from the engine's own tables.
 * Raises DATA_INVALID_OPTION for anything else.
 */
export function timeZone(name: string): TimeZone {
  if (name === 'UTC' || name === 'Z') return { name: 'UTC', offsetAt: () => 0 };
  const fixed = FIXED.exec(name);
  if (fixed !== null) {
    const minutes = Number(fixed[2]) * 60 + Number(fixed[3]);
    if (minutes > 14 * 60 || Number(fixed[3]) > 59) throw unknownZone(name);
    const offset = fixed[1] === '-' ? -minutes : minutes;
    return { name, offsetAt: () => offset };
  }
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset', hour: 'numeric' });
  } catch {
    throw unknownZone(name);
  }
  const byUtcDay = new Map<number, number | null>();
  const exact = (utcMinute: number): number => {
    const label = format.formatToParts(utcMinute * 60_000).find((part) => part.type === 'timeZoneName')?.value ?? 'GMT';
    const match = /^GMT([+-])(\d{2}):(\d{2})/.exec(label);
    if (match === null) return 0;
    const minutes = Number(match[2]) * 60 + Number(match[3]);
    return match[1] === '-' ? -minutes : minutes;
  };
  return {
    name,
    offsetAt(utcMinute) {
      // Asking the engine costs microseconds per call, so a UTC day without a change is asked only once.
      const day = Math.floor(utcMinute / MINUTES_PER_DAY);
      let cached = byUtcDay.get(day);
      if (cached === undefined) {
        const [first, last] = [exact(day * MINUTES_PER_DAY), exact((day + 1) * MINUTES_PER_DAY)];
        cached = first === last ? first : null;
        byUtcDay.set(day, cached);
      }
      return cached ?? exact(utcMinute);
    },
  };
}

function unknownZone(name: string): DataError {
  return new DataError(
    'DATA_INVALID_OPTION',
    0,
    `time zone '${name}' is not known; use an offset like +10:00 or a name like Australia/Sydney`,
  );
}

/** The clock changes between two UTC minutes, in order. */
export function clockChanges(zone: TimeZone, fromUtcMinute: number, toUtcMinute: number): ClockChange[] {
  const changes: ClockChange[] = [];
  for (let low = fromUtcMinute; low < toUtcMinute; low += MINUTES_PER_DAY) {
    const high = Math.min(low + MINUTES_PER_DAY, toUtcMinute);
    const before = zone.offsetAt(low);
    const after = zone.offsetAt(high);
    if (before === after) continue;
    let [old, fresh] = [low, high];
    while (fresh - old > 1) {
      const middle = Math.floor((old + fresh) / 2);
      if (zone.offsetAt(middle) === before) old = middle;
      else fresh = middle;
    }
    const [a, b] = [fresh + before, fresh + after];
    changes.push({ utcMinute: fresh, jumpMinutes: after - before, wallFrom: Math.min(a, b), wallTo: Math.max(a, b) });
  }
  return changes;
}

/** The UTC minutes that a wall clock shows as `wallMinute`: none in a forward change, two in a backward one. Ascending. */
export function utcCandidates(zone: TimeZone, wallMinute: number): number[] {
  const offsets = new Set([zone.offsetAt(wallMinute - 26 * 60), zone.offsetAt(wallMinute + 26 * 60)]);
  return [...offsets]
    .map((offset) => wallMinute - offset)
    .filter((utc) => utc + zone.offsetAt(utc) === wallMinute)
    .sort((a, b) => a - b);
}
