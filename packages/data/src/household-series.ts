import { formatDay, formatMinute, MINUTES_PER_DAY, parseIsoDay } from './civil-time.ts';
import { DataError } from './errors.ts';
import { clockChanges, type TimeZone, timeZone } from './time-zone.ts';

/** A place in metres; the market's square is 20,000 m a side with the EDC in the middle. */
export interface PositionM {
  xM: number;
  yM: number;
}

/** One home's energy per slot in Wh: `loadWh` consumed and `pvWh` produced, both >= 0. */
export interface HomeSeries {
  id: string;
  loadWh: Int32Array;
  pvWh: Int32Array;
  /** Peak power of the PV system in W, where the file states it. */
  capacityW?: number;
  postcode?: string;
  positionM?: PositionM;
  bus?: string;
}

/** Slots that are not what they seem. `homeId` null means all homes; `missing` slots hold 0 Wh that nobody measured. */
export interface SlotNote {
  kind: 'clockForward' | 'clockBack' | 'missing';
  homeId: string | null;
  firstSlot: number;
  slotCount: number;
}

/**
 * Energy of homes on equal slots. On the `wallClock` axis each day has 24 hours as in the source file, so the hour of a
 * clock change is empty (`clockForward`) or holds two hours (`clockBack`) and `startMinute` counts local minutes since
 * 1970-01-01 00:00; on the `elapsed` axis slots follow each other in real time and `startMinute` counts UTC minutes.
 */
export interface HouseholdSeries {
  axis: 'wallClock' | 'elapsed';
  zone: string;
  startMinute: number;
  slotMinutes: number;
  slotCount: number;
  /** `net` when the source has only the balance: then loadWh is the net import and pvWh the net export of a slot. */
  measured: 'gross' | 'net';
  homes: HomeSeries[];
  notes: SlotNote[];
}

/** Local wall-clock minute (since 1970-01-01 00:00) at which a slot begins. */
export function slotWallMinute(series: HouseholdSeries, slot: number, zone: TimeZone = timeZone(series.zone)): number {
  const minute = series.startMinute + slot * series.slotMinutes;
  return series.axis === 'wallClock' ? minute : minute + zone.offsetAt(minute);
}

/** The notes that a zone's clock changes cause on a wall-clock axis. */
export function clockNotes(zone: TimeZone, startMinute: number, slotMinutes: number, slotCount: number): SlotNote[] {
  const endMinute = startMinute + slotCount * slotMinutes;
  const changes = clockChanges(zone, startMinute - MINUTES_PER_DAY, endMinute + MINUTES_PER_DAY);
  const notes: SlotNote[] = [];
  for (const change of changes) {
    const firstSlot = Math.max(0, Math.floor((change.wallFrom - startMinute) / slotMinutes));
    const endSlot = Math.min(slotCount, Math.ceil((change.wallTo - startMinute) / slotMinutes));
    if (endSlot <= firstSlot) continue;
    const kind = change.jumpMinutes > 0 ? 'clockForward' : 'clockBack';
    notes.push({ kind, homeId: null, firstSlot, slotCount: endSlot - firstSlot });
  }
  return notes;
}

/**
 * The slots of one local day, `YYYY-MM-DD`: 24 hours on the wall-clock axis; 23, 24 or 25 on the elapsed axis.
 * Raises DATA_BAD_DATE, and DATA_DAY_NOT_COVERED when the series does not hold the whole day.
 */
export function selectDay(series: HouseholdSeries, day: string): HouseholdSeries {
  const wallStart = parseIsoDay(day) * MINUTES_PER_DAY;
  const zone = timeZone(series.zone);
  const boundary = (wall: number): number => {
    if (series.axis === 'wallClock') return (wall - series.startMinute) / series.slotMinutes;
    const utc = wall - zone.offsetAt(wall - zone.offsetAt(wall));
    return (utc - series.startMinute) / series.slotMinutes;
  };
  const [first, end] = [boundary(wallStart), boundary(wallStart + MINUTES_PER_DAY)];
  if (first < 0 || end > series.slotCount) {
    const from = formatMinute(slotWallMinute(series, 0, zone));
    const to = formatMinute(slotWallMinute(series, series.slotCount, zone));
    throw new DataError(
      'DATA_DAY_NOT_COVERED',
      0,
      `${day} is not wholly in the data, which goes from ${from} to ${to}`,
    );
  }
  if (!Number.isInteger(first) || !Number.isInteger(end)) {
    throw new DataError(
      'DATA_DAY_NOT_COVERED',
      0,
      `slots of ${series.slotMinutes} min do not begin at midnight of ${day}`,
    );
  }
  return slice(series, first, end);
}

function slice(series: HouseholdSeries, first: number, end: number): HouseholdSeries {
  const notes: SlotNote[] = [];
  for (const note of series.notes) {
    const from = Math.max(note.firstSlot, first);
    const to = Math.min(note.firstSlot + note.slotCount, end);
    if (to > from) notes.push({ ...note, firstSlot: from - first, slotCount: to - from });
  }
  const homes = series.homes.map((home) => ({
    ...home,
    loadWh: home.loadWh.slice(first, end),
    pvWh: home.pvWh.slice(first, end),
  }));
  const startMinute = series.startMinute + first * series.slotMinutes;
  return { ...series, startMinute, slotCount: end - first, homes, notes };
}

/**
 * Turns a wall-clock series into elapsed time: the empty slots of a forward change go, and a slot that holds two gets split
 * in halves (the odd Wh to the later one). The total energy is unchanged. An elapsed series is returned as it is.
 * Raises DATA_INCONSISTENT when a slot that does not exist holds energy: then the file's clock is not the zone's clock.
 */
export function toElapsed(series: HouseholdSeries): HouseholdSeries {
  if (series.axis === 'elapsed') return series;
  const zone = timeZone(series.zone);
  // For each new slot: the old slot and which half of it (-1: all of it).
  const plan: { slot: number; half: -1 | 0 | 1 }[] = [];
  for (let slot = 0; slot < series.slotCount; ) {
    const note = series.notes.find((n) => n.kind !== 'missing' && n.firstSlot === slot);
    if (note === undefined) {
      plan.push({ slot: slot++, half: -1 });
      continue;
    }
    const run = Array.from({ length: note.slotCount }, (_, i) => slot + i);
    if (note.kind === 'clockForward') refuseEnergy(series, run);
    else for (const half of [0, 1] as const) for (const old of run) plan.push({ slot: old, half });
    slot += note.slotCount;
  }
  const spread = (values: Int32Array): Int32Array =>
    Int32Array.from(plan, ({ slot, half }) => {
      const value = values[slot] ?? 0;
      return half === -1 ? value : half === 0 ? value >> 1 : value - (value >> 1);
    });
  const notes: SlotNote[] = [];
  for (const note of series.notes.filter((n) => n.kind === 'missing')) {
    let previous = -2;
    plan.forEach(({ slot }, index) => {
      if (slot < note.firstSlot || slot >= note.firstSlot + note.slotCount) return;
      const last = notes.at(-1);
      if (previous === index - 1 && last !== undefined) last.slotCount += 1;
      else notes.push({ ...note, firstSlot: index, slotCount: 1 });
      previous = index;
    });
  }
  const startMinute = series.startMinute - zone.offsetAt(series.startMinute - zone.offsetAt(series.startMinute));
  const homes = series.homes.map((home) => ({ ...home, loadWh: spread(home.loadWh), pvWh: spread(home.pvWh) }));
  return { ...series, axis: 'elapsed', startMinute, slotCount: plan.length, homes, notes };
}

function refuseEnergy(series: HouseholdSeries, slots: number[]): void {
  for (const home of series.homes) {
    for (const slot of slots) {
      if ((home.loadWh[slot] ?? 0) === 0 && (home.pvWh[slot] ?? 0) === 0) continue;
      const when = formatMinute(series.startMinute + slot * series.slotMinutes);
      throw new DataError(
        'DATA_INCONSISTENT',
        0,
        `home ${home.id} has energy at ${when}, an hour that ${series.zone} skips`,
      );
    }
  }
}

/** Total Wh of an array of slots; exact below 2^53. */
export function totalWh(values: Int32Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

/** First and last local day of a series, for messages and tables. */
export function daySpan(series: HouseholdSeries): { firstDay: string; lastDay: string } {
  const zone = timeZone(series.zone);
  const day = (slot: number) => formatDay(Math.floor(slotWallMinute(series, slot, zone) / MINUTES_PER_DAY));
  return { firstDay: day(0), lastDay: day(Math.max(0, series.slotCount - 1)) };
}
