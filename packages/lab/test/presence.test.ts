import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import type { Outages } from '../src/checks/absence.ts';
import { outagesOf } from '../src/checks/absence.ts';
import type { PeerFinal } from '../src/checks/facts.ts';
import { shortcomings } from '../src/checks/judge.ts';
import { Conductor, type ConductorPorts, type FaultRecord } from '../src/faults/conductor.ts';
import { parseScenario } from '../src/scenario/read-scenario.ts';
import { Watch, type WatchFinding, type WatchPorts } from '../src/watch/watch.ts';
import { facts, fault, NAMES, verdict } from './run-facts.ts';

describe('presence', () => {
  const finals = (change: Partial<PeerFinal>): PeerFinal[] =>
    NAMES.map((peer) => ({ peer, state: 'up', height: 20, ...(peer === 'p04' ? change : {}) }));

  it('is violated by a peer that is not up, or behind when the others have waited for it', () => {
    const of = (change: Partial<PeerFinal>, restMs = 4_000, faults: FaultRecord[] = []) =>
      verdict('presence', facts({ finals: finals(change), restMs, faults }));
    expect(of({})).toBe('holds');
    expect(of({ state: 'down', height: null })).toBe('violated');
    expect(of({ state: 'paused' })).toBe('violated');
    expect(of({ height: 19 })).toBe('violated');
    expect(of({ height: null })).toBe('violated');
    expect(of({ height: 19 }, 3_999)).toBe('unknown');
    // After a fault that has ended it has to be back; under one that could not be ended it cannot be.
    expect(of({ state: 'down' }, 0, [fault({})])).toBe('violated');
    expect(of({ state: 'down' }, 0, [fault({ endedMs: null, failure: 'did not start' })])).toBe('unknown');
  });

  it('counts what faults did to a process, and not what they did to its links', () => {
    const faults = [fault({}), fault({ kind: 'partition' }), fault({ beganMs: 8_000, endedMs: null })];
    expect(outagesOf(faults, 'p04')).toEqual({ changes: 3, isOn: true });
    expect(outagesOf(faults, 'p03')).toEqual({ changes: 0, isOn: false });
  });

  it.each<[string, Outages, number]>([
    ['by itself', { changes: 2, isOn: false }, 1],
    ['under a fault', { changes: 1, isOn: true }, 0],
  ])('a watch reports once a peer that goes down %s', async (_, outages, expected) => {
    const found: WatchFinding[] = [];
    let looks = 0;
    const three = Promise.withResolvers<void>();
    const ports = {
      runtime: {
        names: ['p01'],
        stateOf: async () => {
          looks += 1;
          if (looks === 3) three.resolve();
          return 'down';
        },
        apiUrl: () => null,
        usage: async () => null,
      },
      auditor: { canGoOn: false },
      elapsedMs: () => 0,
      originMs: 0,
      record: () => undefined,
      found: (finding: WatchFinding) => found.push(finding),
      committed: () => undefined,
      wipesOf: () => 0,
      outagesOf: () => outages,
    };
    const watch = new Watch(ports as unknown as WatchPorts);
    watch.start();
    await three.promise;
    await watch.stop();
    expect(found.filter(({ check }) => check === 'presence')).toHaveLength(expected);
  });
});

describe('a watch', () => {
  const ports = (runtime: object) => ({
    runtime: {
      stateOf: async () => 'up',
      instanceOf: async (name: string) => name,
      apiUrl: (name: string) => `http://${name}`,
      usage: async () => null,
      report: async () => ({ commits: [] }),
      ...runtime,
    },
    auditor: { canGoOn: false },
    elapsedMs: () => 0,
    originMs: 0,
    record: () => undefined,
    found: () => undefined,
    committed: () => undefined,
    wipesOf: () => 0,
    outagesOf: () => ({ changes: 0, isOn: false }),
  });

  it('keeps what a peer commits again after its disk was wiped', async () => {
    const times = [10, 10, 90];
    const all = Promise.withResolvers<void>();
    let told = 0;
    const report = async () => {
      const committedMs = times[told];
      told += 1;
      if (committedMs === undefined) all.resolve();
      return {
        commits: committedMs === undefined ? [] : [{ height: 1, composedMs: null, committedMs, viaSync: true }],
      };
    };
    vi.stubGlobal('fetch', async (url: string) =>
      Response.json(url.endsWith('/status') ? { height: 1 } : { blocks: [] }),
    );
    const watch = new Watch(ports({ names: ['p01'], report }) as unknown as WatchPorts);
    watch.start();
    await all.promise;
    await watch.stop();
    vi.unstubAllGlobals();
    expect(watch.commits.get(1)?.get('p01')?.committedMs).toBe(10);
    expect(watch.recommits).toEqual([{ peer: 'p01', height: 1, committedMs: 90 }]);
  });

  it.each([
    [['p01', 'p02'], 1],
    [['p01'], 3],
  ])('has compared the heights that two peers told, not those that one told twice: %s', async (names, expected) => {
    const all = Promise.withResolvers<void>();
    let looks = 0;
    // p01 has three heights and is another process each time, so that it tells them again; p02 has the first.
    const instanceOf = async (name: string) => `${name} ${looks}`;
    const report = async () => {
      looks += 1;
      if (looks === 6) all.resolve();
      return { commits: [] };
    };
    vi.stubGlobal('fetch', async (url: string) => {
      const height = url.startsWith('http://p01') ? 3 : 1;
      const blocks = [1, 2, 3].slice(0, height).map((one) => ({ height: one, hash: `hash ${one}` }));
      return Response.json(url.endsWith('/status') ? { height } : { blocks });
    });
    const watch = new Watch(ports({ names, instanceOf, report }) as unknown as WatchPorts);
    watch.start();
    await all.promise;
    await watch.stop();
    vi.unstubAllGlobals();
    expect(watch.comparedHeights).toBe(expected);
  });
});

describe('a conductor', () => {
  it('records that a fault could not be ended when the run was over', async () => {
    const { plan } = parseScenario('name: t\ntimeline: [{do: kill, at: 0s, peers: [p04]}]\n', 't');
    let state = 'up';
    const changes: string[] = [];
    const conductor = new Conductor(plan, {
      context: {
        runtime: {
          stateOf: async () => state,
          instanceOf: async () => 'process 7',
          end: async () => {
            state = 'down';
          },
        },
        controls: { start: async () => Promise.reject(new Error('its disk cannot be read')) },
      },
      progress: () => ({ elapsedMs: 5, height: 0, slot: 0 }),
      miner: async () => null,
      changed: (_: FaultRecord, what: string) => changes.push(what),
    } as unknown as ConductorPorts);
    conductor.tick();
    await delay(0);
    await conductor.finish();
    expect(changes).toEqual(['begun', 'proven', 'failed']);
    expect(conductor.records[0]).toMatchObject({ failure: 'its disk cannot be read', endedMs: null });
    expect(shortcomings(facts({ faults: conductor.records }))).toEqual([
      expect.stringContaining('failed: its disk cannot be read'),
    ]);
  });
});
