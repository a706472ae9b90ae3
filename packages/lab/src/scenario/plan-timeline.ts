import { conflictsOf } from './contradictions.ts';
import { misbehaviourIssues } from './misbehaviour-choices.ts';
import { distanceOf, type Moment, momentOf, momentText } from './moment.ts';
import { durationText } from './quantities.ts';
import type { ScenarioIssue } from './read-scenario.ts';
import type { Scenario, TimelineEntry } from './schema.ts';

export type FaultKind = Exclude<TimelineEntry['do'], 'end' | 'start'>;
export type FaultEntry = Extract<TimelineEntry, { do: FaultKind }>;

/** One thing that is done to one peer, or to some links, once. */
export interface PlannedFault {
  /** Place in the scenario's timeline. */
  readonly entry: number;
  /** Unique in the run: `kill p02 at 5s`. */
  readonly label: string;
  readonly kind: FaultKind;
  readonly spec: FaultEntry;
  /** The peers it is about; null for `miner`, who is known when the moment comes. */
  readonly peers: readonly string[] | null;
  /** All peers that the entry of the timeline names, this one among them; empty for `miner`. */
  readonly entryPeers: readonly string[];
  /** Directed links `p01>p02` that it is about. */
  readonly links: readonly string[];
  readonly startsAt: Moment;
  /** Later than its moment by this much: peers of one entry that follow each other. */
  readonly delayMs: number;
  /** How it ends: after a while, when an `end` or `start` of the timeline says so, or with the run. */
  readonly lasts: Moment | null;
  readonly endsAt: Moment | null;
}

export interface TimelinePlan {
  readonly faults: readonly PlannedFault[];
  readonly issues: readonly ScenarioIssue[];
}

/** Faults that happen in an instant: there is nothing to end. */
export function isInstant(fault: Pick<PlannedFault, 'kind' | 'lasts'>): boolean {
  return fault.kind === 'restart' || (fault.kind === 'wipe' && fault.lasts === null);
}

/** Names of a scenario's peers, in order of their rank. */
export function peerNames(count: number): string[] {
  return Array.from({ length: count }, (_, rank) => `p${String(rank + 1).padStart(2, '0')}`);
}

/** The peers that a selector means; null for `miner`. */
export function selectPeers(selector: string | readonly string[], names: readonly string[]): readonly string[] | null {
  if (selector === 'miner') return null;
  if (selector === 'all') return names;
  if (typeof selector !== 'string') return selector;
  const count = Math.floor((names.length * Number.parseFloat(selector)) / 100);
  return count === 0 ? [] : names.slice(-count);
}

/** Turns the timeline into single faults, and says what of it can never happen as written. Pure. */
export function planTimeline(scenario: Scenario): TimelinePlan {
  const names = peerNames(scenario.peers);
  const issues: ScenarioIssue[] = [];
  const say = (path: readonly PropertyKey[], message: string): void => void issues.push({ path, message });
  checkQuorum(scenario, say);
  checkProtocol(scenario, names, say);
  checkLimit(scenario, say);
  for (const [k, { via }] of scenario.load.entries()) checkPeers(via, names, ['load', k, 'via'], say);
  const ends = new Map<string, { entry: number; at: Moment }>();
  const faults: Mutable<PlannedFault>[] = [];
  const ids = new Map<string, number>();
  scenario.timeline.forEach((entry, k) => {
    const at = momentOf(entry.at);
    if (at.unit === 'time' && at.value > scenario.limit)
      say(['timeline', k, 'at'], 'the run ends before that: see `limit`');
    if (entry.do === 'end') {
      if (ends.has(entry.which))
        say(['timeline', k, 'which'], `timeline[${ends.get(entry.which)?.entry}] ends ${entry.which} already`);
      else ends.set(entry.which, { entry: k, at });
      return;
    }
    checkEntry(entry, names, k, say);
    if (entry.do === 'misbehave') issues.push(...misbehaviourIssues(entry, k, scenario.protocol));
    if (entry.id !== undefined) {
      if (ids.has(entry.id)) say(['timeline', k, 'id'], `timeline[${ids.get(entry.id)}] has this id already`);
      ids.set(entry.id, k);
    }
    if (entry.do !== 'start') faults.push(...faultsOf(entry, k, names));
  });
  applyStarts(scenario, faults, names, say);
  for (const [id, { entry, at }] of ends) applyEnd(id, entry, at, ids.get(id), faults, say);
  numberEqualLabels(faults);
  if (issues.length === 0) issues.push(...conflictsOf(faults));
  return { faults, issues };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Say = (path: readonly PropertyKey[], message: string) => void;

function checkQuorum({ peers, consensus: { quorum } }: Scenario, say: Say): void {
  if (quorum === undefined) return;
  if (quorum > peers) say(['consensus', 'quorum'], `there are only ${peers} peers`);
  else if (3 * quorum <= 2 * peers)
    say(
      ['consensus', 'quorum'],
      `must be more than two thirds of ${peers}: at least ${Math.floor((2 * peers) / 3) + 1}`,
    );
}

/** Of what has a time, for what has a height or slot nobody knows when it comes. */
function checkLimit({ until, limit, load }: Scenario, say: Say): void {
  if (typeof until === 'number' && until >= limit)
    say(['until'], `the run ends before that: \`limit\` is ${durationText(limit)}, and must be longer`);
  for (const [k, { from }] of load.entries())
    if (from >= limit) say(['load', k, 'from'], `the run ends before that: \`limit\` is ${durationText(limit)}`);
}

function checkProtocol({ protocol, evs, load, checks }: Scenario, names: readonly string[], say: Say): void {
  if (protocol === 'poeg') {
    if (evs !== undefined) say(['evs'], 'only `protocol: posoc` has EVs');
    if (checks.modelGain !== undefined) say(['checks', 'modelGain'], 'only `protocol: posoc` has a model');
    return;
  }
  if (load.length > 0) say(['load'], 'a chain of EVs has no accounts for clients: leave the load out');
  const selectors = { poisoned: evs?.poisoned?.peers, freeRiders: evs?.freeRiders, notPaying: evs?.notPaying?.peers };
  for (const [key, selector] of Object.entries(selectors)) {
    if (selector === undefined) continue;
    const path = key === 'freeRiders' ? ['evs', key] : ['evs', key, 'peers'];
    if (selector === 'miner') say(path, 'name EVs, or write `all` or a share: who composes changes from day to day');
    else checkPeers(selector, names, path, say);
  }
  const riders = selectPeers(evs?.freeRiders ?? [], names) ?? [];
  const both = selectPeers(evs?.poisoned?.peers ?? [], names)?.find((peer) => riders.includes(peer));
  if (both !== undefined) say(['evs', 'freeRiders'], `${both} poisons its updates already`);
}

function checkPeers(
  selector: string | readonly string[],
  names: readonly string[],
  path: PropertyKey[],
  say: Say,
): void {
  const peers = selectPeers(selector, names);
  if (peers === null) return;
  if (peers.length === 0) say(path, `${String(selector)} of ${names.length} peers is none`);
  const isList = typeof selector !== 'string';
  peers.forEach((peer, k) => {
    const where = isList ? [...path, k] : path;
    if (!names.includes(peer)) say(where, `there is no peer ${peer}: they are ${names[0]} to ${names.at(-1)}`);
    else if (peers.indexOf(peer) !== k) say(where, `${peer} stands here twice`);
  });
}

function checkEntry(entry: Exclude<TimelineEntry, { do: 'end' }>, names: readonly string[], k: number, say: Say): void {
  const path = (...rest: PropertyKey[]): PropertyKey[] => ['timeline', k, ...rest];
  if (entry.do === 'partition') {
    const seen = new Set<string>();
    entry.groups.forEach((group, g) => {
      group.forEach((peer, p) => {
        if (!names.includes(peer))
          say(path('groups', g, p), `there is no peer ${peer}: they are ${names[0]} to ${names.at(-1)}`);
        if (seen.has(peer)) say(path('groups', g, p), `${peer} stands in two groups`);
        seen.add(peer);
      });
    });
    return;
  }
  if (entry.do === 'link') {
    for (const side of ['from', 'to'] as const) {
      checkPeers(entry[side], names, path(side), say);
      if (entry[side] === 'miner') say(path(side), 'a link needs its peers by name, as `all`, or as a share');
    }
    if ([entry.latency, entry.jitter, entry.loss, entry.bandwidth].every((value) => value === undefined))
      say(path(), 'a link needs one of latency, jitter, loss and bandwidth');
    else if (linksOf(entry, names).length === 0) say(path('to'), 'there is no link from a peer to itself');
    return;
  }
  checkPeers(entry.peers, names, path('peers'), say);
  if (entry.do === 'start' && entry.peers === 'miner')
    say(path('peers'), 'a peer that is down is no miner: name it, or write `all`');
}

function linksOf(
  entry: { from: string | readonly string[]; to: string | readonly string[]; bothWays: boolean },
  names: readonly string[],
): readonly string[] {
  const from = selectPeers(entry.from, names) ?? [];
  const to = selectPeers(entry.to, names) ?? [];
  const links = new Set<string>();
  for (const a of from)
    for (const b of to) {
      if (a === b) continue;
      links.add(`${a}>${b}`);
      if (entry.bothWays) links.add(`${b}>${a}`);
    }
  return [...links];
}

/** Every link between two groups, both ways. */
function cutLinks(groups: readonly (readonly string[])[]): string[] {
  return groups.flatMap((group, g) =>
    groups.filter((_, other) => other !== g).flatMap((others) => group.flatMap((a) => others.map((b) => `${a}>${b}`))),
  );
}

function faultsOf(spec: FaultEntry, entry: number, names: readonly string[]): Mutable<PlannedFault>[] {
  const startsAt = momentOf(spec.at);
  const lasts = 'for' in spec && spec.for !== undefined ? distanceOf(spec.for) : null;
  const one = (
    peers: readonly string[] | null,
    what: string,
    delayMs: number,
    links: readonly string[] = [],
  ): Mutable<PlannedFault> => ({
    entry,
    label: `${spec.do} ${what} at ${momentText(startsAt)}${delayMs === 0 ? '' : ` + ${momentText({ unit: 'time', value: delayMs })}`}`,
    kind: spec.do,
    spec,
    peers,
    entryPeers: 'peers' in spec ? (selectPeers(spec.peers, names) ?? []) : [],
    links,
    startsAt,
    delayMs,
    lasts,
    endsAt: null,
  });
  if (spec.do === 'partition')
    return [one(spec.groups.flat(), spec.groups.map((group) => group.join(',')).join(' | '), 0, cutLinks(spec.groups))];
  if (spec.do === 'link') {
    const links = linksOf(spec, names);
    const peers = new Set(links.flatMap((link) => link.split('>')));
    return [one([...peers].sort(), `${spec.from} to ${spec.to} ${conditionText(spec)}`, 0, links)];
  }
  const peers = selectPeers(spec.peers, names);
  if (peers === null) return [one(null, 'miner', 0)];
  const stagger = ('stagger' in spec ? spec.stagger : undefined) ?? 0;
  return peers.map((peer, k) => one([peer], peer, k * stagger));
}

function conditionText({ latency, jitter, loss, bandwidth }: Extract<FaultEntry, { do: 'link' }>): string {
  return [
    ...(latency === undefined ? [] : [`latency ${durationText(latency)}`]),
    ...(jitter === undefined ? [] : [`jitter ${durationText(jitter)}`]),
    ...(loss === undefined ? [] : [`loss ${Number((100 * loss).toFixed(6))}%`]),
    ...(bandwidth === undefined ? [] : [`bandwidth ${bandwidth}B/s`]),
  ].join(', ');
}

/** Two entries may say the same. What is asked of a peer is known by its fault's label, and must not replace the other's. */
function numberEqualLabels(faults: readonly Mutable<PlannedFault>[]): void {
  const seen = new Map<string, number>();
  for (const fault of faults) {
    const { label } = fault;
    const number = (seen.get(label) ?? 0) + 1;
    seen.set(label, number);
    if (number > 1) fault.label = `${label} (${number})`;
  }
}

/**
 * `start` ends the newest kill or stop of a peer that nothing else ends. Who was the miner is seen in the run: only a start of
 * all peers is sure to be its start.
 */
function applyStarts(
  { timeline }: Scenario,
  faults: Mutable<PlannedFault>[],
  names: readonly string[],
  say: Say,
): void {
  timeline.forEach((entry, k) => {
    if (entry.do !== 'start') return;
    const at = momentOf(entry.at);
    const startsAll = entry.peers === 'all';
    for (const peer of selectPeers(entry.peers, names) ?? []) {
      // Which of two moments of different units comes first is seen when they come.
      const before = faults.filter(
        ({ kind, lasts, endsAt, startsAt, delayMs }) =>
          (kind === 'kill' || kind === 'stop') &&
          lasts === null &&
          endsAt === null &&
          (startsAt.unit !== at.unit || startsAt.value + delayIn({ startsAt, delayMs }) <= at.value),
      );
      const ofMiner = before.findLast(({ peers }) => peers === null);
      const last = before.findLast(({ peers }) => peers?.includes(peer)) ?? (startsAll ? ofMiner : undefined);
      if (last !== undefined) last.endsAt = at;
      else if (!startsAll && ofMiner !== undefined)
        say(
          ['timeline', k, 'peers'],
          `nobody knows that ${peer} was the miner (timeline[${ofMiner.entry}]): write \`peers: all\` here, or \`for\` there`,
        );
      else if (!startsAll)
        say(['timeline', k, 'peers'], `${peer} is up then: no kill or stop without \`for\` comes before`);
    }
  });
}

function delayIn({ startsAt, delayMs }: Pick<PlannedFault, 'startsAt' | 'delayMs'>): number {
  return startsAt.unit === 'time' ? delayMs : 0;
}

function applyEnd(
  id: string,
  entry: number,
  at: Moment,
  begun: number | undefined,
  faults: Mutable<PlannedFault>[],
  say: Say,
): void {
  const begunFaults = faults.filter((one) => one.entry === begun);
  if (begun === undefined) say(['timeline', entry, 'which'], `no fault has the id ${id}`);
  for (const fault of begunFaults) {
    const why = whyNoEnd(fault, at);
    if (why !== null) say(['timeline', entry, why.key], `${why.message} (timeline[${begun}])`);
    else fault.endsAt = at;
  }
}

function whyNoEnd(fault: PlannedFault, at: Moment): { readonly key: 'which' | 'at'; readonly message: string } | null {
  if (isInstant(fault)) return { key: 'which', message: `${fault.kind} is over at once: there is nothing to end` };
  if (fault.lasts !== null) return { key: 'which', message: `${fault.kind} ends by itself: it has \`for\`` };
  if (fault.endsAt !== null) return { key: 'which', message: `a \`start\` ends ${fault.label} already` };
  const { unit, value } = fault.startsAt;
  if (unit === at.unit && at.value <= value + delayIn(fault))
    return { key: 'at', message: `it begins only at ${momentText(fault.startsAt)}` };
  return null;
}
