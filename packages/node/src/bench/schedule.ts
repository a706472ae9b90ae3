/**
 * When an open-loop client means to send: at a constant rate, whatever the answers do. Latency counts from these times,
 * so that a system that stalls is charged for everything that should have been sent meanwhile (no coordinated omission).
 */
export interface Schedule {
  readonly startMs: number;
  readonly perSecond: number;
  readonly count: number;
}

export function intendedMs({ startMs, perSecond }: Schedule, index: number): number {
  return startMs + (index * 1_000) / perSecond;
}

/** How many sends are due at `nowMs`. */
export function dueBy({ startMs, perSecond, count }: Schedule, nowMs: number): number {
  if (nowMs < startMs) return 0;
  return Math.min(count, Math.floor(((nowMs - startMs) * perSecond) / 1_000) + 1);
}

/**
 * Calls `send` for each index when it is due, until all are sent. Several that are due at once are sent at once; when
 * the process cannot keep up, they are late, and `sentMs` shows it.
 */
export async function runSchedule(
  schedule: Schedule,
  nowMs: () => number,
  send: (index: number, sentMs: number) => void,
): Promise<void> {
  let next = 0;
  while (next < schedule.count) {
    const due = dueBy(schedule, nowMs());
    for (const sentMs = nowMs(); next < due; next += 1) send(next, sentMs);
    const waitMs = intendedMs(schedule, next) - nowMs();
    await new Promise((resolve) => (waitMs > 1 ? setTimeout(resolve, waitMs) : setImmediate(resolve)));
  }
}
