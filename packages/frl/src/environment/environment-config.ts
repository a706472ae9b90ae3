import { requireConfig } from '../frl-error.ts';
import { type BatteryConfig, validateBattery } from './battery.ts';
import { PRICE_DISTRIBUTIONS, type TariffConfig, validateTariff } from './tariff.ts';

/** A normal deviate clamped to [min, max]. */
export interface ClampedNormal {
  readonly mean: number;
  readonly sd: number;
  readonly min: number;
  readonly max: number;
}

/** When an EV comes and goes (hours of day) and how full it comes (SOC). */
export interface StayConfig {
  readonly arrivalHour: ClampedNormal;
  readonly departureHour: ClampedNormal;
  readonly initialSoc: ClampedNormal;
}

export interface ObservationConfig {
  /** False zeroes delta in the observation and trains on money: the baseline without delta. */
  readonly useDelta: boolean;
  /** False zeroes the four features of time: the six-variable state as printed. */
  readonly observeTime: boolean;
  /** Appends log(eta/10)/1.5, which one shared model needs when EVs differ in range anxiety. */
  readonly observeRangeAnxiety: boolean;
}

/** One EV's world: everything that a day of it depends on besides random draws and actions. */
export interface EnvironmentConfig {
  readonly battery: BatteryConfig;
  readonly tariff: TariffConfig;
  readonly stay: StayConfig;
  readonly observation: ObservationConfig;
  /** eta: CAD per squared fraction of SOC missing at departure. */
  readonly rangeAnxietyCad: number;
  /** `literal` adds the term as printed (it pays for leaving empty): for demonstration only. */
  readonly rewardSign: 'penalty' | 'literal';
}

const PAPER: EnvironmentConfig = {
  battery: {
    capacityKwh: 42,
    socMin: 0.2,
    socMax: 0.8,
    powerLimitKw: 10,
    chargeEfficiency: 1,
    dischargeEfficiency: 1,
    degradationCadPerKwh: 0,
  },
  tariff: {
    calendar: 'winter',
    prices: PRICE_DISTRIBUTIONS.text,
    distribution: 'ND',
    rejection: true,
    hourlyNoise: false,
    v2vFactor: 0.73,
    gridBuyFactor: 0.635,
    serviceFeeCadPerKwh: 0,
    deltaFloor: 0,
  },
  stay: {
    arrivalHour: { mean: 7, sd: 1, min: 4, max: 10 },
    departureHour: { mean: 18, sd: 1, min: 8, max: 22 },
    initialSoc: { mean: 0.5, sd: 0.1, min: 0.4, max: 0.8 },
  },
  observation: { useDelta: true, observeTime: true, observeRangeAnxiety: false },
  rangeAnxietyCad: 10,
  rewardSign: 'penalty',
};

/** `paper`: the closest workable reading of the text. `sound`: losses, wear and a positive floor of delta. */
export const ENVIRONMENT_PRESETS: Readonly<Record<'paper' | 'sound', EnvironmentConfig>> = {
  paper: PAPER,
  sound: {
    ...PAPER,
    battery: { ...PAPER.battery, chargeEfficiency: 0.95, dischargeEfficiency: 0.95, degradationCadPerKwh: 0.02 },
    tariff: { ...PAPER.tariff, deltaFloor: 0.05 },
  },
};

/** What one caller changes of a preset; each part is merged one level deep. */
export interface EnvironmentOverrides {
  readonly battery?: Partial<BatteryConfig>;
  readonly tariff?: Partial<TariffConfig>;
  readonly stay?: Partial<StayConfig>;
  readonly observation?: Partial<ObservationConfig>;
  readonly rangeAnxietyCad?: number;
  readonly rewardSign?: EnvironmentConfig['rewardSign'];
}

/** A preset with changes, validated. Throws `FRL_INVALID_CONFIG`. */
export function createEnvironmentConfig(
  preset: keyof typeof ENVIRONMENT_PRESETS,
  overrides: EnvironmentOverrides = {},
): EnvironmentConfig {
  const base = ENVIRONMENT_PRESETS[preset];
  const config: EnvironmentConfig = {
    battery: { ...base.battery, ...overrides.battery },
    tariff: { ...base.tariff, ...overrides.tariff },
    stay: { ...base.stay, ...overrides.stay },
    observation: { ...base.observation, ...overrides.observation },
    rangeAnxietyCad: overrides.rangeAnxietyCad ?? base.rangeAnxietyCad,
    rewardSign: overrides.rewardSign ?? base.rewardSign,
  };
  validateBattery(config.battery);
  validateTariff(config.tariff);
  requireConfig(config.rangeAnxietyCad >= 0, 'rangeAnxietyCad must not be negative: it is a penalty', {
    rangeAnxietyCad: config.rangeAnxietyCad,
  });
  requireConfig(
    !config.observation.observeRangeAnxiety || config.rangeAnxietyCad > 0,
    'observeRangeAnxiety takes a logarithm and needs rangeAnxietyCad > 0',
  );
  for (const [name, law] of Object.entries(config.stay) as [string, ClampedNormal][]) {
    requireConfig(law.min <= law.max && law.sd >= 0, `stay.${name} needs min <= max and sd >= 0`, { ...law });
  }
  requireConfig(
    config.stay.arrivalHour.min >= 0 && config.stay.arrivalHour.max <= 23 && config.stay.departureHour.max <= 24,
    'an EV arrives in slots 0..23 and departs by hour 24: stays do not cross midnight',
  );
  return config;
}
