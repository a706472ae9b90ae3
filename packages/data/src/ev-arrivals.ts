import { DataError } from './errors.ts';
import { drawNormal, type RandomStream, randomStream } from './random.ts';

/** A normal distribution cut to an interval: draws beyond a bound are moved to it. */
export interface ClampedNormal {
  mean: number;
  sd: number;
  min: number;
  max: number;
}

/** Distributions of arrivals. Hours are of the local day, states of charge are fractions of the battery. */
export interface EvArrivalOptions {
  seed: string;
  vehicles: number;
  /** Default 1. */
  days?: number;
  /** Hour of arrival. Default mean 7, sd 1, within 4 to 10. */
  arrivalHour?: ClampedNormal;
  /** Hour of departure. Default mean 18, sd 1, within 8 to 22. */
  departureHour?: ClampedNormal;
  /** State of charge on arrival. Default mean 0.5, sd 0.1, within 0.4 to 0.8. */
  initialSoc?: ClampedNormal;
}

/** One stay of a vehicle: present in the hours from `arrivalHour` inclusive to `departureHour` exclusive. */
export interface EvArrival {
  vehicle: number;
  day: number;
  arrivalHour: number;
  departureHour: number;
  /** State of charge on arrival in 10^-6 of the battery. */
  initialSocPpm: number;
}

export const REFERENCE_ARRIVAL_HOUR: ClampedNormal = { mean: 7, sd: 1, min: 4, max: 10 };
export const REFERENCE_DEPARTURE_HOUR: ClampedNormal = { mean: 18, sd: 1, min: 8, max: 22 };
export const REFERENCE_INITIAL_SOC: ClampedNormal = { mean: 0.5, sd: 0.1, min: 0.4, max: 0.8 };

/**
 * Stays at the charging place, one per vehicle and day (vehicle-to-vehicle specification, section 3, step 1): hours are drawn,
 * clamped and rounded, and a departure is at least an hour after the arrival. A stay depends on the seed, the vehicle and the
 * day only. Raises DATA_INVALID_OPTION.
 */
export function generateEvArrivals(options: EvArrivalOptions): EvArrival[] {
  const { seed, vehicles, days = 1 } = options;
  const { arrivalHour = REFERENCE_ARRIVAL_HOUR, departureHour = REFERENCE_DEPARTURE_HOUR } = options;
  const { initialSoc = REFERENCE_INITIAL_SOC } = options;
  if (seed === '') throw new DataError('DATA_INVALID_OPTION', 0, 'seed must be a text that is not empty');
  for (const [name, count] of Object.entries({ vehicles, days })) {
    if (Number.isInteger(count) && count >= 1 && count <= 1_000_000) continue;
    throw new DataError('DATA_INVALID_OPTION', 0, `${name} is ${count}, it must be 1 to 1,000,000`);
  }
  check('arrivalHour', arrivalHour, 0, 23);
  check('departureHour', departureHour, 1, 24);
  check('initialSoc', initialSoc, 0, 1);
  const stays: EvArrival[] = [];
  for (let day = 0; day < days; day++) {
    for (let vehicle = 0; vehicle < vehicles; vehicle++) {
      const stream = randomStream(seed, 'ev', vehicle, day);
      const arrival = Math.round(draw(arrivalHour, stream));
      const departure = Math.max(Math.round(draw(departureHour, stream)), arrival + 1);
      const initialSocPpm = Math.round(draw(initialSoc, stream) * 1_000_000);
      stays.push({ vehicle, day, arrivalHour: arrival, departureHour: departure, initialSocPpm });
    }
  }
  return stays;
}

function draw({ mean, sd, min, max }: ClampedNormal, stream: RandomStream): number {
  return Math.min(max, Math.max(min, mean + sd * drawNormal(stream)));
}

function check(name: string, { mean, sd, min, max }: ClampedNormal, least: number, most: number): void {
  if (Number.isFinite(mean) && sd >= 0 && Number.isFinite(sd) && min >= least && max <= most && min <= max) return;
  const reason = `${name} needs a finite mean, sd >= 0 and bounds min <= max within ${least} to ${most}`;
  throw new DataError('DATA_INVALID_OPTION', 0, reason);
}
