import type { CommitTime } from '@wattmesh/node';
import type { RunFacts, Verdict } from '../src/checks/facts.ts';
import { judge } from '../src/checks/judge.ts';
import type { FaultRecord } from '../src/faults/conductor.ts';
import { parseScenario } from '../src/scenario/read-scenario.ts';
import type { EventOf } from '../src/watch/events.ts';

export const NAMES = ['p01', 'p02', 'p03', 'p04'];
export const NO_LOAD = { due: 0, sent: 0, missed: 0, refused: 0, committed: 0, outstanding: 0 };

/** A run in which every peer commits a height each second. */
export function facts(change: Partial<RunFacts> = {}, checks = ''): RunFacts {
  const endMs = change.endMs ?? 20_000;
  const { scenario } = parseScenario(
    `name: t\nchecks: {liveness: {maxGap: 5s}, recovery: {within: 4s}${checks}}\n`,
    't',
  );
  return {
    scenario,
    names: NAMES,
    quorum: 3,
    endMs,
    reachedEnd: true,
    faults: [],
    commits: commitsAt(Array.from({ length: endMs / 1_000 }, (_, k) => k * 1_000)),
    recommits: [],
    originMs: 0,
    findings: [],
    auditedHeights: 20,
    comparedHeights: 20,
    journals: NAMES.map((peer) => ({ peer, entries: 9, conflicts: [], unread: null })),
    load: NO_LOAD,
    loadFromMs: 0,
    loadWindowMs: 0,
    restMs: 0,
    finals: NAMES.map((peer) => ({ peer, state: 'up' as const, height: 20 })),
    goalHeight: 20,
    latencies: [],
    lookedUp: { answers: 0, wrong: [], unanswered: [] },
    samples: [],
    blocks: [],
    draws: [],
    settlements: [1, 2, 3, 4, 5].map(settlement),
    penalties: [],
    models: [],
    days: [],
    ...change,
  };
}

export function settlement(slot: number): EventOf<'settlement'> {
  const zero = {
    producedWh: '0',
    consumedWh: '0',
    billMicro: '0',
    withoutTradingMicro: '0',
    feeMicro: '0',
    shareMicro: '0',
    scoreWh: '0',
  };
  return {
    type: 'settlement',
    atMs: 3_000 * slot,
    height: 3 * slot,
    slot,
    tradedWh: '0',
    producedWh: '0',
    consumedWh: '0',
    lossSavedHalfNanoWh: '0',
    rewardMicro: '0',
    members: NAMES.map((name) => ({ name, ...zero, deviationMicro: '0' })),
  };
}

export function commitsAt(timesMs: readonly number[], peers = NAMES): Map<number, Map<string, CommitTime>> {
  return new Map(
    timesMs.map((committedMs, k) => [
      k + 1,
      new Map(
        peers.map((peer) => [peer, { height: k + 1, composedMs: committedMs - 100, committedMs, viaSync: false }]),
      ),
    ]),
  );
}

export function fault(change: Partial<FaultRecord>): FaultRecord {
  return {
    label: 'kill p04 at 2s',
    kind: 'kill',
    peers: ['p04'],
    links: [],
    misbehaviours: [],
    beganMs: 2_000,
    provenMs: 2_000,
    endedMs: 6_000,
    proof: 'process 7 is gone',
    failure: null,
    ...change,
  };
}

export const verdict = (name: string, of: RunFacts): Verdict | undefined =>
  judge(of).find(({ check }) => check === name)?.verdict;
