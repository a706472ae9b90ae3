import { defaultIntegerBattery } from '@wattmesh/frl';
import * as fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Contribution } from '../../src/application/types.ts';
import { payloadHash } from '../../src/chain/block.ts';
import { blockHash } from '../../src/chain/index.ts';
import { sha256 } from '../../src/crypto/index.ts';
import {
  decodeMessage,
  encodeMessage,
  type HourlyAction,
  type ModelUpdate,
  type PosocMessage,
  signAction,
  updateDigest,
} from '../../src/posoc/messages.ts';
import {
  decodePosocParameters,
  encodePosocParameters,
  type PosocParameters,
  posocParametersOf,
} from '../../src/posoc/parameters.ts';
import { decodePayload, encodePayload, type SettlementPayload } from '../../src/posoc/payload.ts';
import { placeOfSlot, slotEndOffsetMs } from '../../src/posoc/schedule.ts';
import { decodePosocState, encodePosocState } from '../../src/posoc/state.ts';
import { PosocChain, posocParameters, tinyTensor } from '../fixtures/posoc-chain.ts';

let chain: PosocChain;
beforeEach(() => {
  chain = new PosocChain();
});

function verdictOn(bytes: Uint8Array): string {
  const { application, genesis, chainId } = chain.rules;
  const verdict = application.checkContribution(genesis, chainId, bytes, chain.state.slot);
  return verdict.ok ? 'ok' : verdict.code;
}

function sign(rank: number): (digest: string) => string {
  return (digest) => chain.network.signers[rank]?.sign(digest) as string;
}

describe('a contribution is refused by name', () => {
  const update = (change: Partial<ModelUpdate>): Uint8Array => {
    const honest = decodeMessage(
      chain.update(
        1,
        tinyTensor(() => 1),
      ).bytes,
    ) as ModelUpdate;
    const head = { ...honest, ...change };
    const tensorHash = change.tensorHash ?? sha256(head.tensor);
    const signed = { ...head, tensorHash, signature: '' };
    return encodeMessage({ ...signed, signature: sign(1)(updateDigest(signed)) });
  };

  test('when it is malformed, of another chain, slot or author, or not signed by him', () => {
    const { chainId } = chain.network;
    const ev = { energyWh: 21_000n, actionWh: 0n, limitMicro: 0n };
    const honest = { chainId, slot: 0, rank: 1, ev };
    expect(verdictOn(signAction(honest, sign(1)))).toBe('ok');
    expect(verdictOn(signAction({ ...honest, slot: 1 }, sign(1)))).toBe('ok');
    expect(verdictOn(signAction({ ...honest, slot: 2 }, sign(1)))).toBe('POSOC_WRONG_SLOT');
    expect(verdictOn(signAction({ ...honest, chainId: 'ab'.repeat(32) }, sign(1)))).toBe('POSOC_WRONG_CHAIN');
    expect(verdictOn(signAction({ ...honest, rank: 4 }, sign(1)))).toBe('POSOC_UNKNOWN_MEMBER');
    expect(verdictOn(signAction(honest, sign(2)))).toBe('POSOC_BAD_SIGNATURE');
    expect(verdictOn(signAction(honest, sign(1)).subarray(1))).toBe('POSOC_MALFORMED_MESSAGE');
    chain.skipTo(1);
    expect(verdictOn(signAction(honest, sign(1)))).toBe('POSOC_WRONG_SLOT');
  });

  test('when an update has another shape, size or hash, or is not finite', () => {
    expect(verdictOn(update({}))).toBe('ok');
    expect(verdictOn(update({ shape: [1, 2] }))).toBe('POSOC_UPDATE_WRONG_SHAPE');
    expect(verdictOn(update({ tensor: new Uint8Array(8) }))).toBe('POSOC_UPDATE_WRONG_SIZE');
    expect(verdictOn(update({ tensorHash: 'ab'.repeat(32) }))).toBe('POSOC_UPDATE_WRONG_HASH');
    expect(verdictOn(update({ tensor: tinyTensor(() => Number.POSITIVE_INFINITY) }))).toBe('POSOC_UPDATE_NON_FINITE');
  });

  test('whatever the bytes are, the verdict is one, and bytes that are accepted decode to themselves', () => {
    const honest = chain.action(1, { actionWh: 500n }).bytes;
    fc.assert(
      fc.property(fc.nat(honest.length - 1), fc.integer({ min: 1, max: 255 }), (place, flip) => {
        const bytes = honest.slice();
        bytes[place] = (bytes[place] as number) ^ flip;
        expect(verdictOn(bytes)).toMatch(/^POSOC_[A-Z_]+$/);
      }),
      { seed: 3, numRuns: 200 },
    );
  });
});

describe('a settlement is refused by name', () => {
  let contributions: Contribution[];
  beforeEach(() => {
    chain.skipTo(23);
    contributions = [0, 1, 2].flatMap((rank) => [
      chain.action(rank, { actionWh: 1_000n }),
      chain.payment(rank),
      chain.update(
        rank,
        tinyTensor(() => rank),
      ),
    ]);
    chain.close();
  });

  const codeOf = (payload: Uint8Array): string => {
    const { block } = chain.compose('settlement', { contributions });
    const header = { ...block.header, payloadHash: payloadHash(payload) };
    const verdict = chain.verify({
      block: { ...block, payload, header },
      blockHash: blockHash(header),
      state: chain.state,
    });
    return verdict.ok ? 'ok' : verdict.rejection.code;
  };
  const changed = (change: (payload: SettlementPayload) => Partial<SettlementPayload>): string => {
    const payload = decodePayload(chain.compose('settlement', { contributions }).block.payload);
    return codeOf(encodePayload({ ...payload, ...change(payload) }));
  };
  const results = (change: (payload: SettlementPayload['results']) => Partial<SettlementPayload['results']>) =>
    changed(({ results: honest }) => ({ results: { ...honest, ...change(honest) } }));

  test('unless it is the honest one', () => {
    expect(changed(() => ({}))).toBe('ok');
  });

  test('with results that do not follow from its messages', () => {
    expect(results(({ hour }) => ({ hour: hour && { ...hour, edcMicro: hour.edcMicro + 1n } }))).toBe(
      'POSOC_WRONG_TRADES',
    );
    expect(results(() => ({ hour: null }))).toBe('POSOC_WRONG_TRADES');
    expect(results(({ day }) => ({ day: day && { ...day, miner: 2 } }))).toBe('POSOC_WRONG_REWARDS');
    expect(results(() => ({ releases: [{ rank: 0, miner: 1, profitMicro: 5n, feeMicro: 1n }] }))).toBe(
      'POSOC_WRONG_RELEASES',
    );
    expect(results(({ model }) => ({ model: model && { ...model, round: 2 } }))).toBe('POSOC_WRONG_MODEL');
    expect(results(({ model }) => ({ model: model && { ...model, rule: { name: 'median', f: 0 } } }))).toBe(
      'POSOC_WRONG_MODEL',
    );
  });

  test('with messages out of order, twice, of another kind or that are not recorded', () => {
    expect(changed(({ actions }) => ({ actions: [...actions].reverse() }))).toBe('POSOC_NOT_CANONICAL');
    expect(changed(({ updates }) => ({ updates: [...updates].reverse() }))).toBe('POSOC_NOT_CANONICAL');
    expect(changed(({ actions: [first] }) => ({ actions: [first, first] as Uint8Array[] }))).toBe(
      'POSOC_NOT_CANONICAL',
    );
    expect(changed(({ payments }) => ({ actions: payments }))).toBe('POSOC_NOT_CANONICAL');
    expect(changed(() => ({ actions: [chain.action(3, null).bytes] }))).toBe('POSOC_NOT_CANONICAL');
    expect(changed(() => ({ payments: [chain.payment(3, false).bytes] }))).toBe('POSOC_NOT_CANONICAL');
    expect(codeOf(new Uint8Array([1, 2, 3]))).toBe('POSOC_MALFORMED_PAYLOAD');
  });

  test('with messages of another slot or signature, in heads as well', () => {
    expect(changed(() => ({ actions: [chain.action(3, {}, 24).bytes] }))).toBe('POSOC_WRONG_SLOT');
    expect(changed(() => ({ payments: [chain.payment(3, true, 24).bytes] }))).toBe('POSOC_WRONG_SLOT');
    const tampered = (message: PosocMessage): Uint8Array => encodeMessage({ ...message, rank: 3 } as PosocMessage);
    expect(changed(({ actions: [first] }) => ({ actions: [tampered(decodeMessage(first as Uint8Array))] }))).toBe(
      'POSOC_BAD_SIGNATURE',
    );
    expect(
      changed(({ updates: [head] }) => ({ updates: head ? [{ ...head, tensorHash: 'ab'.repeat(32) }] : [] })),
    ).toBe('POSOC_BAD_SIGNATURE');
    expect(changed(({ updates: [head] }) => ({ updates: head ? [{ ...head, shape: [7] }] : [] }))).toBe(
      'POSOC_UPDATE_WRONG_SHAPE',
    );
  });

  test('with an action that the battery cannot do, or from energy that it does not hold', () => {
    const { chainId } = chain.network;
    const act = (ev: HourlyAction['ev']): string =>
      changed(() => ({ actions: [signAction({ chainId, slot: 23, rank: 3, ev }, sign(3))] }));
    const { maxEnergyWh } = defaultIntegerBattery('paper');
    expect(act({ energyWh: maxEnergyWh, actionWh: 1n, limitMicro: 0n })).toBe('POSOC_INFEASIBLE_ACTION');
    expect(act({ energyWh: 20_000n, actionWh: -10_001n, limitMicro: 0n })).toBe('POSOC_INFEASIBLE_ACTION');
    expect(act({ energyWh: maxEnergyWh + 1n, actionWh: 0n, limitMicro: 0n })).toBe('POSOC_WRONG_ENERGY');
    expect(act({ energyWh: 8_399n, actionWh: 0n, limitMicro: 0n })).toBe('POSOC_WRONG_ENERGY');
  });
});

test('energy after the first action of a day is what the actions have left', () => {
  chain.skipTo(8);
  chain.settle([chain.action(0, { actionWh: -4_000n })]);
  const claim = (energyWh: bigint) => {
    chain.close();
    const settlement = chain.compose('settlement', { contributions: [chain.action(0, { energyWh })] });
    const { actions } = decodePayload(settlement.block.payload);
    chain.commit(settlement);
    return actions.length;
  };
  expect(claim(21_000n)).toBe(0);
  expect(claim(17_000n)).toBe(1);
});

test('learning rounds beyond the first have slots of their own, which take no actions', () => {
  chain = new PosocChain({ parameters: { learning: { ...posocParameters().learning, roundsPerDay: 3 } } });
  const { genesis } = chain.rules;
  const at = (slot: number) => placeOfSlot(genesis, slot);
  expect(at(22)).toEqual({ day: 0, hour: 22, round: null, isLastOfDay: false });
  expect(at(23)).toEqual({ day: 0, hour: 23, round: 1, isLastOfDay: false });
  expect(at(25)).toEqual({ day: 0, hour: null, round: 3, isLastOfDay: true });
  expect(at(26)).toEqual({ day: 1, hour: 0, round: null, isLastOfDay: false });
  expect([0, 22, 23, 24, 25, 26].map((slot) => slotEndOffsetMs(genesis, slot))).toEqual([
    10_000, 230_000, 244_000, 248_000, 252_000, 262_000,
  ]);
  chain.skipTo(24);
  chain.close();
  const settlement = chain.compose('settlement', {
    contributions: [
      chain.action(0, { actionWh: 10n }),
      chain.update(
        0,
        tinyTensor(() => 2),
      ),
      chain.update(
        1,
        tinyTensor(() => 4),
      ),
    ],
  });
  const { actions, updates, results } = decodePayload(settlement.block.payload);
  expect([actions.length, updates.length, results.hour, results.day]).toEqual([0, 2, null, null]);
  const keys = (slot: number) => chain.rules.application.owed(genesis, slot, 1);
  expect(keys(8)).toEqual(['action/8/1']);
  expect(keys(23)).toEqual(['action/23/1', 'update/23/1']);
  expect(keys(25)).toEqual(['update/25/1', 'payment/25/1']);
});

describe('parameters', () => {
  const refusal = (change: Partial<PosocParameters>) => () =>
    encodePosocParameters({ ...posocParameters(), ...change });
  const learning = (change: Partial<PosocParameters['learning']>) =>
    refusal({ learning: { ...posocParameters().learning, ...change } });

  test('come back from their bytes', () => {
    const parameters = posocParameters();
    expect(decodePosocParameters(encodePosocParameters(parameters))).toEqual(parameters);
    expect(() => decodePosocParameters(new Uint8Array(3))).toThrow(/POSOC|parameters/);
  });

  test('that cannot be run are refused', () => {
    expect(refusal({ betaPpm: 0n })).toThrow('betaPpm');
    expect(refusal({ betaPpm: 200_000n })).toThrow('betaPpm');
    expect(refusal({ ledgerRhoPpm: 1_000_000n })).toThrow('ledgerRhoPpm');
    expect(refusal({ tariff: { ...posocParameters().tariff, v2vPpm: 1n } })).toThrow('FRL_INVALID_CONFIG');
    expect(refusal({ buildingLoadWh: [1n] })).toThrow('24 hours');
    expect(refusal({ buildingLoadWh: Array(24).fill(10n ** 12n) })).toThrow('buildingLoadWh[0]');
    expect(learning({ rule: { name: 'multikrum', f: 3 }, minUpdates: 8 })).toThrow('minUpdates of at least 9');
    expect(learning({ rule: { name: 'trim', f: 2 }, minUpdates: 4 })).toThrow('minUpdates of at least 5');
    expect(learning({ roundsPerDay: 0 })).toThrow('roundsPerDay');
    expect(learning({ initialModel: tinyTensor(() => Number.NaN) })).toThrow('initialModel');
    expect(learning({ hidden: [500, 500] })).toThrow('exceeds');
  });

  test('must fit the genesis', () => {
    const { genesis } = chain.rules;
    expect(() => posocParametersOf({ ...genesis, slot: { ...genesis.slot, slotsPerTerm: 23 } })).toThrow(
      'slotsPerTerm',
    );
    expect(() => posocParametersOf({ ...genesis, accounts: genesis.accounts.slice(1) })).toThrow('accounts');
    const prosumers = genesis.members.map((member) => ({ ...member, role: 'prosumer' as const }));
    expect(() => posocParametersOf({ ...genesis, members: prosumers })).toThrow('market is one of EVs');
    expect(() => posocParametersOf({ ...genesis, application: { ...genesis.application, name: 'poeg' } })).toThrow(
      'not posoc',
    );
  });
});

test('a state comes back from its leaves, and other leaves are none', () => {
  chain.skipTo(9);
  chain.settle([chain.action(0, { actionWh: -3_000n })]);
  const leaves = encodePosocState(chain.app);
  expect(decodePosocState(leaves)).toEqual(chain.app);
  expect(() => decodePosocState(leaves.slice(1))).toThrow('not the leaves');
});

test('a settlement can be told to people as plain JSON', () => {
  chain.skipTo(23);
  const { state, rules } = chain;
  const { block } = chain.settle([chain.action(0, { actionWh: 1_000n }), chain.payment(1)]);
  const context = {
    genesis: rules.genesis,
    chainId: rules.chainId,
    slot: 23,
    term: 0,
    lastOfTerm: true,
    seed: rules.chainId,
    chainTimeMs: 0,
    composer: block.header.composer,
    winner: null,
    blobs: null,
    jailed: new Set<number>(),
    barred: new Set<string>(),
    state: state.app,
  };
  const description = rules.application.describe(context, block.payload);
  expect(JSON.parse(JSON.stringify(description))).toEqual(description);
  expect(description).toMatchObject({
    day: 0,
    hour: { hour: 23, period: 'off', buyWh: '4000', evs: [{ rank: 0, energyWh: '21000', actionWh: '1000' }] },
    round: { round: 1, rule: 'mean', isAggregated: false, updates: [] },
    dayEnd: { miner: null, evs: [{ rank: 0 }, { rank: 1 }, {}, {}] },
    releases: [],
  });
});
