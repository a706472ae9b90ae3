import { type AggregationSetting, layoutOf, type PosocParameters, sha256 } from '@wattmesh/consensus';
import {
  defaultIntegerBattery,
  defaultIntegerTariff,
  initialWeights,
  POSOC_PRESETS,
  streamRng,
  tensorBytes,
} from '@wattmesh/frl';
import { type EvProfileInput, OBSERVES_RANGE_ANXIETY } from '../ev/ev-profile.ts';
import { type ProvisionedEv, provisionEvNetwork } from '../provision/ev-network.ts';
import type { ProvisionedNetwork } from '../provision/network.ts';

export interface SyntheticEvPlan {
  readonly nodes: number;
  readonly seed: string;
  readonly clock: 'wall' | 'ready';
  readonly slotMs: number;
  readonly genesisTimeMs: number;
  readonly preset: 'paper' | 'sound';
  readonly roundsPerDay: number;
  /** By the wall clock: what each learning round adds to its slot. */
  readonly trainingWindowMs: number;
  readonly quorum?: number;
  /** Default: multi-Krum against as many attackers as the number of EVs allows, at most 3. */
  readonly rule?: AggregationSetting;
  /** EVs (the first ones) that flip the sign of their updates, three times as large. */
  readonly poisoned?: number;
  /** EVs (the last ones of those that arrive full, who earn) that pay no share of the mining reward before this many days are over. */
  readonly selfish?: { readonly count: number; readonly untilDay: number };
}

const HIDDEN = [32, 32];

/** What the two groups of EVs are like: one arrives full and does not mind to leave half empty, the other the opposite. */
export const EV_GROUPS = {
  full: { initialSoc: { mean: 0.72, sd: 0.05, min: 0.6, max: 0.8 }, rangeAnxietyCad: 4 },
  empty: { initialSoc: { mean: 0.3, sd: 0.05, min: 0.2, max: 0.4 }, rangeAnxietyCad: 16 },
} as const;
export type EvGroup = keyof typeof EV_GROUPS;

/** The profile of an EV of a group, as the run with this seed has it. */
export function groupProfile(group: EvGroup, preset: 'paper' | 'sound', seed: string): EvProfileInput {
  const { initialSoc, rangeAnxietyCad } = EV_GROUPS[group];
  return { group, seed, preset, stay: { initialSoc }, rangeAnxietyCad };
}

/** What an office building takes in each hour for each EV that parks there, Wh. */
const LOAD_WH_PER_EV = [
  600, 600, 600, 600, 600, 700, 1_200, 2_200, 3_000, 3_400, 3_400, 3_400, 3_200, 3_400, 3_400, 3_200, 3_000, 2_400,
  1_600, 1_200, 900, 700, 600, 600,
];

/** The most attackers that multi-Krum bears among so many EVs, at most three. */
export function defaultRule(nodes: number): AggregationSetting {
  return nodes < 3 ? { name: 'mean', f: 0 } : { name: 'multikrum', f: Math.min(3, Math.floor((nodes - 3) / 2)) };
}

/**
 * What decides the life of EV `k`. One way: the EV holds it, and from the seed itself it could derive every key of the
 * others.
 */
function lifeSeed(seed: string, k: number): string {
  return sha256(Buffer.from(`wattmesh/ev-life/${k}/${seed}`));
}

/** EVs in two groups that park at one building: lives, keys and the first model follow from the seed. */
export function provisionSyntheticEvs(plan: SyntheticEvPlan): ProvisionedNetwork<ProvisionedEv> {
  const { nodes, seed, clock, slotMs, genesisTimeMs, preset, roundsPerDay, trainingWindowMs, quorum } = plan;
  const { fill, scoreMode, ledgerRhoPpm, betaPpm, maxBetaPpm } = POSOC_PRESETS[preset];
  const rule = plan.rule ?? defaultRule(nodes);
  const layout = layoutOf({ observationSize: OBSERVES_RANGE_ANXIETY, hidden: HIDDEN });
  const parameters: PosocParameters = {
    fill,
    scoreMode,
    ledgerRhoPpm,
    betaPpm,
    maxBetaPpm,
    tariff: defaultIntegerTariff(preset),
    tariffSeed: sha256(Buffer.from(`wattmesh/tariff/${seed}`)),
    battery: defaultIntegerBattery(preset),
    buildingLoadWh: LOAD_WH_PER_EV.map((wh) => BigInt(wh * nodes)),
    learning: {
      observationSize: OBSERVES_RANGE_ANXIETY,
      hidden: HIDDEN,
      rule,
      minUpdates: Math.max(1, rule.name === 'krum' || rule.name === 'multikrum' ? 2 * rule.f + 3 : 2 * rule.f + 1),
      roundsPerDay,
      trainingWindowMs,
      initialModel: tensorBytes(initialWeights(layout, streamRng(seed, 'initial-weights'))),
    },
  };
  const evs = Array.from({ length: nodes }, (_, k): EvProfileInput => {
    const isSelfish = plan.selfish !== undefined && k % 2 === 0 && k >= nodes - 2 * plan.selfish.count;
    return {
      ...groupProfile(k % 2 === 0 ? 'full' : 'empty', preset, lifeSeed(seed, k)),
      ...(k < (plan.poisoned ?? 0) ? { poison: { kind: 'sign-flip', factor: 3 } } : {}),
      ...(isSelfish ? { paysFromDay: plan.selfish.untilDay } : {}),
    };
  });
  return provisionEvNetwork({
    name: `wattmesh ${nodes} EVs`,
    seed,
    genesisTimeMs,
    evs,
    clock,
    slotMs,
    parameters,
    ...(quorum === undefined ? {} : { quorum }),
  });
}
