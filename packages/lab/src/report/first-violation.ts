import type { RunSummary } from '../run/result.ts';
import type { LabEvent } from '../watch/events.ts';
import { escapeHtml } from './charts.ts';
import { table } from './page.ts';

/** What is shown of the time before the first violation, and after it. */
const BEFORE_MS = 4_000;
const AFTER_MS = 1_000;
const MAX_ROWS = 40;

/** What happened around the first violation of a run, in the order of time; empty for a run without one. */
export function firstViolation({ checks }: Pick<RunSummary, 'checks'>, events: readonly LabEvent[]): string {
  const first = firstOf(checks);
  if (first === null) return '';
  const { check, atMs } = first;
  const committed = firstCommits(events);
  const near = events
    .map((event) => (event.type === 'block' ? { ...event, atMs: committed.get(event.height) ?? event.atMs } : event))
    .filter((event) => event.atMs >= atMs - BEFORE_MS && event.atMs <= atMs + AFTER_MS);
  const rows = near.flatMap((event) => {
    const text = textOf(event);
    return text === null ? [] : [{ atMs: event.atMs, text }];
  });
  // The nearest matter most.
  const shown = [...rows]
    .sort((a, b) => Math.abs(a.atMs - atMs) - Math.abs(b.atMs - atMs))
    .slice(0, MAX_ROWS)
    .sort((a, b) => a.atMs - b.atMs);
  const lines = shown.map((row) => [seconds(row.atMs), row.text]);
  return `<h2 id="first-violation">Around the first violation</h2><p><a href="#check-${check}">${escapeHtml(check)}</a> at ${seconds(atMs)}</p>${
    lines.length === 0 ? '<p class="none">Nothing else was seen then.</p>' : table(['time', 'what happened'], lines)
  }`;
}

/** When each height was first on a disk. A block is looked at a little later, when not all peers have told of it. */
function firstCommits(events: readonly LabEvent[]): ReadonlyMap<number, number> {
  const first = new Map<number, number>();
  for (const event of events)
    if (event.type === 'commit') first.set(event.height, Math.min(event.atMs, first.get(event.height) ?? event.atMs));
  return first;
}

/** The earliest violation among the checks; null when every check holds or is unknown. */
export function firstOf(
  checks: RunSummary['checks'],
): { readonly check: string; readonly atMs: number; readonly height: number | null } | null {
  const violations = checks.flatMap(({ check, verdict, first }) =>
    verdict === 'violated' && first !== null ? [{ check, ...first }] : [],
  );
  return violations.sort((a, b) => a.atMs - b.atMs)[0] ?? null;
}

function textOf(event: LabEvent): string | null {
  switch (event.type) {
    case 'block':
      return escapeHtml(
        `height ${event.height}: ${event.kind} block of ${event.composer}, slot ${event.slot}, round ${event.round}, ${event.transactions} transactions`,
      );
    case 'fault':
      return escapeHtml(`${event.label}: ${event.what}${event.what === 'proven' ? `, ${event.proof}` : ''}`);
    case 'penalty':
      return escapeHtml(
        `${event.member} lost ${(Number(event.lostMicro) / 1e6).toFixed(1)} EPOS at height ${event.height}`,
      );
    case 'violation':
      return `<span class="violated">${escapeHtml(`${event.check}: ${event.message}`)}</span>`;
    default:
      return null;
  }
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(2)} s`;
}
