import {
  type AggregationRule,
  createModelLayout,
  FrlError,
  type IntegerBattery,
  type IntegerTariff,
  type ModelLayout,
  type ScoreMode,
  validateIntegerBattery,
  validateIntegerTariff,
} from '@wattmesh/frl';
import type { Genesis, Hash } from '../chain/types.ts';
import {
  bytes,
  type Codec,
  CodecError,
  checked,
  decode,
  encode,
  enumeration,
  hash,
  list,
  struct,
  u8,
  u16,
  u32,
  u64,
} from '../codec/index.ts';
import { finiteWeights } from './tensor.ts';

/** How an hour's actions find their other side (section 6 of the specification). */
export type FillMode = 'assumed' | 'pool' | 'auction';

/** What an aggregation is called on the chain: the rule, and how many attackers it assumes (0 where it assumes none). */
export interface AggregationSetting {
  readonly name: AggregationRule['name'];
  readonly f: number;
}

export interface LearningParameters {
  /** Inputs of the model and the widths of its hidden layers; actor and critic alike. */
  readonly observationSize: number;
  readonly hidden: readonly number[];
  readonly rule: AggregationSetting;
  /** With fewer listed updates the model stays as it is; at least what the rule needs. */
  readonly minUpdates: number;
  readonly roundsPerDay: number;
  /** By the wall clock: what each round adds to its slot. */
  readonly trainingWindowMs: number;
  /** The first global model: parameters as float64, little endian, in the layout's order. */
  readonly initialModel: Uint8Array;
}

/** The rules of a PoSOC market, attested by the operator in genesis. Money in 10^-6 CAD, energy in Wh. */
export interface PosocParameters {
  readonly fill: FillMode;
  readonly scoreMode: ScoreMode;
  /** Memory of the score ledger: 0 forgets each day. */
  readonly ledgerRhoPpm: bigint;
  /** The miner's share of the others' profits, and the most that this chain allows it to be. */
  readonly betaPpm: bigint;
  readonly maxBetaPpm: bigint;
  readonly tariff: IntegerTariff;
  /** Decides the prices of every day. */
  readonly tariffSeed: Hash;
  /** Every vehicle's battery. */
  readonly battery: IntegerBattery;
  /** What the building consumes in each hour of a day: 24 values. It buys from EVs first, and from the grid what they lack. */
  readonly buildingLoadWh: readonly bigint[];
  readonly learning: LearningParameters;
}

/** Hours of a day: each is a slot with trades. */
export const HOURS_PER_DAY = 24;

/** Slots of a day (a term): 24 hours, the last of which ends with the first learning round, then one slot a further round. */
export function slotsPerDay(roundsPerDay: number): number {
  return HOURS_PER_DAY - 1 + roundsPerDay;
}

/** EVs that a PoSOC chain may have: their updates must be aggregated by every voter within a round. */
export const MAX_EVS = 256;
/** Largest model: an update with its head must fit into one contribution of 64 KiB. */
export const MAX_MODEL_BYTES = 65_000;
const MAX_BUILDING_WH = 1_000_000_000n;
const MAX_PRICE_MICRO_PER_KWH = 1_000_000_000n;
const PPM = 1_000_000n;

/** Accounts that a PoSOC genesis lists: the EDC, the building, and the contract that holds profits until fees are paid. */
export const POSOC_ACCOUNTS = { edc: 0, building: 1, escrow: 2 } as const;

/** `POSOC_INVALID_PARAMETERS`: genesis cannot be run as PoSOC; the message says what is wrong. */
export class PosocParametersError extends Error {
  readonly code = 'POSOC_INVALID_PARAMETERS';

  constructor(message: string) {
    super(message);
    this.name = 'PosocParametersError';
  }
}

const tripleCodec = struct<IntegerTariff['meanMicroPerKwh']>({ off: u64, mid: u64, on: u64 });

const parametersCodec: Codec<PosocParameters> = struct<PosocParameters>({
  fill: enumeration(['assumed', 'pool', 'auction']),
  scoreMode: enumeration(['thesis', 'normalized', 'gated', 'trade']),
  ledgerRhoPpm: u64,
  betaPpm: u64,
  maxBetaPpm: u64,
  tariff: struct<IntegerTariff>({
    calendar: enumeration(['winter', 'summer', 'flat']),
    meanMicroPerKwh: tripleCodec,
    sdMicroPerKwh: tripleCodec,
    v2vPpm: u64,
    gridBuyPpm: u64,
    deltaFloorPpm: u64,
  }),
  tariffSeed: hash,
  battery: struct<IntegerBattery>({
    capacityWh: u64,
    minEnergyWh: u64,
    maxEnergyWh: u64,
    powerLimitWh: u64,
    chargeEfficiencyPpm: u64,
    dischargeEfficiencyPpm: u64,
  }),
  buildingLoadWh: checked(list(u64, HOURS_PER_DAY), (loads) =>
    loads.length === HOURS_PER_DAY ? null : `a day has ${HOURS_PER_DAY} hours, there are loads for ${loads.length}`,
  ),
  learning: struct<LearningParameters>({
    observationSize: u16,
    hidden: list(u16, 8, 1),
    rule: struct<AggregationSetting>({
      name: enumeration(['mean', 'median', 'trim', 'krum', 'multikrum', 'clip']),
      f: u8,
    }),
    minUpdates: u16,
    roundsPerDay: u16,
    trainingWindowMs: u32,
    initialModel: bytes(MAX_MODEL_BYTES),
  }),
});

/** @throws PosocParametersError for anything that `decodePosocParameters` would refuse. */
export function encodePosocParameters(parameters: PosocParameters): Uint8Array {
  validatePosocParameters(parameters);
  try {
    return encode(parametersCodec, parameters);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw new PosocParametersError(`the application's parameters: ${error.message}`);
  }
}

/** @throws PosocParametersError when the bytes are no parameters, or describe a market that cannot be run. */
export function decodePosocParameters(encoded: Uint8Array): PosocParameters {
  let parameters: PosocParameters;
  try {
    parameters = decode(parametersCodec, encoded);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw new PosocParametersError(`the application's parameters: ${error.message}`);
  }
  validatePosocParameters(parameters);
  return parameters;
}

/** @throws PosocParametersError naming the first thing that is wrong. */
export function validatePosocParameters(parameters: PosocParameters): void {
  const { tariff, battery, betaPpm, maxBetaPpm, ledgerRhoPpm, buildingLoadWh, learning } = parameters;
  const refuse = (reason: string): never => {
    throw new PosocParametersError(reason);
  };
  try {
    validateIntegerTariff(tariff);
    validateIntegerBattery(battery);
    const bytesNeeded = layoutOf(learning).parameterCount * 8;
    if (bytesNeeded > MAX_MODEL_BYTES) refuse(`a model of ${bytesNeeded} bytes exceeds ${MAX_MODEL_BYTES}`);
  } catch (error) {
    if (!(error instanceof FrlError)) throw error;
    refuse(`${error.code}: ${error.message}`);
  }
  if (!(0n < betaPpm && betaPpm <= maxBetaPpm && maxBetaPpm <= PPM))
    refuse(`betaPpm ${betaPpm} must lie in 1..maxBetaPpm ${maxBetaPpm}, and that in 1..${PPM}`);
  if (ledgerRhoPpm < 0n || ledgerRhoPpm >= PPM) refuse(`ledgerRhoPpm ${ledgerRhoPpm} must lie in 0..${PPM - 1n}`);
  if (battery.capacityWh > MAX_BUILDING_WH) refuse(`capacityWh ${battery.capacityWh} exceeds ${MAX_BUILDING_WH}`);
  const heavy = buildingLoadWh.findIndex((load) => load > MAX_BUILDING_WH);
  if (heavy >= 0) refuse(`buildingLoadWh[${heavy}] exceeds ${MAX_BUILDING_WH}`);
  for (const [period, mean] of Object.entries(tariff.meanMicroPerKwh))
    if (mean < 20_000n || mean > MAX_PRICE_MICRO_PER_KWH)
      refuse(`meanMicroPerKwh.${period} ${mean} must lie in 20000..${MAX_PRICE_MICRO_PER_KWH}`);
  for (const [period, sd] of Object.entries(tariff.sdMicroPerKwh))
    if (sd > MAX_PRICE_MICRO_PER_KWH) refuse(`sdMicroPerKwh.${period} ${sd} exceeds ${MAX_PRICE_MICRO_PER_KWH}`);
  const { rule, minUpdates, roundsPerDay, initialModel } = learning;
  if (minUpdates < updatesNeeded(rule))
    refuse(`${rule.name} with f=${rule.f} needs minUpdates of at least ${updatesNeeded(rule)}, not ${minUpdates}`);
  if (roundsPerDay < 1) refuse('roundsPerDay must be at least 1');
  if (finiteWeights(initialModel, layoutOf(learning).parameterCount) === null)
    refuse(`initialModel is not ${layoutOf(learning).parameterCount} finite float64 values`);
}

/** Updates without which a rule cannot be computed. */
export function updatesNeeded({ name, f }: AggregationSetting): number {
  if (name === 'trim') return 2 * f + 1;
  return name === 'krum' || name === 'multikrum' ? 2 * f + 3 : 1;
}

const layouts = new Map<string, ModelLayout>();

/** The model's layout. @throws FrlError FRL_INVALID_CONFIG on impossible layer sizes. */
export function layoutOf({
  observationSize,
  hidden,
}: Pick<LearningParameters, 'observationSize' | 'hidden'>): ModelLayout {
  const key = [observationSize, ...hidden].join('x');
  const known = layouts.get(key) ?? createModelLayout(observationSize, hidden);
  layouts.set(key, known);
  return known;
}

const decoded = new WeakMap<Genesis, PosocParameters>();

/**
 * The parameters of a chain, decoded once for each genesis object.
 * @throws PosocParametersError also when members, accounts or slots of the genesis are not those of a PoSOC chain.
 */
export function posocParametersOf(genesis: Genesis): PosocParameters {
  const known = decoded.get(genesis);
  if (known !== undefined) return known;
  if (genesis.application.name !== 'posoc')
    throw new PosocParametersError(`the application is ${genesis.application.name}, not posoc`);
  const parameters = decodePosocParameters(genesis.application.parameters);
  const wrong = mismatch(genesis, parameters);
  if (wrong !== null) throw new PosocParametersError(wrong);
  decoded.set(genesis, parameters);
  return parameters;
}

function mismatch({ members, slot, accounts }: Genesis, { learning }: PosocParameters): string | null {
  if (members.length > MAX_EVS) return `${members.length} members are more than ${MAX_EVS}`;
  const slots = slotsPerDay(learning.roundsPerDay);
  if (slot.slotsPerTerm !== slots)
    return `slotsPerTerm is ${slot.slotsPerTerm}: a day with ${learning.roundsPerDay} learning rounds has ${slots}`;
  const other = members.findIndex(({ role }) => role !== 'ev');
  if (other >= 0) return `member ${other} has the role ${members[other]?.role}: a PoSOC market is one of EVs`;
  const needed = Object.keys(POSOC_ACCOUNTS).length;
  return accounts.length >= needed ? null : `there must be ${needed} accounts: the EDC, the building and the escrow`;
}
