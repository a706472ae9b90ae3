import { generateHouseholds } from '@wattmesh/data';
import type { Household } from '../household/household.ts';
import {
  DEFAULT_MARKET,
  type NetworkPlan,
  type PositionKm,
  type ProvisionedNetwork,
  provisionNetwork,
} from '../provision/network.ts';

export interface SyntheticPlan {
  readonly nodes: number;
  readonly seed: string;
  readonly clock: 'wall' | 'ready';
  readonly slotMs: number;
  readonly genesisTimeMs: number;
  readonly quorum?: number;
  /** First day of the series, `YYYY-MM-DD`. */
  readonly startDay?: string;
  readonly days?: number;
  /** Accounts besides the members' and the distribution company's, for load generators. */
  readonly extraAccounts?: number;
}

/** Synthetic prosumers on a chain of their own: households, places and keys all follow from the seed. */
export function provisionSynthetic(plan: SyntheticPlan): ProvisionedNetwork {
  const { nodes, seed, clock, slotMs, genesisTimeMs, quorum, startDay, days = 1, extraAccounts = 0 } = plan;
  const series = generateHouseholds({
    seed,
    homes: nodes,
    slots: 24 * days,
    ...(startDay === undefined ? {} : { startDay }),
  });
  const households = series.homes.map((home): NetworkPlan['households'][number] => {
    const intervals: Household['intervals'] = Array.from(home.loadWh, (loadWh, slot) => ({
      productionWh: home.pvWh[slot] ?? 0,
      consumptionWh: loadWh,
    }));
    const position: PositionKm = {
      x: (home.positionM?.xM ?? 10_000) / 1_000,
      y: (home.positionM?.yM ?? 10_000) / 1_000,
    };
    return { household: { name: home.id, intervals }, position };
  });
  return provisionNetwork({
    name: `wattmesh ${nodes} prosumers`,
    seed,
    genesisTimeMs,
    households,
    ...(quorum === undefined ? {} : { quorum }),
    slot: { lengthMs: slotMs, clock, simulatedHours: 1, slotsPerTerm: 1 },
    market: DEFAULT_MARKET,
    extraAccounts,
  });
}
