import type { PosocParameters } from '@wattmesh/consensus';
import {
  createEnvironmentConfig,
  type EnvironmentConfig,
  type IntegerPriceTriple,
  type PriceTriple,
} from '@wattmesh/frl';
import { z } from 'zod';
import { readJson } from '../config/node-config.ts';

const law = (what: string) =>
  z
    .strictObject({ mean: z.number(), sd: z.number().min(0), min: z.number(), max: z.number() })
    .describe(`${what}: a normal deviate, clamped`);

/** An EV's own life and preferences; what it shares with the others stands in genesis. */
export const evProfileSchema = z.strictObject({
  group: z.string().optional().describe('name of the group in tables'),
  seed: z.string().describe("decides the EV's days, trades and training episodes"),
  preset: z.enum(['paper', 'sound']).default('sound').describe('wear of the battery in training'),
  stay: z
    .strictObject({
      arrivalHour: law('hour of arrival').optional(),
      departureHour: law('hour of departure').optional(),
      initialSoc: law('state of charge on arrival').optional(),
    })
    .prefault({}),
  rangeAnxietyCad: z.number().positive().default(10).describe('eta: CAD per squared fraction missing at departure'),
  episodesPerRound: z.int().min(1).max(1_000).default(16).describe('own days that a learning round trains on'),
  paysFromDay: z
    .int()
    .min(0)
    .default(0)
    .describe('first day whose mining reward it pays its share of; it then pays all'),
  poison: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('sign-flip'), factor: z.number() }),
      z.strictObject({ kind: z.literal('noise'), sd: z.number() }),
    ])
    .optional()
    .describe('for experiments: what it does to its updates before it sends them'),
});
export type EvProfile = z.infer<typeof evProfileSchema>;
export type EvProfileInput = z.input<typeof evProfileSchema>;

export async function readEvProfile(path: string): Promise<EvProfile> {
  return readJson(path, 'EV profile', evProfileSchema);
}

/** The world in which an EV trains and is measured: battery and tariff as genesis has them, stays as its profile says. */
export function environmentOf(
  { battery, tariff, learning }: PosocParameters,
  { preset, stay, rangeAnxietyCad }: Pick<EvProfile, 'preset' | 'stay' | 'rangeAnxietyCad'>,
): EnvironmentConfig {
  const capacityKwh = Number(battery.capacityWh) / 1_000;
  const cad = ({ off, mid, on }: IntegerPriceTriple): PriceTriple => ({
    off: Number(off) / 1e6,
    mid: Number(mid) / 1e6,
    on: Number(on) / 1e6,
  });
  const laws = Object.fromEntries(Object.entries(stay).filter(([, value]) => value !== undefined));
  return createEnvironmentConfig(preset, {
    battery: {
      capacityKwh,
      socMin: Number(battery.minEnergyWh) / Number(battery.capacityWh),
      socMax: Number(battery.maxEnergyWh) / Number(battery.capacityWh),
      powerLimitKw: Number(battery.powerLimitWh) / 1_000,
      chargeEfficiency: Number(battery.chargeEfficiencyPpm) / 1e6,
      dischargeEfficiency: Number(battery.dischargeEfficiencyPpm) / 1e6,
    },
    tariff: {
      calendar: tariff.calendar,
      prices: { meanCadPerKwh: cad(tariff.meanMicroPerKwh), sdCadPerKwh: cad(tariff.sdMicroPerKwh) },
      v2vFactor: Number(tariff.v2vPpm) / 1e6,
      gridBuyFactor: Number(tariff.gridBuyPpm) / 1e6,
      deltaFloor: Number(tariff.deltaFloorPpm) / 1e6,
    },
    stay: laws,
    // A model with room for it is told how anxious its EV is, so that one model can serve groups that differ.
    observation: { observeRangeAnxiety: learning.observationSize === OBSERVES_RANGE_ANXIETY },
    rangeAnxietyCad,
  });
}

/** Observation size of a model that is told the range anxiety of its EV. */
export const OBSERVES_RANGE_ANXIETY = 10;
