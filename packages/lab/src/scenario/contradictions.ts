import { isInstant, type PlannedFault } from './plan-timeline.ts';
import type { ScenarioIssue } from './read-scenario.ts';

/** A fault's time, as far as it is known before the run: moments of different units cannot be compared. */
interface Span {
  readonly unit: string;
  readonly from: number;
  /** Infinity when it ends with the run; null when the end is given in another unit. */
  readonly to: number | null;
}

/** Faults of which only one can be on a peer at a time: they decide whether its process runs. */
const PROCESS = new Set(['kill', 'stop', 'wipe', 'restart', 'pause', 'disk-full']);
/** Faults of a peer that must be up when they begin, and of which it can have one at a time. */
const BEGINS_UP = new Set(['disconnect', 'clock-skew', 'misbehave']);
const SETTINGS = ['latency', 'jitter', 'loss', 'bandwidth'] as const;

/**
 * Faults that contradict each other while both are on: a restart of a peer that is down, two clocks for one peer, two
 * latencies for one link. Only what is certain is said; what depends on how fast blocks come is seen in the run.
 */
export function conflictsOf(faults: readonly PlannedFault[]): ScenarioIssue[] {
  const issues: ScenarioIssue[] = [];
  faults.forEach((later, k) => {
    for (const earlier of faults.slice(0, k)) {
      if (!overlap(spanOf(earlier), spanOf(later))) continue;
      const reason = contradiction(earlier, later) ?? contradiction(later, earlier);
      if (reason !== null)
        issues.push({
          path: ['timeline', later.entry],
          message: `${reason} (timeline[${earlier.entry}]: ${earlier.label})`,
        });
    }
  });
  return issues;
}

function contradiction(a: PlannedFault, b: PlannedFault): string | null {
  const shared = a.peers?.find((peer) => b.peers?.includes(peer));
  if (shared === undefined) return null;
  if (PROCESS.has(a.kind) && PROCESS.has(b.kind)) return `${shared} cannot be under ${a.kind} and ${b.kind} at once`;
  if (PROCESS.has(a.kind) && !isInstant(a) && BEGINS_UP.has(b.kind) && startsWithin(b, a))
    return `${shared} is under ${a.kind} when ${b.kind} is to begin`;
  if (PROCESS.has(a.kind) && b.kind === 'misbehave' && endsWithin(b, a))
    return `${shared} is under ${a.kind} when misbehave is to end, for which it must be up`;
  if (a.kind === b.kind && BEGINS_UP.has(a.kind)) return `${shared} is under ${a.kind} already`;
  return linkContradiction(a, b);
}

function linkContradiction(a: PlannedFault, b: PlannedFault): string | null {
  if (a.spec.do !== 'link' || b.spec.do !== 'link') return null;
  const shared = a.links.find((link) => b.links.includes(link));
  const [first, second] = [a.spec, b.spec];
  const setting = SETTINGS.find((name) => first[name] !== undefined && second[name] !== undefined);
  return shared === undefined || setting === undefined ? null : `the link ${shared} has a ${setting} already`;
}

function spanOf(fault: PlannedFault): Span {
  const { unit, value } = fault.startsAt;
  const from = value + (unit === 'time' ? fault.delayMs : 0);
  if (isInstant(fault)) return { unit, from, to: from };
  const end = fault.lasts ?? fault.endsAt;
  if (end === null) return { unit, from, to: Number.POSITIVE_INFINITY };
  if (end.unit !== unit) return { unit, from, to: null };
  return { unit, from, to: fault.lasts === null ? end.value : from + end.value };
}

function overlap(a: Span, b: Span): boolean {
  if (a.unit !== b.unit) return false;
  const [first, second] = a.from <= b.from ? [a, b] : [b, a];
  // One that begins when another one ends is welcome; two that begin together are not.
  return first.from === second.from || (first.to !== null && second.from < first.to);
}

function startsWithin(inner: PlannedFault, outer: PlannedFault): boolean {
  const [a, b] = [spanOf(inner), spanOf(outer)];
  return a.unit === b.unit && a.from >= b.from && b.to !== null && a.from < b.to;
}

/** Together counts as within: a peer that is just being started is not up yet. */
function endsWithin(inner: PlannedFault, outer: PlannedFault): boolean {
  const [a, b] = [spanOf(inner), spanOf(outer)];
  // At the end of the run everything ends in turn.
  if (a.unit !== b.unit || a.to === null || b.to === null || a.to === Number.POSITIVE_INFINITY) return false;
  return a.to > b.from && a.to <= b.to;
}
