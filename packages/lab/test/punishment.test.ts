import { describe, expect, it } from 'vitest';
import type { RunFacts, Verdict } from '../src/checks/facts.ts';
import { quorateSpans } from '../src/checks/liveness.ts';
import type { FaultRecord } from '../src/faults/conductor.ts';
import type { MisbehaviourName } from '../src/faults/misbehaviours.ts';
import type { EventOf } from '../src/watch/events.ts';
import { facts, fault, NAMES, settlement, verdict } from './run-facts.ts';

describe('punishment', () => {
  const penalty = (member: string, lostMicro: string, atMs = 9_000): EventOf<'penalty'> => ({
    type: 'penalty',
    atMs,
    height: 9,
    member,
    lostMicro,
    stakeMicro: '0',
    openingMicro: '100000000',
  });
  const SLASH = '10000000';
  const REFUSAL = '100000';
  const malicious = (...names: MisbehaviourName[]): FaultRecord =>
    fault({
      kind: 'misbehave',
      label: 'misbehave p04 at 2s',
      misbehaviours: names.map((name) => ({ name, parameters: {} })),
      endedMs: null,
      proof: 'it says so',
    });
  const turnOf = (turn: string, height: number, kind = 'transactions'): EventOf<'block'> => ({
    type: 'block',
    atMs: 1_000 * height,
    height,
    hash: '',
    kind,
    slot: 1,
    term: 1,
    turn,
    composer: turn,
    round: 0,
    transactions: 0,
    bytes: 1,
    chainTimeMs: 0,
  });
  const within = ', punishment: {within: 10}';
  const long = { endMs: 40_000 };

  it('of an honest member is a violation, except for a turn that a fault made it miss', () => {
    const of = (change: Partial<RunFacts>) => verdict('honest-unpunished', facts(change));
    expect(of({ penalties: [penalty('p02', SLASH)] })).toBe('violated');
    expect(of({ penalties: [penalty('p04', SLASH)], faults: [fault({})] })).toBe('violated');
    expect(of({ penalties: [penalty('p02', REFUSAL)], faults: [fault({})] })).toBe('violated');
    expect(of({ penalties: [penalty('p04', REFUSAL)], faults: [fault({})] })).toBe('holds');
    expect(of({ penalties: [penalty('p04', REFUSAL, 1_000)], faults: [fault({})] })).toBe('violated');
    // Heights that began before all were connected: the first to be committed after that, too.
    expect(of({ penalties: [{ ...penalty('p02', REFUSAL, 0), height: 1 }] })).toBe('holds');
    expect(of({ penalties: [{ ...penalty('p02', REFUSAL, 1_000), height: 2 }] })).toBe('violated');
    expect(of({ penalties: [{ ...penalty('p02', SLASH, 0), height: 1 }] })).toBe('violated');
    const slow = facts({ penalties: [penalty('p02', REFUSAL)] }, ', punishment: {timely: false}');
    expect(verdict('honest-unpunished', slow)).toBe('holds');
    expect(of({ penalties: [penalty('p04', SLASH)], faults: [malicious('double-vote')] })).toBe('holds');
    expect(of({ penalties: [penalty('p03', REFUSAL)], faults: [malicious('refuse')] })).toBe('violated');
  });

  it('of an honest member says nothing where a peer got no processor: what is late then is late for no fault of its own', () => {
    const waiting = (waitMs: number | null, atMs: number): EventOf<'sample'> => ({
      type: 'sample',
      atMs,
      peer: 'p03',
      state: 'up',
      height: 1,
      connected: 3,
      poolTransactions: 0,
      cpuMs: 0,
      waitMs,
      memoryBytes: 1,
    });
    const of = (samples: EventOf<'sample'>[], lost = REFUSAL) =>
      verdict('honest-unpunished', facts({ penalties: [penalty('p02', lost)], samples }));
    const starved = [waiting(100, 7_000), waiting(800, 8_000)];
    expect(of(starved)).toBe('unknown');
    expect(of([waiting(100, 7_000), waiting(400, 8_000)])).toBe('violated');
    expect(of([waiting(null, 7_000), waiting(null, 8_000)])).toBe('violated');
    // Long after, and before a restart.
    expect(of(starved.map((sample) => ({ ...sample, atMs: sample.atMs + 5_000 })))).toBe('violated');
    expect(of([waiting(800, 7_000), waiting(100, 8_000)])).toBe('violated');
    expect(of(starved, SLASH)).toBe('violated');
  });

  it.each<[MisbehaviourName, Partial<RunFacts>, Verdict]>([
    ['double-vote', { penalties: [penalty('p04', SLASH)] }, 'holds'],
    ['double-vote', { penalties: [penalty('p04', REFUSAL)] }, 'violated'],
    ['double-vote', { penalties: [penalty('p03', SLASH)] }, 'violated'],
    ['double-vote', { penalties: [penalty('p04', SLASH, 1_000)] }, 'violated'],
    ['double-vote', { endMs: 8_000 }, 'unknown'],
    ['refuse', { penalties: [penalty('p04', REFUSAL)] }, 'holds'],
    ['refuse', { blocks: [turnOf('p04', 9)] }, 'violated'],
    ['refuse', { blocks: [turnOf('p03', 9)] }, 'unknown'],
    ['refuse', { blocks: [turnOf('p04', 1)] }, 'unknown'],
    ['refuse', { blocks: [turnOf('p04', 35)] }, 'unknown'],
    ['overstate', {}, 'unknown'],
    ['withhold-votes', {}, 'holds'],
  ])('of %s is seen', (name, change, expected) => {
    const run = facts({ ...long, faults: [malicious(name)], ...change }, within);
    expect(verdict('misbehaviour-punished', run)).toBe(expected);
  });

  it('of a false announcement is what the meter costs', () => {
    const charged = settlement(3);
    const with04 = (change: Partial<(typeof charged.members)[number]>) =>
      charged.members.map((one) => (one.name === 'p04' ? { ...one, ...change } : one));
    const members = with04({ deviationMicro: '7', producedWh: '5' });
    const of = (settlements: RunFacts['settlements']) =>
      verdict('misbehaviour-punished', facts({ ...long, faults: [malicious('overstate')], settlements }, within));
    expect(of([{ ...charged, members }])).toBe('holds');
    expect(of([{ ...charged, members, atMs: 1_000 }])).toBe('unknown');
    expect(of([{ ...charged, members: with04({ producedWh: '5' }) }])).toBe('violated');
    expect(of([charged])).toBe('unknown');
  });

  it.each<[string, EventOf<'block'>, string, Verdict]>([
    ['wrong-trade', turnOf('p04', 9, 'settlement'), '700', 'violated'],
    ['wrong-trade', turnOf('p04', 9, 'settlement'), '0', 'unknown'],
    ['flow-not-optimal', turnOf('p03', 9, 'settlement'), '700', 'unknown'],
    ['inflated-reward', turnOf('p04', 9, 'settlement'), '0', 'violated'],
    ['inflated-reward', turnOf('p04', 9), '0', 'unknown'],
    ['forged-signature', turnOf('p04', 9), '0', 'violated'],
    ['forged-signature', turnOf('p04', 9, 'settlement'), '0', 'unknown'],
    ['wrong-state-root', turnOf('p04', 9, 'settlement'), '0', 'violated'],
    ['wrong-election', turnOf('p03', 9), '0', 'violated'],
    ['wrong-election', turnOf('p04', 9), '0', 'unknown'],
  ])('of an invalid block (%s) needs a block that it could be wrong about', (kind, block, tradedWh, expected) => {
    const liar = { ...malicious(), misbehaviours: [{ name: 'invalid-block' as const, parameters: { kind } }] };
    const settlements = [{ ...settlement(3), height: 9, tradedWh }];
    const run = facts({ ...long, faults: [liar], blocks: [block], settlements }, within);
    expect(verdict('misbehaviour-punished', run)).toBe(expected);
  });

  it('is judged for each of several misbehaviours, and not at all without one', () => {
    const faults = [malicious('double-vote', 'refuse')];
    const of = (
      penalties: RunFacts['penalties'],
      blocks: RunFacts['blocks'] = [],
      liars = faults,
    ): Verdict | undefined =>
      verdict('misbehaviour-punished', facts({ ...long, faults: liars, penalties, blocks }, within));
    const slash = (...evidence: EventOf<'penalty'>['evidence'] & {}) => ({ ...penalty('p04', SLASH), evidence });
    const refusal = { ...penalty('p04', REFUSAL), evidence: ['timeout' as const] };
    expect(of([slash('votes'), refusal])).toBe('holds');
    expect(of([slash('votes', 'timeout')])).toBe('holds');
    // It never had a turn to let pass; and when it had one, its slash is for its votes.
    expect(of([slash('votes')])).toBe('holds');
    expect(of([slash('votes')], [turnOf('p04', 9)])).toBe('violated');
    expect(of([penalty('p04', SLASH)], [turnOf('p04', 9)])).toBe('unknown');
    // Nor does one slash do for two faults of one member, or for two choices of one name.
    const later = { ...malicious('announce-twice'), label: 'misbehave p04 at 8s' };
    expect(of([slash('votes')], [], [malicious('double-vote'), later])).toBe('violated');
    expect(of([slash('votes'), slash('contributions')], [], [malicious('double-vote'), later])).toBe('holds');
    const twice = [malicious('double-vote', 'double-vote')];
    expect(of([slash('votes')], [], twice)).toBe('unknown');
    expect(of([slash('votes'), slash('votes')], [], twice)).toBe('holds');
    expect(verdict('misbehaviour-punished', facts())).toBeUndefined();
  });

  it('of several is tested by one that had an occasion', () => {
    const faults = [malicious('equivocate', 'vouch'), { ...malicious('equivocate'), peers: ['p03'] }];
    const of = (penalties: RunFacts['penalties'], blocks: RunFacts['blocks'] = []): Verdict | undefined =>
      verdict('misbehaviour-punished', facts({ ...long, faults, penalties, blocks }, within));
    expect(of([])).toBe('unknown');
    expect(of([penalty('p03', SLASH)])).toBe('holds');
    expect(of([penalty('p03', SLASH)], [turnOf('p04', 9)])).toBe('violated');
  });

  it('that cannot be judged yet does not hide one that was missed', () => {
    const late = { ...malicious('double-vote'), peers: ['p03'], beganMs: 35_000, provenMs: 35_000 };
    const of = (...faults: FaultRecord[]): Verdict | undefined =>
      verdict('misbehaviour-punished', facts({ ...long, faults }, within));
    expect(of(late)).toBe('unknown');
    expect(of(late, malicious('double-vote'))).toBe('violated');
  });

  it('a liar is honest until it begins', () => {
    const from15: FaultRecord = { ...malicious('refuse'), beganMs: 15_000 };
    const of = (atMs: number, faults = [from15]): Verdict | undefined =>
      verdict('honest-unpunished', facts({ penalties: [penalty('p04', SLASH, atMs)], faults }));
    expect(of(14_999)).toBe('violated');
    expect(of(15_000)).toBe('holds');
    expect(of(15_000, [{ ...from15, beganMs: null }])).toBe('violated');
    // It has the 15 heights of the first 15 seconds then.
    const signed = (conflict: string): Verdict | undefined => {
      const journals = NAMES.map((peer) => ({
        peer,
        entries: 9,
        conflicts: peer === 'p04' ? [conflict] : [],
        unread: null,
      }));
      return verdict('single-signing', facts({ journals, faults: [from15] }));
    };
    expect(signed('prevote 15/0: a and b')).toBe('violated');
    expect(signed('prevote 16/0: a and b')).toBe('holds');
    expect(signed('contribution 0102: a and b')).toBe('holds');
  });

  it('a liar may sign twice; an honest peer may not', () => {
    const journals = NAMES.map((peer) => ({
      peer,
      entries: 9,
      conflicts: peer === 'p04' ? ['prevote 7/0: a and b'] : [],
      unread: null,
    }));
    expect(verdict('single-signing', facts({ journals }))).toBe('violated');
    expect(verdict('single-signing', facts({ journals, faults: [malicious('double-vote')] }))).toBe('holds');
  });

  it('a quorum needs peers that can be relied on', () => {
    const faults = [malicious('refuse'), fault({ peers: ['p03'], label: 'kill p03 at 2s' })];
    expect(quorateSpans(facts({ faults }))).toEqual([
      { fromMs: 0, toMs: 2_000 },
      { fromMs: 6_000, toMs: 20_000 },
    ]);
  });
});
