import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 50;

/** Asks until the answer is true; fails with `what` when that takes too long. An ask that throws counts as no. */
export async function eventually(what: string, ask: () => Promise<boolean> | boolean, limitMs = 30_000): Promise<void> {
  const deadlineMs = Date.now() + limitMs;
  let last: unknown = 'the answer was no';
  for (;;) {
    try {
      if (await ask()) return;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadlineMs) throw new Error(`${what}: not within ${limitMs} ms: ${String(last)}`);
    await delay(POLL_MS);
  }
}
