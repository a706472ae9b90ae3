import {
  chainIdOf,
  encodePosocParameters,
  type Genesis,
  type PosocParameters,
  slotsPerDay,
  validateGenesis,
} from '@wattmesh/consensus';
import type { EvProfileInput } from '../ev/ev-profile.ts';
import { DEFAULT_PENALTIES, dealKeys, type MemberKeys, type ProvisionedNetwork } from './network.ts';

export interface EvNetworkPlan {
  readonly name: string;
  /** Decides every key and the beacon's polynomial: fit for experiments, not for money. */
  readonly seed: string;
  readonly genesisTimeMs: number;
  readonly evs: readonly EvProfileInput[];
  readonly quorum?: number;
  readonly clock: 'wall' | 'ready';
  /** Real length of an hour by the wall clock. */
  readonly slotMs: number;
  readonly parameters: PosocParameters;
  /** What provable misbehaviour costs; `DEFAULT_PENALTIES` where left out. */
  readonly penalties?: Partial<Genesis['penalties']>;
}

export interface ProvisionedEv extends MemberKeys {
  readonly ev: EvProfileInput;
}

/** Deals keys and writes the genesis of a PoSOC chain. Its other accounts: the building and the escrow. */
export function provisionEvNetwork(plan: EvNetworkPlan): ProvisionedNetwork<ProvisionedEv> {
  const { name, seed, genesisTimeMs, evs, quorum, clock, slotMs, parameters } = plan;
  const keys = dealKeys({
    seed,
    members: evs.length,
    role: 'ev',
    prefix: 'ev',
    extraAccounts: 2,
    ...(quorum === undefined ? {} : { quorum }),
  });
  const { edcSecretKey, extraSecretKeys } = keys;
  const members = keys.members.map((member): ProvisionedEv => ({ ...member, ev: evs[member.rank] as EvProfileInput }));
  const genesis: Genesis = {
    ...keys.genesis,
    chainName: name,
    genesisTimeMs,
    slot: { lengthMs: slotMs, clock, simulatedHours: 1, slotsPerTerm: slotsPerDay(parameters.learning.roundsPerDay) },
    penalties: { ...DEFAULT_PENALTIES, ...plan.penalties },
    application: { name: 'posoc', parameters: encodePosocParameters(parameters) },
  };
  validateGenesis(genesis);
  return { genesis, chainId: chainIdOf(genesis), members, edcSecretKey, extraSecretKeys };
}
