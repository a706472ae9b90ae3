import { civilDate, dayOfYear, MINUTES_PER_DAY, parseIsoDay } from './civil-time.ts';
import {
  type DailyMoments,
  dailyTotalWh,
  type Marginal,
  ownersMoments,
  REFERENCE_CONSUMPTION,
  REFERENCE_PRODUCTION,
} from './daily-moments.ts';
import { DataError } from './errors.ts';
import type { HomeSeries, HouseholdSeries } from './household-series.ts';
import { drawPosition } from './positions.ts';
import { drawNormal, normalCdf, normalQuantile, type RandomStream, randomStream } from './random.ts';
import { cloudTransmission, declination, sineOfElevation } from './solar.ts';

/** Options of the household generator. Only `seed` and `homes` have no default. */
export interface HouseholdOptions {
  seed: string;
  /** Number of prosumers, 1 to 100,000. */
  homes: number;
  /** Default 24. */
  slots?: number;
  /** Divides the day. Default 60. */
  slotMinutes?: number;
  /** First local day. Default 2025-06-21: the season in which a day of hourly slots trades most. */
  startDay?: string;
  /** Degrees north. Default 43.9 (southern Ontario). */
  latitudeDeg?: number;
  /** Distribution of daily totals. Default `normal`. */
  marginal?: Marginal;
  /** Moments of daily totals before negatives are set to 0. Default mean 7.45 kWh, sd 8 kWh. */
  production?: DailyMoments;
  /** As `production`. Default mean 12.41 kWh, sd 8 kWh. */
  consumption?: DailyMoments;
  /** Fraction of homes that own PV; the owners produce more so that the moments over all homes stay. Default 0.8. */
  pvOwnership?: number;
  /**
   * Share of the variance of daily production that the season explains, 0 to 0.5. Default 0: then the moments hold on every
   * single day and the season only sets the hours of sun; above 0 they hold over whole years.
   */
  seasonShare?: number;
}

/** Shares of variance of a home's daily production: the system's size, weather common to all, weather of the place. */
const PRODUCTION_SHARES = { home: 0.7, commonWeather: 0.15, ownWeather: 0.15 };
/** Shares of variance of a home's daily consumption: the household, a cold or hot day common to all, the day's habits. */
const CONSUMPTION_SHARES = { home: 0.6, commonDay: 0.1, ownDay: 0.3 };
/** Correlation of cloud cover from one hour to the next, and the common part of its variance. */
const CLOUD_PERSISTENCE = 0.9;
const CLOUD_COMMON_SHARE = 0.7;
/** The generator works on a fixed inner step, so that a day has the same total and shape at every slot length. */
const INNER_MINUTES = 15;
const INNER_PER_DAY = MINUTES_PER_DAY / INNER_MINUTES;
const MAX_CELLS = 200_000_000;

/**
 * Synthetic prosumers: integer Wh per home and slot, on the wall clock of the place (solar time, no clock changes), with
 * positions on the square. Daily totals are draws of the chosen distribution (negatives set to 0) that correlate over homes
 * by weather and over days by household; the hours share out a day's total by sun, cloud and habits. Every number depends on
 * the seed, the home's index and the day only: more homes or more slots leave the others as they were, and slots of another
 * length add up to the same quarter hours. Raises DATA_INVALID_OPTION.
 */
export function generateHouseholds(options: HouseholdOptions): HouseholdSeries {
  const plan = checkedOptions(options);
  const weather = new CloudCover(randomStream(plan.seed, 'cloud'));
  const commonLoad = randomStream(plan.seed, 'load');
  const days = Math.ceil((plan.slots * plan.slotMinutes) / MINUTES_PER_DAY);
  const states = Array.from({ length: plan.homes }, (_, index) => newHome(plan, index));
  for (let day = 0; day < days; day++) {
    const yearDay = dayOfYear(civilDate(plan.startDayNumber + day));
    const sun = sunOfDay(plan, yearDay);
    const common: CommonDay = { yearDay, sun, cloud: weather.nextDay(), load: drawNormal(commonLoad) };
    for (const state of states) writeDay(plan, state, day, common);
  }
  return {
    axis: 'wallClock',
    zone: 'UTC',
    startMinute: plan.startDayNumber * MINUTES_PER_DAY,
    slotMinutes: plan.slotMinutes,
    slotCount: plan.slots,
    measured: 'gross',
    homes: states.map((state) => state.series),
    notes: [],
  };
}

interface Plan {
  seed: string;
  homes: number;
  slots: number;
  slotMinutes: number;
  startDayNumber: number;
  latitudeDeg: number;
  marginal: Marginal;
  ownerProduction: DailyMoments;
  consumption: DailyMoments;
  pvOwnership: number;
  seasonShare: number;
}

interface HomeState {
  series: HomeSeries;
  ownsPv: boolean;
  sizeZ: number;
  habitZ: number;
  morningHour: number;
  eveningHour: number;
  morningWeight: number;
  eveningWeight: number;
  cloud: CloudCover;
  load: RandomStream;
}

function checkedOptions(options: HouseholdOptions): Plan {
  const { slots = 24, slotMinutes = 60, latitudeDeg = 43.9, marginal = 'normal', pvOwnership = 0.8 } = options;
  const { production = REFERENCE_PRODUCTION, consumption = REFERENCE_CONSUMPTION, seasonShare = 0 } = options;
  const need = (ok: boolean, reason: string) => {
    if (!ok) throw new DataError('DATA_INVALID_OPTION', 0, reason);
  };
  const { seed, homes } = options;
  need(typeof seed === 'string' && seed !== '', 'seed must be a text that is not empty');
  need(Number.isInteger(homes) && homes >= 1 && homes <= 100_000, `homes is ${homes}, it must be 1 to 100,000`);
  need(Number.isInteger(slots) && slots >= 1, `slots is ${slots}, it must be a positive integer`);
  need(homes * slots <= MAX_CELLS, `${homes} homes of ${slots} slots are more than ${MAX_CELLS} figures`);
  const onGrid = Number.isInteger(slotMinutes) && slotMinutes >= INNER_MINUTES && slotMinutes % INNER_MINUTES === 0;
  need(
    onGrid && MINUTES_PER_DAY % slotMinutes === 0,
    `slotMinutes is ${slotMinutes}; use a multiple of 15 that divides 1440`,
  );
  need(latitudeDeg >= -66 && latitudeDeg <= 66, 'latitudeDeg must be within 66 degrees, where every day has some sun');
  need(
    ['normal', 'uniform', 'log-normal'].includes(marginal),
    `marginal '${marginal}' is none of normal, uniform, log-normal`,
  );
  for (const { meanWh, sdWh } of [production, consumption]) {
    const ok = meanWh > 0 && sdWh > 0 && meanWh <= 1e8 && sdWh <= 1e8;
    need(ok, 'mean and sd of daily totals must be above 0 and at most 10^8 Wh');
  }
  need(seasonShare >= 0 && seasonShare <= 0.5, 'seasonShare must be 0 to 0.5');
  const ownerProduction = ownersMoments(production, pvOwnership);
  const startDayNumber = parseIsoDay(options.startDay ?? '2025-06-21');
  const base = { seed, homes, slots, slotMinutes, startDayNumber, latitudeDeg, marginal };
  return { ...base, ownerProduction, consumption, pvOwnership, seasonShare };
}

function newHome(plan: Plan, index: number): HomeState {
  const traits = randomStream(plan.seed, 'home', index);
  const loadWh = new Int32Array(plan.slots);
  const pvWh = new Int32Array(plan.slots);
  return {
    series: { id: String(index), loadWh, pvWh, positionM: drawPosition(plan.seed, index) },
    ownsPv: traits.next() < plan.pvOwnership,
    sizeZ: drawNormal(traits),
    habitZ: drawNormal(traits),
    morningHour: 7.5 + 0.6 * drawNormal(traits),
    eveningHour: 19 + 0.8 * drawNormal(traits),
    morningWeight: 0.8 + 0.8 * traits.next(),
    eveningWeight: 1.6 + 1.6 * traits.next(),
    cloud: new CloudCover(randomStream(plan.seed, 'home-cloud', index)),
    load: randomStream(plan.seed, 'home-load', index),
  };
}

interface CloudDay {
  /** Latent standard normal per hour; high is cloudy. */
  hours: number[];
  /** The day's mean over its hours, scaled to variance 1. */
  dayZ: number;
}

/** An AR(1) series of standard normal hours, handed out day by day. */
class CloudCover {
  readonly #stream: RandomStream;
  #last: number | null = null;

  constructor(stream: RandomStream) {
    this.#stream = stream;
  }

  nextDay(): CloudDay {
    const hours: number[] = [];
    for (let hour = 0; hour < 24; hour++) {
      const fresh = drawNormal(this.#stream);
      this.#last =
        this.#last === null ? fresh : CLOUD_PERSISTENCE * this.#last + Math.sqrt(1 - CLOUD_PERSISTENCE ** 2) * fresh;
      hours.push(this.#last);
    }
    return { hours, dayZ: hours.reduce((sum, z) => sum + z, 0) / (24 * DAY_MEAN_SD) };
  }
}

const DAY_MEAN_SD = Math.sqrt(
  Array.from({ length: 24 * 24 }, (_, i) => CLOUD_PERSISTENCE ** Math.abs((i % 24) - Math.floor(i / 24))).reduce(
    (sum, covariance) => sum + covariance / (24 * 24),
    0,
  ),
);

/** What all homes share on a day. */
interface CommonDay {
  yearDay: number;
  sun: number[];
  cloud: CloudDay;
  load: number;
}

function writeDay(plan: Plan, home: HomeState, day: number, common: CommonDay): void {
  const { yearDay } = common;
  const own = home.cloud.nextDay();
  const habits = drawNormal(home.load);
  const noise = Array.from({ length: INNER_PER_DAY }, () => drawNormal(home.load));

  const s = PRODUCTION_SHARES;
  const fair =
    Math.sqrt(s.home) * home.sizeZ -
    Math.sqrt(s.commonWeather) * common.cloud.dayZ -
    Math.sqrt(s.ownWeather) * own.dayZ;
  const productionZ =
    Math.sqrt(1 - plan.seasonShare) * fair + Math.sqrt(plan.seasonShare) * seasonZ(yearDay, plan.latitudeDeg);
  const production = home.ownsPv ? Math.round(dailyTotalWh(plan.marginal, plan.ownerProduction, productionZ)) : 0;
  const c = CONSUMPTION_SHARES;
  const consumptionZ =
    Math.sqrt(c.home) * home.habitZ + Math.sqrt(c.commonDay) * common.load + Math.sqrt(c.ownDay) * habits;
  const consumption = Math.round(dailyTotalWh(plan.marginal, plan.consumption, consumptionZ));

  const pv = apportion(production, pvWeights(common.sun, common.cloud, own));
  const load = apportion(consumption, loadWeights(plan, home, yearDay, noise));
  const perSlot = plan.slotMinutes / INNER_MINUTES;
  for (let inner = 0; inner < INNER_PER_DAY; inner++) {
    const slot = Math.floor((day * INNER_PER_DAY + inner) / perSlot);
    if (slot >= plan.slots) return;
    home.series.pvWh[slot] = (home.series.pvWh[slot] ?? 0) + (pv[inner] ?? 0);
    home.series.loadWh[slot] = (home.series.loadWh[slot] ?? 0) + (load[inner] ?? 0);
  }
}

/** Normal score of a day within the year, +inf at the height of summer: over a year these are a standard normal sample. */
function seasonZ(yearDay: number, latitudeDeg: number): number {
  const summer = latitudeDeg >= 0 ? 172 : 355;
  const apart = Math.abs(yearDay - summer);
  const distance = Math.min(apart, 365 - Math.min(apart, 365));
  return normalQuantile(1 - (distance + 0.5) / 184);
}

/** Sine of the sun's elevation in the middle of each inner step, 0 at night. */
function sunOfDay(plan: Plan, yearDay: number): number[] {
  return Array.from({ length: INNER_PER_DAY }, (_, inner) => {
    const hour = ((inner + 0.5) * INNER_MINUTES) / 60;
    return Math.max(0, sineOfElevation(plan.latitudeDeg, yearDay, hour));
  });
}

function pvWeights(sun: number[], common: CloudDay, own: CloudDay): number[] {
  const passing = common.hours.map((z, hour) => {
    const latent = Math.sqrt(CLOUD_COMMON_SHARE) * z + Math.sqrt(1 - CLOUD_COMMON_SHARE) * (own.hours[hour] ?? 0);
    return cloudTransmission(normalCdf(latent));
  });
  return sun.map((sine, inner) => sine * (passing[Math.floor((inner * INNER_MINUTES) / 60)] ?? 0));
}

function loadWeights(plan: Plan, home: HomeState, yearDay: number, noise: number[]): number[] {
  // In winter lights and heating lift the evening and widen it; the sign of the latitude turns the year round.
  const tilt = (declination(yearDay) / declination(172)) * (plan.latitudeDeg >= 0 ? 1 : -1);
  const eveningWeight = home.eveningWeight * (1 - 0.25 * tilt);
  const eveningWidth = 1.8 - 0.3 * tilt;
  return Array.from({ length: INNER_PER_DAY }, (_, inner) => {
    const hour = ((inner + 0.5) * INNER_MINUTES) / 60;
    const peaks =
      home.morningWeight * bell(hour, home.morningHour, 1.1) +
      eveningWeight * bell(hour, home.eveningHour, eveningWidth);
    const daytime = 0.4 * bell(hour, 13.5, 3.5);
    return (0.6 + daytime + peaks) * Math.exp(0.35 * (noise[inner] ?? 0));
  });
}

function bell(hour: number, centre: number, width: number): number {
  // Around the clock: an evening peak reaches past midnight.
  const apart = Math.abs(hour - centre) % 24;
  const distance = Math.min(apart, 24 - apart);
  return Math.exp(-0.5 * (distance / width) ** 2);
}

/** Shares out an integer total in proportion to weights: floors of the running sum, so the parts add up exactly. */
function apportion(total: number, weights: number[]): number[] {
  const sum = weights.reduce((a, b) => a + b, 0);
  // The last step with any weight takes the rest: rounding must not leave a Wh of sun to midnight.
  const last = weights.findLastIndex((weight) => weight > 0);
  let [running, given] = [0, 0];
  return weights.map((weight, index) => {
    running += weight;
    const upTo = index >= last ? total : Math.min(total, Math.floor((total * running) / sum));
    const part = upTo - given;
    given = upTo;
    return part;
  });
}
