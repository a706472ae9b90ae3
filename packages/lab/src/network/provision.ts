import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { generateHouseholds } from '@wattmesh/data';
import {
  type AnyMember,
  DEFAULT_MARKET,
  type Household,
  householdSchema,
  type ProvisionedNetwork,
  provisionNetwork,
  provisionSyntheticEvs,
} from '@wattmesh/node';
import { z } from 'zod';
import { LabError } from '../errors.ts';
import { peerNames, selectPeers } from '../scenario/plan-timeline.ts';
import { type EvsConfig, evsOf, type Load, type Scenario } from '../scenario/schema.ts';

/** None of the honest update: the model goes back as it came. */
const UNCHANGED = { kind: 'sign-flip', factor: 0 } as const;
/** Accounts that an open loop needs: each waits for its batch, and there is one for every batch of this time. */
const OPEN_LOOP_PATIENCE_S = 20;
const MAX_ACCOUNTS = 600;

export interface PlacedHousehold {
  readonly household: Household;
  readonly position: { readonly x: number; readonly y: number };
}

/** What the prosumers of a run make and use, and a hash that names these data. */
export interface ScenarioData {
  readonly households: readonly PlacedHousehold[];
  readonly sha256: string;
}

/**
 * The households of one run.
 * @throws LabError SCENARIO_INVALID when a file does not hold one household a peer
 */
export async function readData(scenario: Scenario, scenarioFile: string, seed: string): Promise<ScenarioData> {
  const { data } = scenario;
  const evs = evsOf(scenario);
  // EVs live as their seed says; there is nothing else that they are made from.
  if (evs !== null) return { households: [], sha256: sha256Of({ seed, evs }) };
  const households =
    data.source === 'synthetic'
      ? synthetic(scenario.peers, seed, data)
      : await fromFile(resolve(dirname(scenarioFile), data.file), scenario.peers);
  return { households, sha256: sha256Of(households) };
}

function sha256Of(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

function synthetic(
  peers: number,
  seed: string,
  { days, startDay, firstHour }: { days: number; startDay?: string | undefined; firstHour: number },
): PlacedHousehold[] {
  const series = generateHouseholds({
    seed,
    homes: peers,
    slots: 24 * days,
    ...(startDay === undefined ? {} : { startDay }),
  });
  return series.homes.map(({ id, loadWh, pvWh, positionM }) => {
    const intervals = Array.from(loadWh, (_, k) => {
      const slot = (k + firstHour) % loadWh.length;
      return { productionWh: pvWh[slot] ?? 0, consumptionWh: loadWh[slot] ?? 0 };
    });
    const { xM, yM } = positionM ?? { xM: 10_000, yM: 10_000 };
    return { household: { name: id, intervals }, position: { x: xM / 1_000, y: yM / 1_000 } };
  });
}

const placedSchema = z.array(
  z.strictObject({
    household: householdSchema,
    position: z.strictObject({ x: z.number(), y: z.number() }),
  }),
);

async function fromFile(file: string, peers: number): Promise<readonly PlacedHousehold[]> {
  const text = await readFile(file, 'utf8').catch((cause: Error) => {
    throw new LabError('SCENARIO_INVALID', `cannot read the households in ${file}: ${cause.message}`, { cause });
  });
  const parsed = placedSchema.safeParse(jsonOf(text));
  if (!parsed.success)
    throw new LabError('SCENARIO_INVALID', `${file} holds no households:\n${z.prettifyError(parsed.error)}`);
  if (parsed.data.length !== peers)
    throw new LabError(
      'SCENARIO_INVALID',
      `${file} holds ${parsed.data.length} households; the scenario has ${peers} peers`,
    );
  return parsed.data;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** How many client accounts a load needs. */
export function accountsOf(load: Load): number {
  if (load.kind === 'closed') return load.clients;
  const rate = load.kind === 'open' ? load.rate : Math.max(load.fromRate, load.toRate);
  return Math.min(MAX_ACCOUNTS, Math.ceil((rate / load.batch) * OPEN_LOOP_PATIENCE_S) + 4);
}

/** Keys and genesis of one run. */
export function provision(
  scenario: Scenario,
  { households }: ScenarioData,
  seed: string,
  genesisTimeMs: number,
): ProvisionedNetwork<AnyMember> {
  const evs = evsOf(scenario);
  if (evs !== null) return provisionEvs(scenario, evs, seed, genesisTimeMs);
  const { quorum, slotClock, slotLength } = scenario.consensus;
  return provisionNetwork({
    name: scenario.name,
    seed,
    genesisTimeMs,
    households,
    ...(quorum === undefined ? {} : { quorum }),
    slot: { lengthMs: slotLength, clock: slotClock, simulatedHours: 1, slotsPerTerm: 1 },
    market: { ...DEFAULT_MARKET, ...definedOnly(scenario.market) },
    extraAccounts: scenario.load.reduce((sum, load) => sum + accountsOf(load), 0),
  });
}

/** EVs under the names of peers, with the roles that the scenario gives them. */
function provisionEvs(
  { peers, consensus: { quorum, slotClock, slotLength } }: Scenario,
  { preset, roundsPerDay, rule, poisoned, freeRiders, notPaying }: EvsConfig,
  seed: string,
  genesisTimeMs: number,
): ProvisionedNetwork<AnyMember> {
  const names = peerNames(peers);
  const network = provisionSyntheticEvs({
    nodes: peers,
    seed,
    clock: slotClock,
    slotMs: slotLength,
    genesisTimeMs,
    preset,
    roundsPerDay,
    trainingWindowMs: slotClock === 'wall' ? slotLength : 0,
    ...(quorum === undefined ? {} : { quorum }),
    ...(rule === undefined ? {} : { rule }),
  });
  const is = (name: string, selector: EvsConfig['freeRiders']): boolean =>
    selector !== undefined && (selectPeers(selector, names) ?? []).includes(name);
  return {
    ...network,
    members: network.members.map((member, rank) => {
      const name = names[rank] as string;
      const poison = is(name, poisoned?.peers) ? poisoned?.attack : is(name, freeRiders) ? UNCHANGED : undefined;
      const ev = {
        ...member.ev,
        ...(poison === undefined ? {} : { poison }),
        ...(is(name, notPaying?.peers) ? { paysFromDay: notPaying?.untilDay } : {}),
      };
      return { ...member, name, ev };
    }),
  };
}

/** Timeouts of the peers, as their configuration names them. */
export function timingOf({ consensus }: Scenario): Record<string, number> {
  return {
    ...definedOnly(consensus.timing),
    slotPaceMs: consensus.slotPace,
    readyTimeoutMs: consensus.readyTimeout,
  } as Record<string, number>;
}

/** Without the keys whose value is undefined. */
function definedOnly<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}
