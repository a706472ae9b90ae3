import { MAX_ACCOUNTS, MAX_BLOCK_BYTES_BEFORE_EVIDENCE, MAX_BLOCK_TRANSACTIONS, MAX_MEMBERS } from '../chain/limits.ts';
import type { Genesis, Hex } from '../chain/types.ts';
import { isBeaconKey, isPublicKey } from '../crypto/index.ts';
import { GenesisError } from './errors.ts';

/** Total of each token, so that no sum of balances leaves a signed 64-bit integer. */
const MAX_TOTAL_MICRO = 2n ** 62n;
/** A block below this size could not hold its header and a certificate. */
const MIN_BLOCK_BYTES = 65_536;
/** Peers keep a state for each block that evidence may concern. */
const MAX_EVIDENCE_BLOCKS = 10_000;
const MAX_U32 = 0xffff_ffff;

function refuse(field: string, reason: string): never {
  throw new GenesisError('GENESIS_INVALID', field, reason);
}

function checkInteger(field: string, value: number, min: number, max: number): void {
  if (!Number.isSafeInteger(value) || value < min || value > max || Object.is(value, -0)) {
    refuse(field, `expected an integer from ${min} to ${max}, got ${value}`);
  }
}

function checkAmount(field: string, value: bigint): void {
  if (typeof value !== 'bigint' || value < 0n || value > MAX_TOTAL_MICRO) {
    refuse(field, `expected an amount from 0 to ${MAX_TOTAL_MICRO}, got ${value}`);
  }
}

/**
 * Checks everything that the rules of the chain rely on: sizes and ranges, a quorum of more than two thirds, members
 * sorted by key, every key a valid one and none used twice, stakes of at least the minimum. The application checks its
 * own parameters.
 * @throws GenesisError GENESIS_INVALID naming the first field at fault.
 */
export function validateGenesis(genesis: Genesis): void {
  const { chainName, genesisTimeMs, slot, limits, penalties, application } = genesis;
  if (typeof chainName !== 'string' || !/^[\x20-\x7e]{1,64}$/.test(chainName)) {
    refuse('chainName', 'expected 1 to 64 printable ASCII characters');
  }
  checkInteger('genesisTimeMs', genesisTimeMs, 0, Number.MAX_SAFE_INTEGER);
  checkInteger('slot.lengthMs', slot.lengthMs, 1, MAX_U32);
  if (slot.clock !== 'wall' && slot.clock !== 'ready') refuse('slot.clock', 'expected wall or ready');
  checkInteger('slot.simulatedHours', slot.simulatedHours, 1, MAX_U32);
  checkInteger('slot.slotsPerTerm', slot.slotsPerTerm, 1, MAX_U32);
  if (penalties.exclusion !== 'coalition' && penalties.exclusion !== 'miner') {
    refuse('penalties.exclusion', 'expected coalition or miner');
  }
  checkAmount('penalties.refusalPenaltyMicro', penalties.refusalPenaltyMicro);
  checkInteger('penalties.slashPpm', penalties.slashPpm, 0, 1_000_000);
  checkInteger('penalties.jailBlocks', penalties.jailBlocks, 0, MAX_U32);
  checkInteger('penalties.evidenceBlocks', penalties.evidenceBlocks, 1, MAX_EVIDENCE_BLOCKS);
  checkInteger('limits.maxBlockBytes', limits.maxBlockBytes, MIN_BLOCK_BYTES, MAX_BLOCK_BYTES_BEFORE_EVIDENCE);
  checkInteger('limits.maxTransactionsPerBlock', limits.maxTransactionsPerBlock, 1, MAX_BLOCK_TRANSACTIONS);
  checkAmount('limits.minStakeMicro', limits.minStakeMicro);
  checkInteger('limits.unbondingBlocks', limits.unbondingBlocks, penalties.evidenceBlocks + 1, MAX_U32);
  checkInteger('limits.inclusionDelayBlocks', limits.inclusionDelayBlocks, 1, MAX_U32);
  if (application.name !== 'poeg' && application.name !== 'posoc') refuse('application.name', 'expected poeg or posoc');
  if (!(application.parameters instanceof Uint8Array)) refuse('application.parameters', 'expected bytes');
  if (application.name === 'poeg' && slot.slotsPerTerm !== 1) {
    refuse('slot.slotsPerTerm', `PoEG draws anew for each slot: expected 1, got ${slot.slotsPerTerm}`);
  }
  checkMembership(genesis);
  checkTotals(genesis);
}

function checkMembership({ members, quorum, beaconGroupKey, accounts, limits }: Genesis): void {
  const n = members.length;
  if (n < 1 || n > MAX_MEMBERS) refuse('members', `expected 1 to ${MAX_MEMBERS} members, got ${n}`);
  if (!Number.isInteger(quorum) || quorum > n || 3 * quorum <= 2 * n) {
    refuse('quorum', `expected ${Math.floor((2 * n) / 3) + 1} to ${n} of ${n} members, got ${quorum}`);
  }
  const usedBy = new Map<Hex, string>();
  const claim = (field: string, key: Hex, valid: (key: unknown) => boolean, kind: string) => {
    if (!valid(key)) refuse(field, `not a ${kind}: ${String(key).slice(0, 100)}`);
    const other = usedBy.get(key);
    if (other !== undefined) refuse(field, `the same key as ${other}`);
    usedBy.set(key, field);
  };
  const ecdsa = 'compressed secp256k1 public key in lowercase hex';
  const bls = 'BLS12-381 G1 public key in lowercase hex';
  members.forEach((member, rank) => {
    const field = `members[${rank}]`;
    claim(`${field}.publicKey`, member.publicKey, isPublicKey, ecdsa);
    claim(`${field}.meterKey`, member.meterKey, isPublicKey, ecdsa);
    claim(`${field}.beaconKey`, member.beaconKey, isBeaconKey, bls);
    if (member.role !== 'prosumer' && member.role !== 'ev') refuse(`${field}.role`, 'expected prosumer or ev');
    // Lowercase hex compares like the bytes, and `<` on strings compares code units whatever the locale.
    if (rank > 0 && !((members[rank - 1]?.publicKey as Hex) < member.publicKey)) {
      refuse(`${field}.publicKey`, 'members must be sorted by public key');
    }
    checkAmount(`${field}.eposMicro`, member.eposMicro);
    checkAmount(`${field}.uposMicro`, member.uposMicro);
    checkAmount(`${field}.stakeMicro`, member.stakeMicro);
    if (member.stakeMicro < limits.minStakeMicro) {
      refuse(`${field}.stakeMicro`, `expected at least limits.minStakeMicro ${limits.minStakeMicro}`);
    }
  });
  if (!isBeaconKey(beaconGroupKey)) refuse('beaconGroupKey', `not a ${bls}`);
  if (accounts.length < 1 || accounts.length > MAX_ACCOUNTS) {
    refuse('accounts', `expected 1 to ${MAX_ACCOUNTS}, the distribution company first, got ${accounts.length}`);
  }
  accounts.forEach(({ publicKey, uposMicro }, i) => {
    claim(`accounts[${i}].publicKey`, publicKey, isPublicKey, ecdsa);
    checkAmount(`accounts[${i}].uposMicro`, uposMicro);
  });
}

function checkTotals({ members, accounts }: Genesis): void {
  const sum = (amounts: readonly bigint[]) => amounts.reduce((total, amount) => total + amount, 0n);
  checkAmount('members (sum of EPOS and stakes)', sum(members.map((member) => member.eposMicro + member.stakeMicro)));
  checkAmount('members and accounts (sum of UPOS)', sum([...members, ...accounts].map(({ uposMicro }) => uposMicro)));
}
