import { requireInput } from '../frl-error.ts';
import type { Rng } from '../rng.ts';
import type { ClampedNormal, EnvironmentConfig } from './environment-config.ts';
import {
  deltaOf,
  fillSlotPrices,
  PERIODS,
  type PriceTriple,
  periodOfHour,
  SLOTS_PER_DAY,
  samplePriceTriple,
} from './tariff.ts';

/** EV-days as parallel typed arrays. Arrays of slots are row-major: day i, hour h at `i * 24 + h`. */
export interface DayBatch {
  readonly count: number;
  /** First slot present. */
  readonly arrivalSlot: Uint8Array;
  /** First slot absent; the departing slot is the one before. */
  readonly departureSlot: Uint8Array;
  readonly initialEnergyKwh: Float64Array;
  /** Index into `PERIODS`. */
  readonly period: Uint8Array;
  readonly priceCadPerKwh: Float64Array;
  readonly delta: Float64Array;
  /** The day's off-peak price, at which `settled` refills the battery. */
  readonly offPriceCadPerKwh: Float64Array;
  /** eta of this EV. */
  readonly rangeAnxietyCad: Float64Array;
}

/** One EV's stay: integer hours and the energy it brings. */
export interface Stay {
  readonly arrivalSlot: number;
  readonly departureSlot: number;
  readonly initialEnergyKwh: number;
}

/** Draws a stay (section 3, step 1). Draw order: arrival, departure, SOC. */
export function sampleStay(config: EnvironmentConfig, rng: Rng): Stay {
  const draw = (law: ClampedNormal): number => Math.min(law.max, Math.max(law.min, law.mean + law.sd * rng.normal()));
  const arrivalSlot = Math.round(draw(config.stay.arrivalHour));
  const departureSlot = Math.max(Math.round(draw(config.stay.departureHour)), arrivalSlot + 1);
  const { socMin, socMax, capacityKwh } = config.battery;
  const soc = Math.min(socMax, Math.max(socMin, draw(config.stay.initialSoc)));
  return { arrivalSlot, departureSlot, initialEnergyKwh: soc * capacityKwh };
}

/** An empty batch for `count` EV-days. */
export function allocateDays(count: number): DayBatch {
  const slots = count * SLOTS_PER_DAY;
  return {
    count,
    arrivalSlot: new Uint8Array(count),
    departureSlot: new Uint8Array(count),
    initialEnergyKwh: new Float64Array(count),
    period: new Uint8Array(slots),
    priceCadPerKwh: new Float64Array(slots),
    delta: new Float64Array(slots),
    offPriceCadPerKwh: new Float64Array(count),
    rangeAnxietyCad: new Float64Array(count),
  };
}

/**
 * Writes day `index`: a stay and a price triple (slot prices and delta follow). `rng` is used only with `hourlyNoise`.
 * Throws `FRL_INVALID_INPUT` on a stay outside the day or the SOC band.
 */
export function setDay(
  days: DayBatch,
  index: number,
  config: EnvironmentConfig,
  stay: Stay,
  triple: PriceTriple,
  rng: Rng,
): void {
  const { socMin, socMax, capacityKwh } = config.battery;
  requireInput(
    0 <= stay.arrivalSlot && stay.arrivalSlot < stay.departureSlot && stay.departureSlot <= SLOTS_PER_DAY,
    `day ${index}: a stay needs 0 <= arrivalSlot < departureSlot <= 24`,
    { index, arrivalSlot: stay.arrivalSlot, departureSlot: stay.departureSlot },
  );
  const tolerance = 1e-9 * capacityKwh;
  requireInput(
    stay.initialEnergyKwh >= socMin * capacityKwh - tolerance &&
      stay.initialEnergyKwh <= socMax * capacityKwh + tolerance,
    `day ${index}: initial energy lies outside the SOC band`,
    { index, initialEnergyKwh: stay.initialEnergyKwh },
  );
  const offset = index * SLOTS_PER_DAY;
  days.arrivalSlot[index] = stay.arrivalSlot;
  days.departureSlot[index] = stay.departureSlot;
  days.initialEnergyKwh[index] = stay.initialEnergyKwh;
  days.offPriceCadPerKwh[index] = triple.off;
  days.rangeAnxietyCad[index] = config.rangeAnxietyCad;
  fillSlotPrices(config.tariff, triple, rng, days.priceCadPerKwh, offset);
  for (let hour = 0; hour < SLOTS_PER_DAY; hour++) {
    days.period[offset + hour] = PERIODS.indexOf(periodOfHour(config.tariff.calendar, hour));
    days.delta[offset + hour] = deltaOf(
      days.priceCadPerKwh[offset + hour] as number,
      triple.off,
      config.tariff.deltaFloor,
    );
  }
}

/** `count` independent EV-days, each with its own prices. Draw order per day: triple, stay, slot noise. */
export function sampleDays(config: EnvironmentConfig, count: number, rng: Rng): DayBatch {
  const days = allocateDays(count);
  for (let index = 0; index < count; index++) {
    const triple = samplePriceTriple(config.tariff, rng);
    setDay(days, index, config, sampleStay(config, rng), triple, rng);
  }
  return days;
}

/**
 * One day of a lot: `configs[i]` is EV i's world; all share one price triple, drawn from the first EV's tariff.
 * Draw order: triple, then stay and slot noise of each EV.
 */
export function sampleLotDay(configs: readonly EnvironmentConfig[], rng: Rng): DayBatch {
  const first = configs[0];
  requireInput(first !== undefined, 'a lot needs at least one EV');
  const days = allocateDays(configs.length);
  const triple = samplePriceTriple(first.tariff, rng);
  configs.forEach((config, index) => {
    setDay(days, index, config, sampleStay(config, rng), triple, rng);
  });
  return days;
}
