/**
 * A process that runs the seeds which its parent sends it, one after the other, and says how each ended. It dies with its
 * parent. See campaign.ts.
 */
import type { Draw } from './draw-monitor.ts';
import { runWorld } from './run.ts';
import { WORLD_OF_KIND, type WorldKind } from './world-kinds.ts';

export interface SeedReport {
  readonly seed: number;
  /** What the world broke, with the command that replays it; null when it kept every invariant. */
  readonly violation: string | null;
  /** Height that the world reached; 0 when it broke. */
  readonly height: number;
  /** What it drew, for invariant 13. */
  readonly draws: readonly Draw[];
}

function runSeed(kind: WorldKind, seed: number): SeedReport {
  try {
    const { height, draws } = runWorld(WORLD_OF_KIND[kind](seed)).monitors;
    return { seed, violation: null, height, draws };
  } catch (error) {
    return { seed, violation: error instanceof Error ? error.message : String(error), height: 0, draws: [] };
  }
}

process.on('message', ({ kind, seed }: { kind: WorldKind; seed: number }) =>
  process.send?.(runSeed(kind, seed) satisfies SeedReport),
);
process.on('disconnect', () => process.exit());
