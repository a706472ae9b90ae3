import {
  type ContributionSource,
  type Genesis,
  type Hash,
  type Hex,
  poegParametersOf,
  signAnnouncement,
  signReading,
  singletonScoreWh,
} from '@wattmesh/consensus';
import { z } from 'zod';
import { readJson } from '../config/node-config.ts';

const energyWh = z.int().min(0).max(1_000_000_000);
const intervalSchema = z.strictObject({
  productionWh: energyWh.describe('announced production'),
  consumptionWh: energyWh.describe('announced consumption'),
  meteredProductionWh: energyWh.optional().describe('what the meter will count; the announced value when left out'),
  meteredConsumptionWh: energyWh.optional(),
});

export const householdSchema = z.strictObject({
  name: z.string().optional(),
  intervals: z
    .array(intervalSchema)
    .min(1)
    .max(100_000)
    .describe('one entry a slot; slot 1 is the first, and the list repeats'),
});
export type Household = z.infer<typeof householdSchema>;

export async function readHousehold(path: string): Promise<Household> {
  return readJson(path, 'household file', householdSchema);
}

/** The interval that is traded in `slot`: slot 0 only prepares, slot 1 is the first interval, and the series repeats. */
export function intervalOfSlot(household: Household, slot: number): Household['intervals'][number] {
  const { intervals } = household;
  return intervals[(slot - 1) % intervals.length] as Household['intervals'][number];
}

/**
 * The prosumer behind a peer: during slot `t` it announces its forecast for `t + 1`, and its meter, which signs with a key
 * of its own, reports what was counted in `t - 1`.
 */
export class HouseholdSource implements ContributionSource {
  readonly #household: Household;
  readonly #genesis: Genesis;
  readonly #chainId: Hash;
  readonly #rank: number;
  readonly #signAsMember: (digest: Hash) => Hex;
  readonly #signAsMeter: ((digest: Hash) => Hex) | null;

  constructor(options: {
    readonly household: Household;
    readonly genesis: Genesis;
    readonly chainId: Hash;
    readonly rank: number;
    readonly signAsMember: (digest: Hash) => Hex;
    readonly signAsMeter: ((digest: Hash) => Hex) | null;
  }) {
    this.#household = options.household;
    this.#genesis = options.genesis;
    this.#chainId = options.chainId;
    this.#rank = options.rank;
    this.#signAsMember = options.signAsMember;
    this.#signAsMeter = options.signAsMeter;
  }

  contributions(slot: number): readonly Uint8Array[] {
    const messages = [this.#announcement(slot + 1)];
    if (slot >= 2 && this.#signAsMeter !== null) messages.push(this.#reading(slot - 1, this.#signAsMeter));
    return messages;
  }

  #announcement(slot: number): Uint8Array {
    const interval = intervalOfSlot(this.#household, slot);
    const productionWh = BigInt(interval.productionWh);
    const consumptionWh = BigInt(interval.consumptionWh);
    const balance = { rank: this.#rank, productionWh, consumptionWh };
    const scoreWh = singletonScoreWh(poegParametersOf(this.#genesis), balance);
    return signAnnouncement({ chainId: this.#chainId, slot, ...balance, scoreWh }, this.#signAsMember);
  }

  #reading(slot: number, sign: (digest: Hash) => Hex): Uint8Array {
    const interval = intervalOfSlot(this.#household, slot);
    return signReading(
      {
        chainId: this.#chainId,
        slot,
        rank: this.#rank,
        producedWh: BigInt(interval.meteredProductionWh ?? interval.productionWh),
        consumedWh: BigInt(interval.meteredConsumptionWh ?? interval.consumptionWh),
      },
      sign,
    );
  }
}
