import type { BatchEnvironment } from './batch-environment.ts';
import { SLOTS_PER_DAY } from './tariff.ts';

/** Fleet statistics under the names that EV2Gym prints, so that tables of both can stand side by side. */
export interface Ev2GymMetrics {
  readonly total_profits: number;
  readonly total_energy_charged: number;
  readonly total_energy_discharged: number;
  /** Mean of min(1, energy at departure / target), a fraction. */
  readonly average_user_satisfaction: number;
  /** Energy at departure against charging at once at full power, in percent: minimum and sd over EVs. */
  readonly min_energy_user_satisfaction: number;
  readonly std_energy_user_satisfaction: number;
  /** Lost fraction of capacity, summed over EVs. */
  readonly battery_degradation: number;
  readonly battery_degradation_calendar: number;
  readonly battery_degradation_cycling: number;
  /** Sum over hours of the lot's net power above the site limit, kWh. */
  readonly total_transformer_overload: number;
}

export interface Ev2GymOptions {
  /** SOC that counts as full satisfaction; default socMax. */
  readonly socTarget?: number;
  /** Limit of the lot's net charging or discharging power; default none. */
  readonly siteLimitKw?: number;
  /** Cash after market clearing per EV-day (CAD), if the lot traded on a market; default the assumed-fill cash. */
  readonly clearedCashCad?: Float64Array;
}

/** The cell and pack of EV2Gym's ageing model (a 78 kWh pack, two years old, 15 000 km a year, 25 degrees Celsius). */
const AGEING = {
  cellCapacityAh: 2.05,
  packCapacityKwh: 78,
  ageDays: 730,
  distanceKmPerYear: 15000,
  consumptionKwhPerKm: 0.186,
  temperatureK: 298.15,
  minVoltage: 3.3324,
  voltagePerSoc: 0.8263,
} as const;

/** Calendar and cycling loss of one stay from its SOC at each slot start and at departure. */
function capacityLoss(soc: readonly number[], traded: readonly boolean[], exchangedKwh: number) {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const averageVoltage = AGEING.minVoltage + AGEING.voltagePerSoc * mean(soc);
  const calendarRate = (7.543e6 * averageVoltage - 23.75e6) * Math.exp(-6976 / AGEING.temperatureK);
  const calendar = (calendarRate * 0.75 * (soc.length / 24)) / AGEING.ageDays ** 0.25;

  const activeSoc = soc.filter((_, slot) => traded[slot] ?? true);
  const activeMean = mean(activeSoc);
  const depthOfDischarge = 2 * mean(activeSoc.map((value) => Math.abs(value - activeMean)));
  const halfVoltage = AGEING.minVoltage + AGEING.voltagePerSoc * 0.5;
  const cyclingRate = 7.348e-3 * (halfVoltage - 3.667) ** 2 + 7.6e-4 + 4.081e-3 * depthOfDischarge;
  const cellAhPerKwh = AGEING.cellCapacityAh / AGEING.packCapacityKwh;
  const pastThroughputAh =
    2 * AGEING.ageDays * (AGEING.distanceKmPerYear / 365) * AGEING.consumptionKwhPerKm * cellAhPerKwh;
  const cycling = (cyclingRate * 0.5 * exchangedKwh * cellAhPerKwh) / Math.sqrt(pastThroughputAh);
  return { calendar, cycling };
}

/** Statistics of a played-out lot. EV i's hours are common hours of one day. */
export function ev2GymMetrics(environment: BatchEnvironment, options: Ev2GymOptions = {}): Ev2GymMetrics {
  const { config, days, totals } = environment;
  const { battery } = config;
  const count = days.count;
  const target = options.socTarget ?? battery.socMax;
  let [profits, charged, discharged, satisfaction, calendar, cycling, overload] = [0, 0, 0, 0, 0, 0, 0];
  const energySatisfaction: number[] = [];
  for (let i = 0; i < count; i++) {
    const arrival = days.arrivalSlot[i] as number;
    const departure = days.departureSlot[i] as number;
    const energyEnd = environment.energyKwh[i] as number;
    profits += (options.clearedCashCad ?? totals.cashCad)[i] as number;
    charged += totals.boughtKwh[i] as number;
    discharged += totals.soldKwh[i] as number;
    satisfaction += Math.min(1, energyEnd / battery.capacityKwh / target);
    const asFastAsPossible = Math.min(
      battery.socMax * battery.capacityKwh,
      (days.initialEnergyKwh[i] as number) + (departure - arrival) * battery.powerLimitKw * battery.chargeEfficiency,
    );
    energySatisfaction.push((100 * energyEnd) / asFastAsPossible);
    const soc: number[] = [];
    const traded: boolean[] = [];
    for (let hour = arrival; hour < departure; hour++) {
      soc.push((totals.energyBySlotKwh[i * SLOTS_PER_DAY + hour] as number) / battery.capacityKwh);
      traded.push(totals.actionBySlotKwh[i * SLOTS_PER_DAY + hour] !== 0);
    }
    soc.push(energyEnd / battery.capacityKwh);
    const loss = capacityLoss(soc, traded, totals.throughputKwh[i] as number);
    calendar += loss.calendar;
    cycling += loss.cycling;
  }
  if (options.siteLimitKw !== undefined) {
    for (let hour = 0; hour < SLOTS_PER_DAY; hour++) {
      let net = 0;
      for (let i = 0; i < count; i++) net += totals.actionBySlotKwh[i * SLOTS_PER_DAY + hour] as number;
      overload += Math.max(0, Math.abs(net) - options.siteLimitKw);
    }
  }
  const meanSatisfaction = energySatisfaction.reduce((sum, value) => sum + value, 0) / count;
  const variance = energySatisfaction.reduce((sum, value) => sum + (value - meanSatisfaction) ** 2, 0) / count;
  return {
    total_profits: profits,
    total_energy_charged: charged,
    total_energy_discharged: discharged,
    average_user_satisfaction: satisfaction / count,
    min_energy_user_satisfaction: Math.min(...energySatisfaction),
    std_energy_user_satisfaction: Math.sqrt(variance),
    battery_degradation: calendar + cycling,
    battery_degradation_calendar: calendar,
    battery_degradation_cycling: cycling,
    total_transformer_overload: overload,
  };
}
