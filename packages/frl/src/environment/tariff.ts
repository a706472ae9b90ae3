import { requireConfig } from '../frl-error.ts';
import type { Rng } from '../rng.ts';

/** Slots of a day; slot h covers [h, h+1). */
export const SLOTS_PER_DAY = 24;

export const PERIODS = ['off', 'mid', 'on'] as const;
export type Period = (typeof PERIODS)[number];

/** Which hours belong to which period; `flat` is a weekend or holiday. */
export type Calendar = 'winter' | 'summer' | 'flat';

/** Prices in CAD/kWh of the three periods. */
export type PriceTriple = Readonly<Record<Period, number>>;

export interface PriceDistribution {
  readonly meanCadPerKwh: PriceTriple;
  readonly sdCadPerKwh: PriceTriple;
}

/** `text`: the rates of the running text (8.2 / 11.3 / 17.0 cents). `table`: those of Table 4.1. */
export const PRICE_DISTRIBUTIONS = {
  text: {
    meanCadPerKwh: { off: 0.082, mid: 0.113, on: 0.17 },
    sdCadPerKwh: { off: 0.01, mid: 0.01, on: 0.01 },
  },
  table: {
    meanCadPerKwh: { off: 0.068, mid: 0.1, on: 0.129 },
    sdCadPerKwh: { off: 0.026, mid: 0.015, on: 0.02 },
  },
} as const satisfies Record<string, PriceDistribution>;

export interface TariffConfig {
  readonly calendar: Calendar;
  readonly prices: PriceDistribution;
  /** `ND`: normal, truncated at three sd. `UD`: uniform within three sd (so its own sd is sqrt(3) times larger). */
  readonly distribution: 'ND' | 'UD';
  /** Redraw the day's triple until on > mid > off >= 0.02 (eight tries, then the means). */
  readonly rejection: boolean;
  /** Redraw every slot around the day's price of its period, with the same sd. */
  readonly hourlyNoise: boolean;
  /** pV2V = v2vFactor x slot price. */
  readonly v2vFactor: number;
  /** pGbuy = gridBuyFactor x slot price; below `v2vFactor`, which is below 1. */
  readonly gridBuyFactor: number;
  /** Omega: service cost per kWh traded, in either direction. */
  readonly serviceFeeCadPerKwh: number;
  /** Lower clamp of delta; what off-peak energy counts. */
  readonly deltaFloor: number;
}

/** Throws `FRL_INVALID_CONFIG` unless pGbuy < pV2V < pGsell, 0 <= deltaFloor <= 1 and Omega >= 0. */
export function validateTariff(config: TariffConfig): void {
  const { gridBuyFactor, v2vFactor, deltaFloor, serviceFeeCadPerKwh } = config;
  requireConfig(
    gridBuyFactor > 0 && gridBuyFactor < v2vFactor && v2vFactor < 1,
    'tariff needs 0 < gridBuyFactor < v2vFactor < 1, or an EV would rather trade with the grid',
    { gridBuyFactor, v2vFactor },
  );
  requireConfig(deltaFloor >= 0 && deltaFloor <= 1, 'deltaFloor must lie in [0, 1]', { deltaFloor });
  requireConfig(serviceFeeCadPerKwh >= 0, 'serviceFeeCadPerKwh must not be negative', { serviceFeeCadPerKwh });
}

/** The period of an hour of day (0..23), section 2. */
export function periodOfHour(calendar: Calendar, hour: number): Period {
  if (calendar === 'flat' || hour < 7 || hour >= 19) return 'off';
  const midday = hour >= 11 && hour < 17;
  return midday === (calendar === 'winter') ? 'mid' : 'on';
}

/**
 * delta of eq. 4.2-4.4: how much a price exceeds off-peak, clamped to [deltaFloor, 1]. Dimensionless. Off-peak gives
 * the floor.
 */
export function deltaOf(priceCadPerKwh: number, offPriceCadPerKwh: number, deltaFloor: number): number {
  return Math.min(1, Math.max(deltaFloor, priceCadPerKwh / offPriceCadPerKwh - 1));
}

/** The three prices of a slot in CAD/kWh, named from the grid's side. */
export interface SlotPrices {
  readonly gridSell: number;
  readonly v2v: number;
  readonly gridBuy: number;
}

/** pGsell, pV2V and pGbuy of a slot from its tariff price (CAD/kWh). */
export function slotPrices(
  priceCadPerKwh: number,
  factors: Pick<TariffConfig, 'v2vFactor' | 'gridBuyFactor'>,
): SlotPrices {
  return {
    gridSell: priceCadPerKwh,
    v2v: factors.v2vFactor * priceCadPerKwh,
    gridBuy: factors.gridBuyFactor * priceCadPerKwh,
  };
}

const MIN_PRICE_CAD_PER_KWH = 0.01;
const MIN_OFF_PRICE_CAD_PER_KWH = 0.02;
const MAX_TRIES = 8;

function standardDeviate(distribution: TariffConfig['distribution'], rng: Rng): number {
  if (distribution === 'UD') return 6 * rng.uniform() - 3;
  for (;;) {
    const z = rng.normal();
    if (Math.abs(z) <= 3) return z;
  }
}

/** One day's price triple, shared by every EV of a lot. Draw order: off, mid, on, for each try. */
export function samplePriceTriple(config: TariffConfig, rng: Rng): PriceTriple {
  const { meanCadPerKwh: mean, sdCadPerKwh: sd } = config.prices;
  const draw = (period: Period): number =>
    Math.max(MIN_PRICE_CAD_PER_KWH, mean[period] + sd[period] * standardDeviate(config.distribution, rng));
  for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
    const triple = { off: draw('off'), mid: draw('mid'), on: draw('on') };
    const ordered = triple.on > triple.mid && triple.mid > triple.off && triple.off >= MIN_OFF_PRICE_CAD_PER_KWH;
    if (ordered || !config.rejection) return triple;
  }
  return mean;
}

/**
 * Fills the 24 slot prices (CAD/kWh) of a day from its triple, starting at `offset` of `out`. With `hourlyNoise` draws
 * one deviate per slot.
 */
export function fillSlotPrices(
  config: TariffConfig,
  triple: PriceTriple,
  rng: Rng,
  out: Float64Array,
  offset: number,
): void {
  for (let hour = 0; hour < SLOTS_PER_DAY; hour++) {
    const period = periodOfHour(config.calendar, hour);
    const noise = config.hourlyNoise
      ? config.prices.sdCadPerKwh[period] * standardDeviate(config.distribution, rng)
      : 0;
    out[offset + hour] = Math.max(MIN_PRICE_CAD_PER_KWH, triple[period] + noise);
  }
}
