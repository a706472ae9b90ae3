import type { Position } from './loss-rate.ts';
import type { Prosumer } from './prosumer-market.ts';
import type { Rng } from './rng.ts';

/** Distributions of production and consumption in the thesis's experiments. */
export const ENERGY_DISTRIBUTIONS = ['normal', 'uniform', 'logNormal'] as const;
export type EnergyDistribution = (typeof ENERGY_DISTRIBUTIONS)[number];

/** Means and standard deviation of section 12, kWh per slot. */
export const PRODUCTION_MEAN_KWH = 7.45;
export const CONSUMPTION_MEAN_KWH = 12.41;
export const ENERGY_SD_KWH = 8;
/** Side of the square in which prosumers stand, km. */
export const AREA_SIDE_KM = 20;

/** Random prosumers at uniform places in the square. Negative draws count as 0 kWh. */
export function randomProsumers(
  count: number,
  distribution: EnergyDistribution,
  rng: Rng,
): { readonly prosumers: readonly Prosumer[]; readonly positions: readonly Position[] } {
  const positions: Position[] = [];
  const prosumers: Prosumer[] = [];
  for (let i = 0; i < count; i++) {
    positions.push({ xKm: AREA_SIDE_KM * rng(), yKm: AREA_SIDE_KM * rng() });
    prosumers.push({
      productionKwh: drawEnergy(distribution, PRODUCTION_MEAN_KWH, rng),
      consumptionKwh: drawEnergy(distribution, CONSUMPTION_MEAN_KWH, rng),
    });
  }
  return { prosumers, positions };
}

function drawEnergy(distribution: EnergyDistribution, mean: number, rng: Rng): number {
  if (distribution === 'uniform') return Math.max(0, mean + Math.sqrt(3) * ENERGY_SD_KWH * (2 * rng() - 1));
  const standardNormal = Math.sqrt(-2 * Math.log(1 - rng())) * Math.cos(2 * Math.PI * rng());
  if (distribution === 'normal') return Math.max(0, mean + ENERGY_SD_KWH * standardNormal);
  const logVariance = Math.log(1 + (ENERGY_SD_KWH / mean) ** 2);
  return Math.exp(Math.log(mean) - logVariance / 2 + Math.sqrt(logVariance) * standardNormal);
}
