import type { Genesis } from '../chain/types.ts';
import { fromHex, toHex } from '../codec/index.ts';
import { GenesisError } from './errors.ts';
import { validateGenesis } from './validate-genesis.ts';

/** One field between memory and JSON. */
interface Field<T> {
  toJson(value: T): unknown;
  fromJson(json: unknown, field: string): T;
}

function refuse(field: string, reason: string): never {
  throw new GenesisError('GENESIS_JSON', field, reason);
}

function kindOf(json: unknown): string {
  if (json === null) return 'null';
  return Array.isArray(json) ? 'an array' : `a ${typeof json}`;
}

const text: Field<string> = {
  toJson: (value) => value,
  fromJson: (json, field) =>
    typeof json === 'string' ? json : refuse(field, `expected a string, got ${kindOf(json)}`),
};

const integer: Field<number> = {
  toJson: (value) => value,
  fromJson: (json, field) =>
    typeof json === 'number' && Number.isSafeInteger(json)
      ? json
      : refuse(field, `expected an integer below 2^53, got ${typeof json === 'number' ? json : kindOf(json)}`),
};

/** Decimal string: JSON numbers lose digits above 2^53. */
const amount: Field<bigint> = {
  toJson: (value) => value.toString(),
  fromJson: (json, field) =>
    typeof json === 'string' && /^(0|[1-9][0-9]{0,19})$/.test(json)
      ? BigInt(json)
      : refuse(field, 'expected a string of decimal digits without leading zeros'),
};

const hexBytes: Field<Uint8Array> = {
  toJson: toHex,
  fromJson: (json, field) => {
    const digits = text.fromJson(json, field);
    try {
      return fromHex(digits);
    } catch (error) {
      return refuse(field, (error as Error).message);
    }
  },
};

function oneOf<const T extends string>(names: readonly T[]): Field<T> {
  return {
    toJson: (value) => value,
    fromJson: (json, field) =>
      names.find((name) => name === json) ?? refuse(field, `expected one of ${names.join(', ')}`),
  };
}

function array<T>(item: Field<T>): Field<readonly T[]> {
  return {
    toJson: (values) => values.map((value) => item.toJson(value)),
    fromJson: (json, field) =>
      Array.isArray(json)
        ? json.map((value, i) => item.fromJson(value, `${field}[${i}]`))
        : refuse(field, `expected an array, got ${kindOf(json)}`),
  };
}

function object<T extends object>(fields: { readonly [K in keyof T]-?: Field<T[K]> }): Field<T> {
  const names = Object.keys(fields) as (keyof T & string)[];
  return {
    toJson: (value) => Object.fromEntries(names.map((name) => [name, fields[name].toJson(value[name])])),
    fromJson(json, field) {
      if (typeof json !== 'object' || json === null || Array.isArray(json)) {
        refuse(field, `expected an object, got ${kindOf(json)}`);
      }
      const given = json as Record<string, unknown>;
      const within = (name: string) => (field === 'genesis' ? name : `${field}.${name}`);
      for (const name of Object.keys(given)) {
        if (!names.includes(name as keyof T & string)) refuse(within(name), 'no such field');
      }
      for (const name of names) if (!Object.hasOwn(given, name)) refuse(within(name), 'the field is missing');
      return Object.fromEntries(names.map((name) => [name, fields[name].fromJson(given[name], within(name))])) as T;
    },
  };
}

const genesisField: Field<Genesis> = object<Genesis>({
  chainName: text,
  genesisTimeMs: integer,
  members: array(
    object<Genesis['members'][number]>({
      publicKey: text,
      meterKey: text,
      beaconKey: text,
      role: oneOf(['prosumer', 'ev']),
      eposMicro: amount,
      uposMicro: amount,
      stakeMicro: amount,
    }),
  ),
  quorum: integer,
  beaconGroupKey: text,
  accounts: array(object<Genesis['accounts'][number]>({ publicKey: text, uposMicro: amount })),
  slot: object<Genesis['slot']>({
    lengthMs: integer,
    clock: oneOf(['wall', 'ready']),
    simulatedHours: integer,
    slotsPerTerm: integer,
  }),
  limits: object<Genesis['limits']>({
    maxBlockBytes: integer,
    maxTransactionsPerBlock: integer,
    minStakeMicro: amount,
    unbondingBlocks: integer,
    inclusionDelayBlocks: integer,
  }),
  penalties: object<Genesis['penalties']>({
    exclusion: oneOf(['coalition', 'miner']),
    refusalPenaltyMicro: amount,
    slashPpm: integer,
    jailBlocks: integer,
    evidenceBlocks: integer,
  }),
  application: object<Genesis['application']>({ name: oneOf(['poeg', 'posoc']), parameters: hexBytes }),
});

/** The genesis as plain JSON: amounts as decimal strings, the application's parameters as hex. */
export function genesisToJson(genesis: Genesis): unknown {
  return genesisField.toJson(genesis);
}

/**
 * The valid genesis that parsed JSON describes. Unknown and missing fields are errors.
 * @throws GenesisError GENESIS_JSON for a wrong shape, GENESIS_INVALID for a broken rule; both name the field.
 */
export function genesisFromJson(json: unknown): Genesis {
  const genesis = genesisField.fromJson(json, 'genesis');
  validateGenesis(genesis);
  return genesis;
}
