import { allocateDays, type DayBatch, setDay } from '../../src/environment/day-batch.ts';
import { createEnvironmentConfig, type EnvironmentConfig } from '../../src/environment/environment-config.ts';
import { streamRng } from '../../src/rng.ts';
import golden from './v2v-posoc.json' with { type: 'json' };

export { golden };

/** The world of the golden file's meta section: round prices, kV 0.75, kB 0.60, frictionless. */
export const goldenConfig: EnvironmentConfig = createEnvironmentConfig('paper', {
  tariff: { v2vFactor: golden.meta.kV2V, gridBuyFactor: golden.meta.kGridBuy, calendar: 'winter' },
  rangeAnxietyCad: golden.meta.eta,
});

/** One golden EV's day as a batch of one. */
export function goldenDay(ev: { ta: number; td: number; soc0: number }): DayBatch {
  const days = allocateDays(1);
  const stay = { arrivalSlot: ev.ta, departureSlot: ev.td, initialEnergyKwh: ev.soc0 * golden.meta.E_kWh };
  setDay(days, 0, goldenConfig, stay, golden.meta.lambda_, streamRng(0, 'unused'));
  return days;
}
