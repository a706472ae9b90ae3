import { DataError } from './errors.ts';
import { normalCdf } from './random.ts';

/** Shape of the distribution of daily totals across homes and days. */
export type Marginal = 'normal' | 'uniform' | 'log-normal';

/** Mean and standard deviation of daily totals before negatives are set to 0, in Wh. */
export interface DailyMoments {
  meanWh: number;
  sdWh: number;
}

/** Daily production and consumption of the market's reference draws (market specification, section 12). */
export const REFERENCE_PRODUCTION: DailyMoments = { meanWh: 7450, sdWh: 8000 };
export const REFERENCE_CONSUMPTION: DailyMoments = { meanWh: 12_410, sdWh: 8000 };

/**
 * The daily total in Wh that stands where a standard normal `z` stands in its distribution: `normal` mean + sd z; `uniform` on
 * mean +- sqrt(3) sd; `log-normal` with the same mean and sd. Not rounded; negatives become 0.
 */
export function dailyTotalWh(marginal: Marginal, { meanWh, sdWh }: DailyMoments, z: number): number {
  switch (marginal) {
    case 'normal':
      return Math.max(0, meanWh + sdWh * z);
    case 'uniform':
      return Math.max(0, meanWh + Math.sqrt(3) * sdWh * (2 * normalCdf(z) - 1));
    case 'log-normal': {
      const variance = Math.log(1 + (sdWh / meanWh) ** 2);
      return Math.exp(Math.log(meanWh) - variance / 2 + Math.sqrt(variance) * z);
    }
  }
}

/**
 * Moments that the owners' totals need so that owners (a fraction `ownership`) and the others, who have 0, together have the
 * given moments. Raises DATA_INVALID_OPTION below m^2 / (m^2 + sd^2), where no variance is left for the owners.
 */
export function ownersMoments({ meanWh, sdWh }: DailyMoments, ownership: number): DailyMoments {
  const ownMean = meanWh / ownership;
  const variance = (meanWh ** 2 + sdWh ** 2) / ownership - ownMean ** 2;
  if (!(ownership > 0 && ownership <= 1) || !(variance > 0)) {
    const least = meanWh ** 2 / (meanWh ** 2 + sdWh ** 2);
    const reason = `pvOwnership ${ownership} must be above ${least.toFixed(3)} and at most 1 to leave the production's moments`;
    throw new DataError('DATA_INVALID_OPTION', 0, reason);
  }
  return { meanWh: ownMean, sdWh: Math.sqrt(variance) };
}
