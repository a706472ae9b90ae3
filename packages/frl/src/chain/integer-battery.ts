import { requireConfig } from '../frl-error.ts';
import { floorDivide, maxOf, minOf, PPM } from './integer-arithmetic.ts';

/** Battery physics in Wh, for peers that must agree on what an announced action can be. */
export interface IntegerBattery {
  readonly capacityWh: bigint;
  readonly minEnergyWh: bigint;
  readonly maxEnergyWh: bigint;
  /** Most metered energy of one hour in either direction. */
  readonly powerLimitWh: bigint;
  readonly chargeEfficiencyPpm: bigint;
  readonly dischargeEfficiencyPpm: bigint;
}

/** The default vehicle: 42 kWh, band 20..80 %, 10 kW; `paper` frictionless, `sound` 95 % each way. */
export function defaultIntegerBattery(preset: 'paper' | 'sound'): IntegerBattery {
  const efficiencyPpm = preset === 'sound' ? 950_000n : PPM;
  return {
    capacityWh: 42_000n,
    minEnergyWh: 8_400n,
    maxEnergyWh: 33_600n,
    powerLimitWh: 10_000n,
    chargeEfficiencyPpm: efficiencyPpm,
    dischargeEfficiencyPpm: efficiencyPpm,
  };
}

/** Throws `FRL_INVALID_CONFIG` on an impossible band, limit or efficiency. */
export function validateIntegerBattery(battery: IntegerBattery): void {
  const { capacityWh, minEnergyWh, maxEnergyWh, powerLimitWh, chargeEfficiencyPpm, dischargeEfficiencyPpm } = battery;
  requireConfig(
    0n <= minEnergyWh && minEnergyWh < maxEnergyWh && maxEnergyWh <= capacityWh && powerLimitWh > 0n,
    'battery needs 0 <= minEnergyWh < maxEnergyWh <= capacityWh and a positive power limit',
    { capacityWh, minEnergyWh, maxEnergyWh, powerLimitWh },
  );
  const efficient = (ppm: bigint): boolean => ppm > 0n && ppm <= PPM;
  requireConfig(efficient(chargeEfficiencyPpm) && efficient(dischargeEfficiencyPpm), 'efficiencies lie in 1..1000000', {
    chargeEfficiencyPpm,
    dischargeEfficiencyPpm,
  });
}

/**
 * The metered action (Wh, positive charges) nearest to `requestWh` that power and band allow. Limits are floored, so
 * that `advanceBatteryWh` never leaves the band.
 */
export function projectActionWh(battery: IntegerBattery, energyWh: bigint, requestWh: bigint): bigint {
  const usableWh = maxOf(0n, energyWh - battery.minEnergyWh);
  const roomWh = maxOf(0n, battery.maxEnergyWh - energyWh);
  const sellWh = minOf(battery.powerLimitWh, (usableWh * battery.dischargeEfficiencyPpm) / PPM);
  const buyWh = minOf(battery.powerLimitWh, (roomWh * PPM) / battery.chargeEfficiencyPpm);
  return minOf(buyWh, maxOf(-sellWh, requestWh));
}

/** Stored Wh after a metered action: charging is floored, discharging takes the ceiling; losses never create energy. */
export function advanceBatteryWh(battery: IntegerBattery, energyWh: bigint, actionWh: bigint): bigint {
  return actionWh > 0n
    ? energyWh + (actionWh * battery.chargeEfficiencyPpm) / PPM
    : energyWh + floorDivide(actionWh * PPM, battery.dischargeEfficiencyPpm);
}
