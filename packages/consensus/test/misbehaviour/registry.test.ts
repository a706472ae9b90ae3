import { describe, expect, test } from 'vitest';
import { chosen, MISBEHAVIOURS, misbehavingPeer } from '../../src/misbehaviour/index.ts';
import { Peer } from '../../src/peer/peer.ts';
import type { PeerModules, PeerOptions } from '../../src/peer/ports.ts';
import { decodeMessage as decodeContribution } from '../../src/poeg/messages.ts';
import { errorCode } from '../fixtures/error-code.ts';
import { PoegChain, WORKED4 } from '../fixtures/poeg-chain.ts';

describe('a misbehaviour', () => {
  test('is chosen by a name, once', () => {
    const names = MISBEHAVIOURS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, description } of MISBEHAVIOURS) {
      expect(chosen({ name }).misbehaviour.name).toBe(name);
      expect(description).not.toBe('');
    }
    expect(errorCode(() => chosen({ name: 'bribe' }))).toBe('MISBEHAVIOUR_UNKNOWN');
  });

  test('has parameters with a fallback, within bounds, and no others', () => {
    expect(chosen({ name: 'delay' }).parameters).toEqual({ delayMs: 1_000 });
    expect(chosen({ name: 'delay', parameters: { delayMs: 5 } }).parameters).toEqual({ delayMs: 5 });
    for (const parameters of [{ delayMs: 0 }, { delayMs: 1.5 }, { delayMs: '5x' }, { ms: 5 }])
      expect(errorCode(() => chosen({ name: 'delay', parameters }))).toBe('MISBEHAVIOUR_BAD_PARAMETER');
    expect(chosen({ name: 'invalid-block' }).parameters).toEqual({ kind: 'wrong-state-root' });
    expect(errorCode(() => chosen({ name: 'invalid-block', parameters: { kind: 'rude' } }))).toBe(
      'MISBEHAVIOUR_BAD_PARAMETER',
    );
  });
});

describe('a peer', () => {
  const chain = new PoegChain(WORKED4);
  const kit = { rules: chain.rules, rank: 0, signer: chain.network.signers[0]!, accomplices: [0] };
  const options: PeerOptions = {
    timeouts: { proposeMs: 400, prevoteMs: 200, precommitMs: 200, stepMs: 100, collectMs: 150, resendMs: 300 },
    txPatienceMs: 300,
    minBlockIntervalMs: 0,
    slotPaceMs: 0,
    readyTimeoutMs: 1_000,
    statusMs: 400,
    syncTimeoutMs: 800,
    maxPoolTransactions: 1_000,
  };
  const honest = chain.announcement(1, 0, WORKED4[0]!).bytes;
  const modules: PeerModules = {
    signer: kit.signer,
    source: { contributions: (slot) => (slot === 0 ? [honest] : []) },
    reader: { block: () => null, state: () => null },
  };
  const build = (ports: PeerModules) =>
    new Peer(chain.rules, options, ports, { head: null, journal: [], silentThrough: 0 });
  const start = (name?: string) => {
    const choices = name === undefined ? [] : [{ name }];
    return misbehavingPeer(choices, kit, modules, build).handle({ type: 'start', nowMs: 1_700_000_000_000 });
  };
  const contributions = (sends: ReturnType<typeof start>['sends']) =>
    sends.flatMap(({ bytes }) => {
      const message = bytes[0] === 3 ? decodeContribution(bytes.subarray(5)) : null;
      return message === null || message.type !== 'announcement' ? [] : [message.productionWh];
    });

  test('without a choice is the honest one', () => {
    expect(misbehavingPeer([], kit, modules, build)).toBeInstanceOf(Peer);
    expect(start()).toEqual(build(modules).handle({ type: 'start', nowMs: 1_700_000_000_000 }));
  });

  test('overstates its production under its real signature', () => {
    expect(contributions(start().sends)).toEqual([14_000n]);
    expect(contributions(start('overstate').sends)).toEqual([21_001n]);
  });

  test('announces twice, to everybody', () => {
    expect(contributions(start('announce-twice').sends)).toEqual([14_000n, 21_001n, 21_001n, 21_001n]);
  });

  test('sends late what it has to say', () => {
    const peer = misbehavingPeer([{ name: 'delay', parameters: { delayMs: 70 } }], kit, modules, build);
    const output = peer.handle({ type: 'start', nowMs: 1_700_000_000_000 });
    expect(output.sends).toEqual([]);
    const timer = output.timers.find(({ delayMs }) => delayMs === 70)!;
    const late = peer.handle({ type: 'timer', id: timer.id, nowMs: 1_700_000_000_070 });
    expect(contributions(late.sends)).toEqual([14_000n]);
  });
});
