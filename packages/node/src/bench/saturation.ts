import type { LoadReport } from './accounting.ts';

/** One offered rate (transactions a second) and what became of it. */
export interface Trial {
  readonly offeredPerSecond: number;
  readonly load: LoadReport;
}

export interface Saturation {
  /** The highest rate that was carried; null when none was. */
  readonly sustained: Trial | null;
  /** In the order in which they were tried. */
  readonly trials: readonly Trial[];
  /** True when a trial could not tell because the load was not offered: the limit may then be the client's. */
  readonly isUnknown: boolean;
}

const GROWTH = 1.5;
const BISECTIONS = 3;
const MAX_TRIALS = 16;

/** How often a rate may fail before it counts as too high: on a shared machine one failure proves little. */
const ATTEMPTS = 2;

/**
 * Looks for the highest rate that is carried: up from `startPerSecond` (or down, when that is too much already) by a
 * factor, then by halving the interval. A rate that is not carried gets a second attempt. A rate whose load was never really offered ends the way up: it proves nothing.
 */
export async function findSaturation(
  startPerSecond: number,
  tryRate: (offeredPerSecond: number) => Promise<LoadReport>,
): Promise<Saturation> {
  const trials: Trial[] = [];
  const attempt = async (offeredPerSecond: number): Promise<Trial> => {
    for (let left = ATTEMPTS; ; left -= 1) {
      const trial = { offeredPerSecond, load: await tryRate(offeredPerSecond) };
      trials.push(trial);
      if (trial.load.verdict === 'carried' || left === 1 || trials.length >= MAX_TRIALS) return trial;
    }
  };
  let best: Trial | null = null;
  let failed: Trial | null = null;
  let rate = startPerSecond;
  while (trials.length < MAX_TRIALS && (best === null || failed === null)) {
    const trial = await attempt(rate);
    if (trial.load.verdict === 'carried') {
      best = trial;
      rate *= GROWTH;
    } else {
      failed = trial;
      rate /= GROWTH;
      if (rate < 1) break;
    }
  }
  for (let k = 0; k < BISECTIONS && best !== null && failed !== null && trials.length < MAX_TRIALS; k += 1) {
    const trial: Trial = await attempt((best.offeredPerSecond + failed.offeredPerSecond) / 2);
    if (trial.load.verdict === 'carried') best = trial;
    else failed = trial;
  }
  return { sustained: best, trials, isUnknown: failed?.load.verdict === 'unknown' };
}
