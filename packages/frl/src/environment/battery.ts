import { requireConfig } from '../frl-error.ts';

/** Physics of one EV's battery. `paper` is frictionless; `sound` loses 5 % each way and wears. */
export interface BatteryConfig {
  readonly capacityKwh: number;
  /** Usable band, fractions of capacity. */
  readonly socMin: number;
  readonly socMax: number;
  /** Limit at the plug, in both directions. */
  readonly powerLimitKw: number;
  /** Battery kWh gained per metered kWh bought, in (0, 1]. */
  readonly chargeEfficiency: number;
  /** Metered kWh sold per battery kWh spent, in (0, 1]. */
  readonly dischargeEfficiency: number;
  /** Wear, per kWh that passes through the battery. */
  readonly degradationCadPerKwh: number;
}

/** Throws `FRL_INVALID_CONFIG` on a band, power or efficiency that no battery has. */
export function validateBattery(battery: BatteryConfig): void {
  const { socMin, socMax, chargeEfficiency, dischargeEfficiency } = battery;
  requireConfig(battery.capacityKwh > 0 && battery.powerLimitKw > 0, 'capacity and power limit must be positive', {
    capacityKwh: battery.capacityKwh,
    powerLimitKw: battery.powerLimitKw,
  });
  requireConfig(0 <= socMin && socMin < socMax && socMax <= 1, 'SOC band needs 0 <= socMin < socMax <= 1', {
    socMin,
    socMax,
  });
  requireConfig(
    chargeEfficiency > 0 && chargeEfficiency <= 1 && dischargeEfficiency > 0 && dischargeEfficiency <= 1,
    'efficiencies must lie in (0, 1]',
    { chargeEfficiency, dischargeEfficiency },
  );
  requireConfig(battery.degradationCadPerKwh >= 0, 'degradationCadPerKwh must not be negative');
}

/**
 * The metered energy (kWh, positive charges) that a request of a one-hour slot comes to at `energyKwh` stored: the
 * nearest value within power limit and SOC band (section 3, step 3). A request outside is projected, never penalised.
 */
export function projectAction(battery: BatteryConfig, energyKwh: number, requestKwh: number): number {
  const lowest = -Math.min(
    battery.powerLimitKw,
    Math.max(0, (energyKwh - battery.socMin * battery.capacityKwh) * battery.dischargeEfficiency),
  );
  const highest = Math.min(
    battery.powerLimitKw,
    Math.max(0, (battery.socMax * battery.capacityKwh - energyKwh) / battery.chargeEfficiency),
  );
  // Adding zero turns -0 into 0.
  return Math.min(highest, Math.max(lowest, requestKwh)) + 0;
}

/** Stored energy (kWh) after a projected metered action (section 3, step 4), held inside the band against rounding. */
export function advanceBattery(battery: BatteryConfig, energyKwh: number, actionKwh: number): number {
  const next =
    energyKwh + (actionKwh > 0 ? actionKwh * battery.chargeEfficiency : actionKwh / battery.dischargeEfficiency);
  return Math.min(battery.socMax * battery.capacityKwh, Math.max(battery.socMin * battery.capacityKwh, next));
}
