import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Notice } from '@wattmesh/consensus';
import type { LearningReport } from '../ev/ev-learning.ts';

/** How well a peer keeps up. */
export interface PerformanceReport {
  /** How late timers fire since the peer was up. */
  readonly eventLoopLagMs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Blocks of this run, and those of them that were decided in another round than the first. */
  readonly blocks: number;
  readonly laterRounds: number;
  /** Null for a peer that does not learn. */
  readonly learning: LearningReport | null;
}

/** The loop is looked at so often, which wakes an idle process; lag is what comes on top. */
const RESOLUTION_MS = 100;

/** Watches the event loop and the rounds of agreement. */
export class PerformanceWatch {
  readonly #lag = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #blocks = 0;
  #laterRounds = 0;

  /** From now on: loading and opening the store block the loop, but nobody waits for a peer that is not up. */
  start(): void {
    this.#lag.enable();
    this.#lag.reset();
  }

  stop(): void {
    this.#lag.disable();
  }

  take(notice: Notice): void {
    if (notice.type !== 'committed') return;
    this.#blocks += 1;
    if (notice.round > 0) this.#laterRounds += 1;
  }

  report(learning: LearningReport | null): PerformanceReport {
    const ms = (nanoseconds: number): number =>
      Math.max(0, Math.round((Number.isFinite(nanoseconds) ? nanoseconds : 0) / 1e4) / 100 - RESOLUTION_MS);
    const { max } = this.#lag;
    return {
      eventLoopLagMs: { p50: ms(this.#lag.percentile(50)), p99: ms(this.#lag.percentile(99)), max: ms(max) },
      blocks: this.#blocks,
      laterRounds: this.#laterRounds,
      learning,
    };
  }
}
