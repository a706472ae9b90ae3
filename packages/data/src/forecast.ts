import { DataError } from './errors.ts';
import { drawNormal, normalQuantile, randomStream } from './random.ts';

/** Options of a forecast. */
export interface ForecastOptions {
  seed: string;
  /** What is forecast, for example `home-3/pv`: each gets its own errors. */
  name: string;
  /** Expected sum of absolute errors over the sum of actual energy, 0 to 1.5. Default 0: the forecast is the actual. */
  nMae?: number;
}

/**
 * A forecast of integer Wh per slot with the given normalised mean absolute error: each slot is multiplied by an independent
 * log-normal factor of mean 1, so a forecast is never negative, unbiased, and zero where the actual is zero (a system does
 * not expect sun at night). Raises DATA_INVALID_OPTION.
 */
export function forecast(actualWh: Int32Array, { seed, name, nMae = 0 }: ForecastOptions): Int32Array {
  if (!(nMae >= 0 && nMae <= 1.5)) {
    throw new DataError('DATA_INVALID_OPTION', 0, `nMae is ${nMae}, it must be 0 to 1.5 (0.1 is 10 %)`);
  }
  const negative = actualWh.findIndex((value) => value < 0);
  if (negative >= 0) throw new DataError('DATA_INVALID_OPTION', 0, `actual energy of slot ${negative} is negative`);
  if (nMae === 0) return actualWh.slice();
  // E|X - 1| = 2 (2 Phi(s/2) - 1) for a log-normal X of mean 1 and log-sd s, solved for s.
  const spread = 2 * normalQuantile(0.5 + nMae / 4);
  const stream = randomStream(seed, 'forecast', name);
  return actualWh.map((value) => {
    const factor = Math.exp(spread * drawNormal(stream) - (spread * spread) / 2);
    return Math.min(2_147_483_647, Math.round(value * factor));
  });
}

/** Sum of absolute differences over the sum of actual values; 0 when both are 0 throughout. */
export function normalisedMae(actualWh: Int32Array, forecastWh: Int32Array): number {
  let [error, total] = [0, 0];
  actualWh.forEach((value, slot) => {
    error += Math.abs((forecastWh[slot] ?? 0) - value);
    total += value;
  });
  return total === 0 ? (error === 0 ? 0 : Number.POSITIVE_INFINITY) : error / total;
}
