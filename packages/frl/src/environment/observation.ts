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

/** What one EV sees before it acts. */
export interface SlotView {
  /** Hour of day. */
  readonly hour: number;
  /** Slots until departure, this one included. */
  readonly hoursLeft: number;
  readonly energyKwh: number;
  readonly priceCadPerKwh: number;
  readonly delta: number;
  /** eta of this EV. */
  readonly rangeAnxietyCad: number;
}

/**
 * Writes one observation (section 3) at `offset` of `out`. Order: delta, SOC, pV2V, pGbuy, pGsell, hours left, departs
 * now, sin and cos of the hour, then the optional Omega and log(eta/10)/1.5.
 */
export function writeObservation(config: EnvironmentConfig, view: SlotView, out: Float32Array, offset: number): void {
  const { tariff, battery, observation } = config;
  const { priceCadPerKwh: price, hoursLeft } = view;
  const angle = (Math.PI * view.hour) / 12;
  out[offset] = observation.useDelta ? 2 * view.delta - 1 : 0;
  out[offset + 1] = (view.energyKwh / battery.capacityKwh - 0.5) / 0.15;
  out[offset + 2] = (tariff.v2vFactor * price - 0.09) / 0.03;
  out[offset + 3] = (tariff.gridBuyFactor * price - 0.08) / 0.03;
  out[offset + 4] = (price - 0.12) / 0.04;
  out[offset + 5] = observation.observeTime ? hoursLeft / 5 - 1 : 0;
  out[offset + 6] = observation.observeTime && hoursLeft <= 1 ? 1 : 0;
  out[offset + 7] = observation.observeTime ? Math.sin(angle) : 0;
  out[offset + 8] = observation.observeTime ? Math.cos(angle) : 0;
  let next = offset + BASE_FEATURES;
  if (tariff.serviceFeeCadPerKwh !== 0) out[next++] = tariff.serviceFeeCadPerKwh;
  if (observation.observeRangeAnxiety) out[next] = Math.log(view.rangeAnxietyCad / 10) / 1.5;
}

/** Observations of every EV, row-major `count x observationSize`; rows of absent EVs are zero. */
export function observe(environment: BatchEnvironment, out: Float32Array): void {
  const { config, days } = environment;
  const size = observationSize(config);
  for (let i = 0; i < days.count; i++) {
    if (!environment.isPresent(i)) {
      out.fill(0, i * size, (i + 1) * size);
      continue;
    }
    const hour = environment.slot[i] as number;
    const at = i * SLOTS_PER_DAY + hour;
    const view: SlotView = {
      hour,
      hoursLeft: (days.departureSlot[i] as number) - hour,
      energyKwh: environment.energyKwh[i] as number,
      priceCadPerKwh: days.priceCadPerKwh[at] as number,
      delta: days.delta[at] as number,
      rangeAnxietyCad: days.rangeAnxietyCad[i] as number,
    };
    writeObservation(config, view, out, i * size);
  }
}
