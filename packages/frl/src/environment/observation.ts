import type { BatchEnvironment } from './batch-environment.ts';
import type { EnvironmentConfig } from './environment-config.ts';
import { SLOTS_PER_DAY } from './tariff.ts';

const BASE_FEATURES = 9;

/** Features of one observation: 9, one more for Omega when it is not 0, one more with `observeRangeAnxiety`. */
export function observationSize(config: EnvironmentConfig): number {
  return (
    BASE_FEATURES + (config.tariff.serviceFeeCadPerKwh !== 0 ? 1 : 0) + (config.observation.observeRangeAnxiety ? 1 : 0)
  );
}

/**
 * Writes the observation of every EV (section 3), row-major `count x observationSize` into `out`; rows of absent EVs
 * are zero. Order: delta, SOC, pV2V, pGbuy, pGsell, hours left, departs now, sin and cos of the hour, then the
 * optional Omega and log(eta/10)/1.5.
 */
export function observe(environment: BatchEnvironment, out: Float32Array): void {
  const { config, days } = environment;
  const { tariff, battery, observation } = config;
  const size = observationSize(config);
  for (let i = 0; i < days.count; i++) {
    const row = i * size;
    if (!environment.isPresent(i)) {
      out.fill(0, row, row + size);
      continue;
    }
    const hour = environment.slot[i] as number;
    const at = i * SLOTS_PER_DAY + hour;
    const price = days.priceCadPerKwh[at] as number;
    const hoursLeft = (days.departureSlot[i] as number) - hour;
    const angle = (Math.PI * hour) / 12;
    out[row] = observation.useDelta ? 2 * (days.delta[at] as number) - 1 : 0;
    out[row + 1] = ((environment.energyKwh[i] as number) / battery.capacityKwh - 0.5) / 0.15;
    out[row + 2] = (tariff.v2vFactor * price - 0.09) / 0.03;
    out[row + 3] = (tariff.gridBuyFactor * price - 0.08) / 0.03;
    out[row + 4] = (price - 0.12) / 0.04;
    out[row + 5] = observation.observeTime ? hoursLeft / 5 - 1 : 0;
    out[row + 6] = observation.observeTime && hoursLeft <= 1 ? 1 : 0;
    out[row + 7] = observation.observeTime ? Math.sin(angle) : 0;
    out[row + 8] = observation.observeTime ? Math.cos(angle) : 0;
    let next = row + 9;
    if (tariff.serviceFeeCadPerKwh !== 0) out[next++] = tariff.serviceFeeCadPerKwh;
    if (observation.observeRangeAnxiety) out[next] = Math.log((days.rangeAnxietyCad[i] as number) / 10) / 1.5;
  }
}
