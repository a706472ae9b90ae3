import { MAX_ACCOUNTS, MAX_MEMBERS } from '../chain/limits.ts';
import { publicKeyCodec } from '../chain/transactions.ts';
import type { Genesis, GenesisMember, Hash } from '../chain/types.ts';
import {
  ascii,
  bytes,
  type Codec,
  decode,
  encode,
  enumeration,
  hex,
  list,
  struct,
  u16,
  u32,
  u53,
  u64,
} from '../codec/index.ts';
import { taggedHash } from '../crypto/index.ts';
import { validateGenesis } from './validate-genesis.ts';

/** Longest chain name, in characters. */
export const MAX_CHAIN_NAME = 64;
/** Longest parameters of an application, in bytes. */
export const MAX_PARAMETER_BYTES = 1_000_000;

const beaconKeyCodec: Codec<string> = hex(48);

const genesisCodec: Codec<Genesis> = struct<Genesis>({
  chainName: ascii(MAX_CHAIN_NAME),
  genesisTimeMs: u53,
  members: list(
    struct<GenesisMember>({
      publicKey: publicKeyCodec,
      meterKey: publicKeyCodec,
      beaconKey: beaconKeyCodec,
      role: enumeration(['prosumer', 'ev']),
      eposMicro: u64,
      uposMicro: u64,
      stakeMicro: u64,
    }),
    MAX_MEMBERS,
  ),
  quorum: u16,
  beaconGroupKey: beaconKeyCodec,
  accounts: list(struct<Genesis['accounts'][number]>({ publicKey: publicKeyCodec, uposMicro: u64 }), MAX_ACCOUNTS),
  slot: struct<Genesis['slot']>({
    lengthMs: u53,
    clock: enumeration(['wall', 'ready']),
    simulatedHours: u32,
    slotsPerTerm: u32,
  }),
  limits: struct<Genesis['limits']>({
    maxBlockBytes: u32,
    maxTransactionsPerBlock: u32,
    minStakeMicro: u64,
    unbondingBlocks: u32,
    inclusionDelayBlocks: u32,
  }),
  penalties: struct<Genesis['penalties']>({
    exclusion: enumeration(['coalition', 'miner']),
    refusalPenaltyMicro: u64,
    slashPpm: u32,
    jailBlocks: u32,
    evidenceBlocks: u32,
  }),
  application: struct<Genesis['application']>({
    name: enumeration(['poeg', 'posoc']),
    parameters: bytes(MAX_PARAMETER_BYTES),
  }),
});

/**
 * Canonical bytes of a genesis.
 * @throws CodecError
 */
export function encodeGenesis(genesis: Genesis): Uint8Array {
  return encode(genesisCodec, genesis);
}

/**
 * The valid genesis that the bytes encode.
 * @throws CodecError for bytes that are none, GenesisError for one that breaks a rule.
 */
export function decodeGenesis(encoded: Uint8Array): Genesis {
  const genesis = decode(genesisCodec, encoded);
  validateGenesis(genesis);
  return genesis;
}

/** Identity of a chain: domain-tagged SHA-256 of its genesis. */
export function chainIdOf(genesis: Genesis): Hash {
  return taggedHash('genesis', encodeGenesis(genesis));
}
