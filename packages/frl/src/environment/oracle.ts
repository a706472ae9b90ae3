import { requireInput } from '../frl-error.ts';
import { terminalReward } from './batch-environment.ts';
import type { BatteryConfig } from './battery.ts';
import type { DayBatch } from './day-batch.ts';
import type { EnvironmentConfig } from './environment-config.ts';
import { SLOTS_PER_DAY } from './tariff.ts';

export interface OracleOptions {
  /** Which return to maximise: `money` is the objective U, `shaped` weighs cash with delta. */
  readonly objective: 'money' | 'shaped';
  /** Grid step in stored kWh; default 0.25. */
  readonly stepKwh?: number;
}

export interface OracleSolution {
  /** Best return of the day, CAD. */
  readonly value: number;
  /** Metered kWh of each slot from arrival to departure. */
  readonly actionKwh: Float64Array;
}

const DEFAULT_STEP_KWH = 0.25;
/** Differences below this are rounding; on such ties the earlier candidate, idle first, stays. */
const TIE_CAD = 1e-12;
const TOLERANCE = 1e-9;

/**
 * The best day that hindsight allows: backward dynamic programming over stored energy, all prices known (section 4).
 * Levels are the initial energy plus multiples of the step, and the two ends of the SOC band; the value is a lower
 * bound on the continuous optimum, exact on these levels, and never falls when the step is divided. Time: slots x
 * levels x moves, about 0.2 ms a day at 0.25 kWh.
 */
export function solveOracle(
  config: EnvironmentConfig,
  days: DayBatch,
  index: number,
  options: OracleOptions,
): OracleSolution {
  const step = options.stepKwh ?? DEFAULT_STEP_KWH;
  requireInput(step > 0, 'oracle step must be positive', { stepKwh: step });
  const { battery, tariff } = config;
  const { energy, start, firstRegular, lastRegular } = energyLevels(
    battery,
    days.initialEnergyKwh[index] as number,
    step,
  );
  const levels = energy.length;
  const irregular = [...energy.keys()].filter((level) => level < firstRegular || level > lastRegular);
  const maxUp = Math.floor((battery.powerLimitKw * battery.chargeEfficiency) / step + TOLERANCE);
  const maxDown = Math.floor(battery.powerLimitKw / battery.dischargeEfficiency / step + TOLERANCE);
  const arrival = days.arrivalSlot[index] as number;
  const slots = (days.departureSlot[index] as number) - arrival;
  const eta = days.rangeAnxietyCad[index] as number;

  let next = Float64Array.from(energy, (level) => terminalReward(config, eta, level));
  let current = new Float64Array(levels);
  const choice = new Int16Array(slots * levels);
  const regularGain = new Float64Array(maxDown + maxUp + 1);
  for (let slot = slots - 1; slot >= 0; slot--) {
    const at = index * SLOTS_PER_DAY + arrival + slot;
    const price = tariff.v2vFactor * (days.priceCadPerKwh[at] as number);
    const weight = options.objective === 'shaped' ? (days.delta[at] as number) : 1;
    const gain = (storedKwh: number): number => {
      const action = meteredEnergy(battery, storedKwh);
      if (Math.abs(action) > battery.powerLimitKw + TOLERANCE) return Number.NEGATIVE_INFINITY;
      const cash = -action * price - Math.abs(action) * tariff.serviceFeeCadPerKwh;
      return weight * cash - battery.degradationCadPerKwh * Math.abs(storedKwh);
    };
    for (let move = -maxDown; move <= maxUp; move++) regularGain[move + maxDown] = gain(move * step);
    for (let level = 0; level < levels; level++) {
      let best = next[level] as number;
      let bestLevel = level;
      const here = energy[level] as number;
      const isRegular = level >= firstRegular && level <= lastRegular;
      const lowest = isRegular ? Math.max(firstRegular, level - maxDown) : 0;
      const highest = isRegular ? Math.min(lastRegular, level + maxUp) : levels - 1;
      for (let target = lowest; target <= highest; target++) {
        const moved = isRegular
          ? (regularGain[target - level + maxDown] as number)
          : gain((energy[target] as number) - here);
        const value = moved + (next[target] as number);
        if (value > best + TIE_CAD) {
          best = value;
          bestLevel = target;
        }
      }
      for (const target of isRegular ? irregular : []) {
        const value = gain((energy[target] as number) - here) + (next[target] as number);
        if (value > best + TIE_CAD) {
          best = value;
          bestLevel = target;
        }
      }
      current[level] = best;
      choice[slot * levels + level] = bestLevel;
    }
    [next, current] = [current, next];
  }

  const actionKwh = new Float64Array(slots);
  let level = start;
  for (let slot = 0; slot < slots; slot++) {
    const target = choice[slot * levels + level] as number;
    actionKwh[slot] = meteredEnergy(battery, (energy[target] as number) - (energy[level] as number));
    level = target;
  }
  return { value: next[start] as number, actionKwh };
}

/** Energy at the plug for a change of stored energy. */
function meteredEnergy(battery: BatteryConfig, storedKwh: number): number {
  return storedKwh > 0 ? storedKwh / battery.chargeEfficiency : storedKwh * battery.dischargeEfficiency;
}

/** Levels in ascending order; regular ones are `step` apart, at most one irregular level stands at each end. */
function energyLevels(battery: BatteryConfig, initialKwh: number, step: number) {
  const lowest = battery.socMin * battery.capacityKwh;
  const highest = battery.socMax * battery.capacityKwh;
  const below = Math.floor((initialKwh - lowest) / step + TOLERANCE);
  const above = Math.floor((highest - initialKwh) / step + TOLERANCE);
  const energy: number[] = [];
  if (initialKwh - below * step - lowest > TOLERANCE) energy.push(lowest);
  const firstRegular = energy.length;
  for (let k = -below; k <= above; k++) energy.push(initialKwh + k * step);
  const lastRegular = energy.length - 1;
  if (highest - (initialKwh + above * step) > TOLERANCE) energy.push(highest);
  return { energy: Float64Array.from(energy), start: firstRegular + below, firstRegular, lastRegular };
}
