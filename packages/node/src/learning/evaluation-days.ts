import { sha256 } from '@wattmesh/consensus';
import {
  type ChargingSession,
  civilDate,
  importAcnSessions,
  importOebRates,
  type OebRates,
  oebRateMicroCad,
  timeZone,
  weekday,
} from '@wattmesh/data';
import {
  allocateDays,
  type Calendar,
  type DayBatch,
  type EnvironmentConfig,
  type PriceTriple,
  periodOfHour,
  SLOTS_PER_DAY,
  type Stay,
  sampleDays,
  samplePriceTriple,
  sampleStay,
  setDay,
  streamRng,
} from '@wattmesh/frl';
import { formatOf, readDataFile } from '../homes/home-file.ts';
import { LearningError } from './errors.ts';

export interface EvaluationDaysOptions {
  /** Days to measure on; of a file of sessions the first so many that fit into a day. */
  readonly days: number;
  readonly seed: string;
  /** File of measured charging sessions (ACN): hours of arrival and departure. */
  readonly sessions?: string | undefined;
  /** Zone of the sessions' clocks. */
  readonly zone: string;
  /** File of published time-of-use rates (OEB): the newest plan's prices. */
  readonly rates?: string | undefined;
}

export interface EvaluationDays {
  readonly days: DayBatch;
  /** What was assumed, for people. */
  readonly remarks: readonly string[];
  /** SHA-256 of the files that were read. */
  readonly dataHashes: { readonly sessions?: string; readonly rates?: string };
}

const MINUTES_PER_DAY = 1_440;

/**
 * The days that policies are measured on: drawn from the seed as in training, or with stays and prices from files.
 * @throws HomesError, DataError when a file cannot be read; LearningError EVALUATE_INVALID_OPTION, EVALUATE_NO_DAYS
 */
export async function evaluationDays(
  config: EnvironmentConfig,
  options: EvaluationDaysOptions,
): Promise<EvaluationDays> {
  const { seed, days: limit } = options;
  // The same days as those of learning curves.
  if (options.sessions === undefined && options.rates === undefined)
    return { days: sampleDays(config, limit, streamRng(seed, 'evaluation-days')), remarks: [], dataHashes: {} };
  const remarks: string[] = [];
  const dataHashes: { sessions?: string; rates?: string } = {};
  const rates = options.rates === undefined ? null : await readRates(options.rates, dataHashes);
  const stays =
    options.sessions === undefined
      ? drawnStays(config, seed, limit, rates)
      : await measuredStays(config, options.sessions, options, { remarks, dataHashes });
  if (rates !== null)
    remarks.push(
      `prices: plan of ${isoDay(rates.plans[0]?.effectiveDay ?? 0)}, by the hours of each day's season; the price of others is ${config.tariff.v2vFactor} of it`,
    );
  const days = allocateDays(stays.length);
  stays.forEach(({ stay, day }, index) => {
    const rng = streamRng(seed, 'evaluation-prices', index);
    const priced =
      rates === null
        ? { calendar: config.tariff.calendar, triple: samplePriceTriple(config.tariff, rng) }
        : pricesOf(rates, day);
    const world = {
      ...config,
      tariff: { ...config.tariff, calendar: priced.calendar, hourlyNoise: rates === null && config.tariff.hourlyNoise },
    };
    setDay(days, index, world, stay, priced.triple, rng);
  });
  return { days, remarks, dataHashes };
}

interface DatedStay {
  readonly stay: Stay;
  /** Day number since 1970-01-01; decides season and weekend. */
  readonly day: number;
}

/** Drawn stays, spread over the year that begins when the rates take effect. */
function drawnStays(config: EnvironmentConfig, seed: string, count: number, rates: OebRates | null): DatedStay[] {
  const first = rates?.plans[0]?.effectiveDay ?? 0;
  return Array.from({ length: count }, (_, index) => ({
    stay: sampleStay(config, streamRng(seed, 'evaluation-stay', index)),
    day: first + (count >= 365 ? index % 365 : Math.floor((index * 365) / count)),
  }));
}

async function measuredStays(
  config: EnvironmentConfig,
  file: string,
  { days: limit, seed, zone }: EvaluationDaysOptions,
  { remarks, dataHashes }: { readonly remarks: string[]; readonly dataHashes: { sessions?: string } },
): Promise<DatedStay[]> {
  const bytes = await readDataFile(file);
  expectFormat(bytes, file, 'acn-sessions');
  dataHashes.sessions = sha256(bytes);
  const { sessions } = importAcnSessions(bytes);
  const { offsetAt } = timeZone(zone);
  const stays: DatedStay[] = [];
  let skipped = 0;
  for (const session of sessions) {
    if (stays.length === limit) break;
    const hours = hoursOf(session, offsetAt);
    if (hours === null) {
      skipped += 1;
      continue;
    }
    const { initialEnergyKwh } = sampleStay(config, streamRng(seed, 'evaluation-stay', stays.length));
    stays.push({ stay: { ...hours.slots, initialEnergyKwh }, day: hours.day });
  }
  if (stays.length === 0)
    throw new LearningError(
      'EVALUATE_NO_DAYS',
      `${file} has ${sessions.length} sessions, none of which begins and ends on one day in ${zone}; check --zone`,
    );
  remarks.push(
    `stays: ${stays.length} sessions of the file, hours rounded${skipped > 0 ? `; ${skipped} that cross midnight or fit into no hour were left out` : ''}`,
    'charge on arrival: drawn from the seed, since the file does not hold it',
  );
  return stays;
}

/** Whole hours of a session on its day; null when it leaves the day. */
function hoursOf(
  { arrivalS, departureS }: ChargingSession,
  offsetAt: (utcMinute: number) => number,
): { readonly day: number; readonly slots: Pick<Stay, 'arrivalSlot' | 'departureSlot'> } | null {
  const local = (second: number): number => second / 60 + offsetAt(Math.floor(second / 60));
  const [arrival, departure] = [local(arrivalS), local(departureS)];
  const day = Math.floor(arrival / MINUTES_PER_DAY);
  const arrivalSlot = Math.round((arrival - day * MINUTES_PER_DAY) / 60);
  const departureSlot = Math.max(Math.round((departure - day * MINUTES_PER_DAY) / 60), arrivalSlot + 1);
  return arrivalSlot < SLOTS_PER_DAY && departureSlot <= SLOTS_PER_DAY
    ? { day, slots: { arrivalSlot, departureSlot } }
    : null;
}

async function readRates(file: string, dataHashes: { rates?: string }): Promise<OebRates> {
  const bytes = await readDataFile(file);
  expectFormat(bytes, file, 'oeb-rates');
  dataHashes.rates = sha256(bytes);
  const rates = importOebRates(bytes);
  // The newest plan for every day, also for those before it.
  return { ...rates, plans: rates.plans.slice(0, 1) };
}

/** Prices of a day and the calendar whose hours are those of the file. */
function pricesOf(rates: OebRates, day: number): { readonly calendar: Calendar; readonly triple: PriceTriple } {
  const [plan] = rates.plans;
  const always = {
    ...rates,
    plans: rates.plans.map((one) => ({ ...one, effectiveDay: Math.min(one.effectiveDay, day) })),
  };
  const micro = Array.from({ length: SLOTS_PER_DAY }, (_, hour) =>
    oebRateMicroCad(always, 'tou', day * MINUTES_PER_DAY + hour * 60),
  );
  const tou = plan?.tou ?? { off: 0, mid: 0, on: 0 };
  const calendar = (['winter', 'summer', 'flat'] as const).find((one) =>
    micro.every((price, hour) => price === tou[periodOfHour(one, hour)]),
  );
  if (calendar === undefined)
    throw new LearningError(
      'EVALUATE_INVALID_OPTION',
      `the rates' hours of ${isoDay(day)} (weekday ${weekday(day)}) are neither those of winter (7-11 and 17-19 on, 11-17 mid), summer nor a weekend`,
    );
  return { calendar, triple: { off: tou.off / 1e6, mid: tou.mid / 1e6, on: tou.on / 1e6 } };
}

function expectFormat(bytes: Uint8Array, file: string, expected: 'acn-sessions' | 'oeb-rates'): void {
  const format = formatOf(bytes);
  if (format !== expected)
    throw new LearningError(
      'EVALUATE_INVALID_OPTION',
      `${file} holds ${format}, not ${expected}; see: wattmesh data check ${file}`,
    );
}

function isoDay(day: number): string {
  const { year, month, day: ofMonth } = civilDate(day);
  return [year, String(month).padStart(2, '0'), String(ofMonth).padStart(2, '0')].join('-');
}
