import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** What one process used during a measurement. */
export interface Usage {
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Largest resident set that was seen, in MB (10^6 bytes). */
  readonly rssMb: number;
  /**
   * Proportional set size at the end: what the process really adds to the machine, each page divided by the number of
   * processes that share it. Null where the kernel does not tell.
   */
  readonly pssMb: number | null;
  readonly loopDelayMs: { readonly p50: number; readonly p99: number; readonly max: number };
}

const SAMPLE_MS = 250;
/** Coarse: each look wakes the process that is measured. */
const RESOLUTION_MS = 50;

/** Watches its own process from `start` to `take`. */
export class UsageMeter {
  readonly #delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly #timer: NodeJS.Timeout;
  #cpu = process.cpuUsage();
  #sinceMs = performance.now();
  #rss = process.memoryUsage.rss();

  constructor() {
    this.#delays.enable();
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS);
    this.#timer.unref();
  }

  /** What was used since the last call. */
  take(): Usage {
    this.#sample();
    const { user, system } = process.cpuUsage(this.#cpu);
    // The histogram counts whole intervals; what exceeds the interval is the delay.
    const delayMs = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
    const usage = {
      seconds: (performance.now() - this.#sinceMs) / 1_000,
      cpuSeconds: (user + system) / 1e6,
      rssMb: this.#rss / 1e6,
      pssMb: proportionalMb(),
      loopDelayMs: {
        p50: delayMs(this.#delays.percentile(50)),
        p99: delayMs(this.#delays.percentile(99)),
        max: delayMs(this.#delays.max),
      },
    };
    this.#cpu = process.cpuUsage();
    this.#sinceMs = performance.now();
    this.#rss = process.memoryUsage.rss();
    this.#delays.reset();
    return usage;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#delays.disable();
  }

  #sample(): void {
    this.#rss = Math.max(this.#rss, process.memoryUsage.rss());
  }
}

/** Linux adds up every mapping for this, which takes milliseconds; so it is asked once a measurement. */
function proportionalMb(): number | null {
  try {
    return pssOf(readFileSync('/proc/self/smaps_rollup', 'utf8'));
  } catch {
    return null;
  }
}

/** MB (10^6 bytes) of a `smaps_rollup`; null for anything else. */
export function pssOf(rollup: string): number | null {
  const [, kibibytes] = /^Pss: +(\d+) kB$/m.exec(rollup) ?? [];
  return kibibytes === undefined ? null : (Number(kibibytes) * 1_024) / 1e6;
}
