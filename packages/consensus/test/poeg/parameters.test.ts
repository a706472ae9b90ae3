import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Genesis } from '../../src/chain/types.ts';
import { encode } from '../../src/codec/index.ts';
import { sha256 } from '../../src/crypto/index.ts';
import {
  decodePoegParameters,
  encodePoegParameters,
  type PoegParameters,
  PoegParametersError,
  poegParametersOf,
  singletonScoreWh,
  tieWeight,
  validatePoegParameters,
} from '../../src/poeg/index.ts';
import { decodePoegState, encodePoegState, u128 } from '../../src/poeg/state.ts';
import { PoegChain, parametersFor, WORKED4 } from '../fixtures/poeg-chain.ts';

const parameters = parametersFor(WORKED4);
const failing = (code: string, text: string) =>
  expect.objectContaining({ name: 'PoegParametersError', code, message: expect.stringContaining(text) });

describe('parameters', () => {
  test('come back from their bytes, and every byte counts', () => {
    const bytes = encodePoegParameters(parameters);
    expect(decodePoegParameters(bytes)).toEqual(parameters);
    expect(() => decodePoegParameters(bytes.slice(1))).toThrow(PoegParametersError);
    expect(() => decodePoegParameters(new Uint8Array())).toThrow(failing('POEG_INVALID_PARAMETERS', 'parameters'));
    // 4 members have 6 pairs; without the last rate there are 5.
    const short = Uint8Array.from([...bytes.slice(0, -4)]);
    expect(() => decodePoegParameters(short)).toThrow(failing('POEG_INVALID_PARAMETERS', 'CODEC'));
  });

  test('that no market can be run with are refused, naming the field', () => {
    const refused = (change: Partial<PoegParameters>, text: string) =>
      expect(() => validatePoegParameters({ ...parameters, ...change })).toThrow(
        failing('POEG_INVALID_PARAMETERS', text),
      );
    refused({ maxCoalitionSize: 13 }, 'maxCoalitionSize');
    refused({ prices: { ...parameters.prices, exportMicroPerKwh: 200_000n } }, 'localMicroPerKwh');
    refused({ prices: { ...parameters.prices, importMicroPerKwh: 10n ** 9n + 1n } }, 'importMicroPerKwh');
    refused({ prices: { ...parameters.prices, rewardPpm: 1_000_001n } }, 'rewardPpm');
    refused({ rateEdcPpb: [1n, 2n, 3n, 10n ** 9n + 1n] }, 'rateEdcPpb');
    const crooked = parameters.ratePpb.map((row, i) => row.map((rate, j) => (i === 0 && j === 1 ? rate + 1n : rate)));
    refused({ ratePpb: crooked }, 'ratePpb');
    expect(() => encodePoegParameters({ ...parameters, maxCoalitionSize: 0 })).toThrow(PoegParametersError);
  });

  test('asking for metered scores are refused rather than ignored', () => {
    expect(() => encodePoegParameters({ ...parameters, scoreBasis: 'metered' })).toThrow(
      failing('POEG_SCORE_BASIS_UNSUPPORTED', 'metered'),
    );
    const bytes = encodePoegParameters(parameters);
    bytes[1] = 1;
    expect(() => decodePoegParameters(bytes)).toThrow(failing('POEG_SCORE_BASIS_UNSUPPORTED', 'metered'));
  });

  test('must fit their genesis', () => {
    const { genesis } = new PoegChain(WORKED4).network;
    expect(poegParametersOf(genesis)).toEqual(parameters);
    const refused = (change: Partial<Genesis>, text: string) =>
      expect(() => poegParametersOf({ ...genesis, ...change })).toThrow(failing('POEG_INVALID_PARAMETERS', text));
    refused({ members: genesis.members.slice(1) }, '4 members');
    refused({ members: genesis.members.map((member) => ({ ...member, role: 'ev' as const })) }, 'role');
    refused({ slot: { ...genesis.slot, slotsPerTerm: 24 } }, 'slotsPerTerm');
    refused({ accounts: [] }, 'EDC');
    refused({ application: { name: 'posoc', parameters: genesis.application.parameters } }, 'posoc');
  });
});

describe('a score', () => {
  test('is the surplus less its loss on the way to the EDC, floored; buyers have none', () => {
    const score = (productionWh: bigint, consumptionWh: bigint) =>
      singletonScoreWh({ ...parameters, rateEdcPpb: [40_000_000n] }, { rank: 0, productionWh, consumptionWh });
    expect(score(14_000n, 6_000n)).toBe(7_680n);
    expect(score(1n, 0n)).toBe(0n);
    expect(score(26n, 0n)).toBe(24n);
    expect(score(6_000n, 14_000n)).toBe(0n);
  });
});

describe('a tie weight', () => {
  test('is the start of the hash of seed and keys in ascending order', () => {
    const [seed, low, high] = ['ab'.repeat(32), `02${'11'.repeat(32)}`, `03${'00'.repeat(32)}`];
    const digest = sha256(Buffer.from(seed! + low! + high!, 'hex'));
    expect(tieWeight(seed!, low!, high!)).toBe(BigInt(`0x${digest.slice(0, 8)}`));
    expect(tieWeight(seed!, high!, low!)).toBe(tieWeight(seed!, low!, high!));
    expect(tieWeight('cd'.repeat(32), low!, high!)).not.toBe(tieWeight(seed!, low!, high!));
  });
});

describe('the state', () => {
  const chain = new PoegChain(WORKED4);
  for (const slot of [1, 2, 3]) chain.settle(WORKED4.map((home, rank) => chain.announcement(slot, rank, home)));
  const { application } = chain.rules;

  test('comes back from its leaves, which are in ascending order', () => {
    const leaves = application.encodeState(chain.state.app);
    expect(leaves.map(({ key }) => key)).toEqual([...leaves.map(({ key }) => key)].sort());
    expect(application.decodeState(leaves)).toEqual(chain.state.app);
    const genesisState = application.genesisState(chain.rules.genesis);
    expect(application.decodeState(application.encodeState(genesisState))).toEqual(genesisState);
  });

  test('is not made of other leaves', () => {
    const leaves = encodePoegState(decodePoegState(application.encodeState(chain.state.app)));
    expect(() => decodePoegState(leaves.slice(1))).toThrow(RangeError);
    expect(() => decodePoegState([...leaves].reverse())).toThrow(RangeError);
  });

  test('holds products beyond 64 bits', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }), (value) => {
        expect(encode(u128, value)).toEqual(new Uint8Array(Buffer.from(value.toString(16).padStart(32, '0'), 'hex')));
      }),
      { numRuns: 100, seed: 3 },
    );
    expect(() => encode(u128, 1n << 128n)).toThrow('CODEC_RANGE');
    expect(() => encode(u128, -1n)).toThrow('CODEC_RANGE');
  });
});
