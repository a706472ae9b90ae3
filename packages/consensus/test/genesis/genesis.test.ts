import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Genesis, GenesisMember } from '../../src/chain/types.ts';
import { CodecError } from '../../src/codec/index.ts';
import {
  chainIdOf,
  decodeGenesis,
  encodeGenesis,
  GenesisError,
  genesisFromJson,
  genesisToJson,
  validateGenesis,
} from '../../src/genesis/index.ts';
import { testNetwork } from '../fixtures/network.ts';

const { genesis } = testNetwork({
  members: 4,
  payers: 1,
  genesis: { application: { name: 'poeg', parameters: Uint8Array.of(1, 0xff) } },
});
const [m0, m1, m2, m3] = genesis.members as [GenesisMember, GenesisMember, GenesisMember, GenesisMember];
const [edc, payer] = genesis.accounts as [Genesis['accounts'][number], Genesis['accounts'][number]];

function refusal(run: () => unknown): { code: string; field: string } {
  try {
    run();
  } catch (error) {
    if (error instanceof GenesisError) return { code: error.code, field: error.field };
    throw error;
  }
  throw new Error('nothing was refused');
}

const invalid = (change: Partial<Genesis>) => {
  const { code, field } = refusal(() => validateGenesis({ ...genesis, ...change }));
  expect(code).toBe('GENESIS_INVALID');
  return field;
};
const withMember = (rank: number, change: Partial<GenesisMember>) => ({
  members: genesis.members.with(rank, { ...(genesis.members[rank] as GenesisMember), ...change }),
});
const withSlot = (change: object) => ({ slot: { ...genesis.slot, ...change } });
const withPenalties = (change: object) => ({ penalties: { ...genesis.penalties, ...change } });
const withLimits = (change: object) => ({ limits: { ...genesis.limits, ...change } });

describe('validation', () => {
  test('accepts what the fixtures make, of one member and of many', () => {
    for (const members of [1, 2, 3, 4, 7, 10]) validateGenesis(testNetwork({ members }).genesis);
    validateGenesis(testNetwork({ members: 10, quorum: 9 }).genesis);
    validateGenesis(testNetwork({ members: 3, quorum: 3 }).genesis);
  });

  test('asks for more than two thirds and no more than all', () => {
    for (const [members, allowed] of [
      [1, [1]],
      [2, [2]],
      [3, [3]],
      [4, [3, 4]],
      [6, [5, 6]],
      [7, [5, 6, 7]],
    ] as const) {
      const network = testNetwork({ members, quorum: members });
      for (let quorum = 0; quorum <= members + 1; quorum++) {
        const run = () => validateGenesis({ ...network.genesis, quorum });
        if ((allowed as readonly number[]).includes(quorum)) run();
        else expect(refusal(run).field).toBe('quorum');
      }
    }
    expect(invalid({ quorum: 3.5 })).toBe('quorum');
  });

  test('names the field that breaks a rule of its own', () => {
    for (const chainName of ['', 'x'.repeat(65), 'ümlaut', 'line\nbreak'])
      expect(invalid({ chainName })).toBe('chainName');
    for (const genesisTimeMs of [-1, 0.5, 2 ** 53]) expect(invalid({ genesisTimeMs })).toBe('genesisTimeMs');
    expect(invalid({ members: [] })).toBe('members');
    expect(invalid({ accounts: [] })).toBe('accounts');
    expect(invalid(withSlot({ lengthMs: 0 }))).toBe('slot.lengthMs');
    expect(invalid(withSlot({ clock: 'sundial' }))).toBe('slot.clock');
    expect(invalid(withSlot({ simulatedHours: 0 }))).toBe('slot.simulatedHours');
    expect(invalid(withSlot({ slotsPerTerm: 0 }))).toBe('slot.slotsPerTerm');
    expect(invalid(withLimits({ maxBlockBytes: 1000 }))).toBe('limits.maxBlockBytes');
    expect(invalid(withLimits({ maxBlockBytes: 4_000_000 }))).toBe('limits.maxBlockBytes');
    expect(invalid(withLimits({ maxTransactionsPerBlock: 0 }))).toBe('limits.maxTransactionsPerBlock');
    expect(invalid(withLimits({ minStakeMicro: -1n }))).toBe('limits.minStakeMicro');
    // Evidence reaches back 100 blocks: what it may slash must still be locked.
    expect(invalid(withLimits({ unbondingBlocks: 100 }))).toBe('limits.unbondingBlocks');
    validateGenesis({ ...genesis, ...withLimits({ unbondingBlocks: 101 }) });
    expect(invalid({ ...withPenalties({ evidenceBlocks: 50 }), ...withLimits({ unbondingBlocks: 50 }) })).toBe(
      'limits.unbondingBlocks',
    );
    expect(invalid(withLimits({ inclusionDelayBlocks: 0 }))).toBe('limits.inclusionDelayBlocks');
    // Two of that size must fit into one message: a block, and the proof that another one is invalid.
    expect(invalid(withLimits({ maxBlockBytes: 1_600_001 }))).toBe('limits.maxBlockBytes');
    expect(invalid(withPenalties({ exclusion: 'everybody' }))).toBe('penalties.exclusion');
    expect(invalid(withPenalties({ refusalPenaltyMicro: -1n }))).toBe('penalties.refusalPenaltyMicro');
    for (const slashPpm of [-1, 1_000_001]) expect(invalid(withPenalties({ slashPpm }))).toBe('penalties.slashPpm');
    expect(invalid(withPenalties({ jailBlocks: -1 }))).toBe('penalties.jailBlocks');
    for (const evidenceBlocks of [0, 10_001])
      expect(invalid(withPenalties({ evidenceBlocks }))).toBe('penalties.evidenceBlocks');
    expect(invalid({ application: { name: 'pow' as never, parameters: new Uint8Array() } })).toBe('application.name');
    expect(invalid({ application: { name: 'poeg', parameters: 'ff' as never } })).toBe('application.parameters');
    expect(invalid(withMember(1, { role: 'miner' as never }))).toBe('members[1].role');
    expect(invalid(withMember(1, { eposMicro: -1n }))).toBe('members[1].eposMicro');
    expect(invalid(withMember(2, { uposMicro: 2n ** 63n }))).toBe('members[2].uposMicro');
    expect(invalid(withMember(3, { stakeMicro: genesis.limits.minStakeMicro - 1n }))).toBe('members[3].stakeMicro');
    expect(invalid({ accounts: [edc, { ...payer, uposMicro: -1n }] })).toBe('accounts[1].uposMicro');
  });

  test('PoEG has terms of one slot, PoSOC of any number', () => {
    expect(invalid(withSlot({ slotsPerTerm: 24 }))).toBe('slot.slotsPerTerm');
    const application = { name: 'posoc' as const, parameters: new Uint8Array() };
    validateGenesis({ ...genesis, ...withSlot({ slotsPerTerm: 24 }), application });
  });

  test('refuses keys that are no keys', () => {
    const offCurve = `02${'00'.repeat(31)}05`;
    for (const key of [offCurve, m1.publicKey.toUpperCase(), m1.publicKey.slice(2), '', null as never]) {
      expect(invalid(withMember(1, { publicKey: key }))).toBe('members[1].publicKey');
      expect(invalid(withMember(1, { meterKey: key }))).toBe('members[1].meterKey');
      expect(invalid({ accounts: [{ ...edc, publicKey: key }] })).toBe('accounts[0].publicKey');
    }
    const infinity = `c0${'00'.repeat(47)}`;
    const offSubgroup = `80${'00'.repeat(46)}04`;
    for (const key of [infinity, offSubgroup, m1.publicKey, 'ff'.repeat(48)]) {
      expect(invalid(withMember(1, { beaconKey: key }))).toBe('members[1].beaconKey');
      expect(invalid({ beaconGroupKey: key })).toBe('beaconGroupKey');
    }
  });

  test('refuses members out of order and keys used twice, whatever for', () => {
    expect(invalid({ members: [m1, m0, m2, m3] })).toBe('members[1].publicKey');
    expect(invalid({ members: [m0, m0, m2, m3] })).toBe('members[1].publicKey');
    expect(invalid(withMember(2, { meterKey: m0.meterKey }))).toBe('members[2].meterKey');
    expect(invalid(withMember(2, { meterKey: m1.publicKey }))).toBe('members[2].meterKey');
    expect(invalid(withMember(2, { meterKey: m2.publicKey }))).toBe('members[2].meterKey');
    expect(invalid(withMember(2, { beaconKey: m1.beaconKey }))).toBe('members[2].beaconKey');
    expect(invalid({ accounts: [edc, { ...payer, publicKey: edc.publicKey }] })).toBe('accounts[1].publicKey');
    expect(invalid({ accounts: [edc, { ...payer, publicKey: m3.publicKey }] })).toBe('accounts[1].publicKey');
    expect(invalid({ accounts: [edc, { ...payer, publicKey: m3.meterKey }] })).toBe('accounts[1].publicKey');
  });

  test('keeps totals below 2^62, so that no sum of balances overflows', () => {
    const half = 2n ** 61n;
    expect(invalid({ members: genesis.members.map((member) => ({ ...member, eposMicro: half })) })).toMatch(/EPOS/);
    expect(invalid({ members: genesis.members.map((member) => ({ ...member, uposMicro: half })) })).toMatch(/UPOS/);
    const stakes = genesis.members.map((member) => ({ ...member, stakeMicro: half }));
    expect(invalid({ members: stakes })).toMatch(/stakes/);
  });
});

describe('bytes', () => {
  test('come back as the same genesis', () => {
    expect(decodeGenesis(encodeGenesis(genesis))).toEqual(genesis);
  });

  test('are checked when decoded', () => {
    const encoded = encodeGenesis({ ...genesis, quorum: 2 });
    expect(refusal(() => decodeGenesis(encoded))).toEqual({ code: 'GENESIS_INVALID', field: 'quorum' });
  });

  test('changed anywhere are no genesis, or another chain', () => {
    const encoded = encodeGenesis(genesis);
    let other = 0;
    fc.assert(
      fc.property(fc.nat(encoded.length - 1), fc.integer({ min: 1, max: 255 }), (at, difference) => {
        const changed = encoded.map((byte, i) => (i === at ? byte ^ difference : byte));
        try {
          const decoded = decodeGenesis(changed);
          expect(encodeGenesis(decoded)).toEqual(changed);
          expect(chainIdOf(decoded)).not.toBe(chainIdOf(genesis));
          other += 1;
        } catch (error) {
          if (!(error instanceof CodecError || error instanceof GenesisError)) throw error;
        }
      }),
      { numRuns: 25, seed: 1 },
    );
    expect(other).toBeGreaterThan(1);
    expect(() => decodeGenesis(encoded.subarray(1))).toThrow();
    expect(() => decodeGenesis(Uint8Array.of(...encoded, 0))).toThrow(CodecError);
  });

  test('give the chain its id', () => {
    const tagged = Buffer.concat([Buffer.from('wattmesh/genesis\0'), encodeGenesis(genesis)]);
    expect(chainIdOf(genesis)).toBe(createHash('sha256').update(tagged).digest('hex'));
    for (const change of [
      { chainName: 'x' },
      { genesisTimeMs: 1 },
      { quorum: 4 },
      withSlot({ clock: 'ready' }),
      withLimits({ minStakeMicro: 0n }),
      { accounts: [edc] },
      { application: { name: 'poeg' as const, parameters: new Uint8Array() } },
    ]) {
      expect(chainIdOf({ ...genesis, ...change })).not.toBe(chainIdOf(genesis));
    }
  });
});

describe('JSON', () => {
  // Through text, as from a file.
  const parsed = () => JSON.parse(JSON.stringify(genesisToJson(genesis)));
  const wrong = (change: (json: ReturnType<typeof parsed>) => void) => {
    const json = parsed();
    change(json);
    const { code, field } = refusal(() => genesisFromJson(json));
    return `${code} ${field}`;
  };

  test('comes back as the same genesis', () => {
    expect(genesisFromJson(parsed())).toEqual(genesis);
    expect(parsed().members[0].uposMicro).toBe('1000000000');
    expect(parsed().application).toEqual({ name: 'poeg', parameters: '01ff' });
  });

  test('names what is missing, unknown or of the wrong type', () => {
    expect(wrong((json) => delete json.quorum)).toBe('GENESIS_JSON quorum');
    expect(wrong((json) => delete json.members[2].meterKey)).toBe('GENESIS_JSON members[2].meterKey');
    expect(wrong((json) => (json.comment = 'hello'))).toBe('GENESIS_JSON comment');
    expect(wrong((json) => (json.slot.lengthMS = 1))).toBe('GENESIS_JSON slot.lengthMS');
    expect(wrong((json) => (json.quorum = '3'))).toBe('GENESIS_JSON quorum');
    expect(wrong((json) => (json.genesisTimeMs = 1.5))).toBe('GENESIS_JSON genesisTimeMs');
    expect(wrong((json) => (json.members = {}))).toBe('GENESIS_JSON members');
    expect(wrong((json) => (json.slot = []))).toBe('GENESIS_JSON slot');
    expect(wrong((json) => (json.slot = null))).toBe('GENESIS_JSON slot');
    expect(wrong((json) => (json.members[0].role = 'EV'))).toBe('GENESIS_JSON members[0].role');
    expect(wrong((json) => (json.application.parameters = 'FF'))).toBe('GENESIS_JSON application.parameters');
    expect(wrong((json) => (json.chainName = 5))).toBe('GENESIS_JSON chainName');
    for (const amount of [5, '05', '-1', '1e3', '1.0', '', ' 1', '0x1']) {
      expect(wrong((json) => (json.accounts[0].uposMicro = amount))).toBe('GENESIS_JSON accounts[0].uposMicro');
    }
    for (const json of [null, [], 'genesis', 7]) {
      expect(refusal(() => genesisFromJson(json))).toEqual({ code: 'GENESIS_JSON', field: 'genesis' });
    }
  });

  test('is held to the rules too', () => {
    expect(wrong((json) => (json.quorum = 2))).toBe('GENESIS_INVALID quorum');
    expect(wrong((json) => json.members.reverse())).toBe('GENESIS_INVALID members[1].publicKey');
  });

  test('takes no field from a prototype', () => {
    const json = parsed();
    const { quorum } = json;
    delete json.quorum;
    Object.setPrototypeOf(json, { quorum });
    expect(refusal(() => genesisFromJson(json))).toEqual({ code: 'GENESIS_JSON', field: 'quorum' });
  });
});
