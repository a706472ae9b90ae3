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
 * levels x moves.
 */
export function solveOracle(
  config: EnvironmentConfig,
  days: DayBatch,
  index: number,
  options: OracleOptions,
): OracleSolution {
  const step = options.stepKwh ?? DEFAULT_STEP_KWH;
  requireInput(step > 0, 'oracle step must be positive', { stepKwh: step });
  const grid = energyGrid(config.battery, days.initialEnergyKwh[index] as number, step);
  const levels = grid.energyKwh.length;
  const arrival = days.arrivalSlot[index] as number;
  const slots = (days.departureSlot[index] as number) - arrival;
  const eta = days.rangeAnxietyCad[index] as number;

  let next = Float64Array.from(grid.energyKwh, (energy) => terminalReward(config, eta, energy));
  let current = new Float64Array(levels);
  const choices: Int16Array[] = [];
  for (let slot = slots - 1; slot >= 0; slot--) {
    const gain = slotGain(config, days, index * SLOTS_PER_DAY + arrival + slot, options.objective);
    const choice = new Int16Array(levels);
    sweepSlot(grid, gain, next, current, choice);
    choices[slot] = choice;
    [next, current] = [current, next];
  }

  const actionKwh = new Float64Array(slots);
  let level = grid.start;
  choices.forEach((choice, slot) => {
    const target = choice[level] as number;
    const storedKwh = (grid.energyKwh[target] as number) - (grid.energyKwh[level] as number);
    actionKwh[slot] = meteredEnergy(config.battery, storedKwh);
    level = target;
  });
  return { value: next[grid.start] as number, actionKwh };
}

/** Levels in ascending order: regular ones are `step` apart, at most one irregular level stands at each end. */
interface EnergyGrid {
  readonly energyKwh: Float64Array;
  readonly step: number;
  /** Level of the initial energy. */
  readonly start: number;
  readonly firstRegular: number;
  readonly lastRegular: number;
  readonly irregular: readonly number[];
  /** Most steps up and down that power allows in a slot. */
  readonly maxUp: number;
  readonly maxDown: number;
}

function energyGrid(battery: BatteryConfig, initialKwh: number, step: number): EnergyGrid {
  const lowest = battery.socMin * battery.capacityKwh;
  const highest = battery.socMax * battery.capacityKwh;
  const below = Math.floor((initialKwh - lowest) / step + TOLERANCE);
  const above = Math.floor((highest - initialKwh) / step + TOLERANCE);
  const energyKwh: number[] = [];
  const irregular: number[] = [];
  if (initialKwh - below * step - lowest > TOLERANCE) irregular.push(energyKwh.push(lowest) - 1);
  const firstRegular = energyKwh.length;
  for (let k = -below; k <= above; k++) energyKwh.push(initialKwh + k * step);
  const lastRegular = energyKwh.length - 1;
  if (highest - (initialKwh + above * step) > TOLERANCE) irregular.push(energyKwh.push(highest) - 1);
  return {
    energyKwh: Float64Array.from(energyKwh),
    step,
    start: firstRegular + below,
    firstRegular,
    lastRegular,
    irregular,
    maxUp: Math.floor((battery.powerLimitKw * battery.chargeEfficiency) / step + TOLERANCE),
    maxDown: Math.floor(battery.powerLimitKw / battery.dischargeEfficiency / step + TOLERANCE),
  };
}

/** Reward of changing the stored energy by so many kWh in one slot; minus infinity beyond the power limit. */
type SlotGain = (storedKwh: number) => number;

function slotGain(
  { battery, tariff }: EnvironmentConfig,
  days: DayBatch,
  at: number,
  objective: OracleOptions['objective'],
): SlotGain {
  const price = tariff.v2vFactor * (days.priceCadPerKwh[at] as number);
  const weight = objective === 'shaped' ? (days.delta[at] as number) : 1;
  return (storedKwh) => {
    const action = meteredEnergy(battery, storedKwh);
    if (Math.abs(action) > battery.powerLimitKw + TOLERANCE) return Number.NEGATIVE_INFINITY;
    const cash = -action * price - Math.abs(action) * tariff.serviceFeeCadPerKwh;
    return weight * cash - battery.degradationCadPerKwh * Math.abs(storedKwh);
  };
}

/** One step back in time: `value[level]` and the level to go to, from the values of the slot after. */
function sweepSlot(
  grid: EnergyGrid,
  gain: SlotGain,
  next: Float64Array,
  value: Float64Array,
  choice: Int16Array,
): void {
  const { energyKwh, firstRegular, lastRegular, irregular, maxUp, maxDown } = grid;
  const regularGain = new Float64Array(maxDown + maxUp + 1);
  for (let move = -maxDown; move <= maxUp; move++) regularGain[move + maxDown] = gain(move * grid.step);
  // Idle stands first, and another move replaces it only if it is better by more than rounding.
  for (let level = 0; level < next.length; level++) {
    value[level] = next[level] as number;
    choice[level] = level;
  }
  const consider = (level: number, target: number): void => {
    const storedKwh = (energyKwh[target] as number) - (energyKwh[level] as number);
    const candidate = gain(storedKwh) + (next[target] as number);
    if (candidate > (value[level] as number) + TIE_CAD) {
      value[level] = candidate;
      choice[level] = target;
    }
  };
  for (let level = firstRegular; level <= lastRegular; level++) {
    let best = value[level] as number;
    let bestTarget = level;
    const highest = Math.min(lastRegular, level + maxUp);
    for (let target = Math.max(firstRegular, level - maxDown); target <= highest; target++) {
      const candidate = (regularGain[target - level + maxDown] as number) + (next[target] as number);
      if (candidate > best + TIE_CAD) {
        best = candidate;
        bestTarget = target;
      }
    }
    value[level] = best;
    choice[level] = bestTarget;
    for (const target of irregular) consider(level, target);
  }
  for (const level of irregular) {
    for (let target = 0; target < next.length; target++) consider(level, target);
  }
}

/** Energy at the plug for a change of stored energy. */
function meteredEnergy(battery: BatteryConfig, storedKwh: number): number {
  return storedKwh > 0 ? storedKwh / battery.chargeEfficiency : storedKwh * battery.dischargeEfficiency;
}
