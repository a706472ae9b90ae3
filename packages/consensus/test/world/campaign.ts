/**
 * Many seeds of the world, on all cores. `node packages/consensus/test/world/campaign.ts [FIRST] [COUNT] [PROCESSES]
 * [honest|attacked|wiped]` runs them from a shell; the status is 1 when a seed fails.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { checkDraws } from './draw-monitor.ts';
import type { SeedReport } from './shard.ts';
import { InvariantViolation } from './violation.ts';
import { WORLD_OF_KIND, type WorldKind } from './world-kinds.ts';

export interface CampaignOptions {
  /** Default: honest. */
  readonly kind?: WorldKind;
  readonly first: number;
  readonly count: number;
  readonly processes?: number;
  /** Told a line at a time: progress, and every seed that fails. */
  readonly say?: (line: string) => void;
}

export interface CampaignResult {
  readonly passed: number;
  /** What went wrong and how to replay it, in ascending seed. */
  readonly failures: readonly SeedReport[];
  /** Sum of the heights that the worlds reached: a campaign that made no blocks has shown nothing. */
  readonly heights: number;
  /** How the draws of all worlds together break invariant 13; null when they keep it. */
  readonly unfairness: string | null;
  readonly seconds: number;
}

const PROGRESS_MS = 15_000;
/** A process remembers signatures of the worlds it has seen; a new one starts small. */
const SEEDS_PER_PROCESS = 200;

/** Runs seeds `first` to `first + count - 1`. Which process runs which seed depends on its speed and changes nothing. */
export async function runCampaign(options: CampaignOptions): Promise<CampaignResult> {
  const { kind = 'honest', first, count, processes = availableParallelism(), say = () => {} } = options;
  const startedMs = performance.now();
  const reports: SeedReport[] = [];
  const failures: SeedReport[] = [];
  let next = first;
  const seconds = (): number => (performance.now() - startedMs) / 1_000;
  const progress = (): void => {
    const rate = reports.length / seconds();
    say(`${reports.length} of ${count} seeds, ${failures.length} failed, ${rate.toFixed(1)} seeds/s`);
  };

  const runShard = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const child: ChildProcess = fork(join(import.meta.dirname, 'shard.ts'), { execArgv: [] });
      let running: number | null = null;
      let left = SEEDS_PER_PROCESS;
      const feed = (): void => {
        if (next >= first + count || left === 0) {
          running = null;
          child.disconnect();
          return;
        }
        left -= 1;
        running = next;
        next += 1;
        child.send({ kind, seed: running });
      };
      child.on('message', (report: SeedReport) => {
        reports.push(report);
        if (report.violation !== null) {
          failures.push(report);
          say(report.violation);
        }
        feed();
      });
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        if (running !== null) reject(new Error(`seed ${running} ended its process (${signal ?? code})`));
        else resolve();
      });
      feed();
    });
  const runLane = async (): Promise<void> => {
    while (next < first + count) await runShard();
  };

  const timer = setInterval(progress, PROGRESS_MS);
  try {
    await Promise.all(Array.from({ length: Math.min(processes, count) }, runLane));
  } finally {
    clearInterval(timer);
  }
  progress();
  failures.sort((a, b) => a.seed - b.seed);
  const heights = reports.reduce((sum, { height }) => sum + height, 0);
  const unfairness = unfairnessOf(reports);
  return { passed: reports.length - failures.length, failures, heights, unfairness, seconds: seconds() };
}

function unfairnessOf(reports: readonly SeedReport[]): string | null {
  try {
    checkDraws(reports.flatMap(({ draws }) => draws));
    return null;
  } catch (error) {
    if (!(error instanceof InvariantViolation)) throw error;
    return error.message;
  }
}

if (import.meta.main) {
  const [first = 1, count = 1_000, processes = availableParallelism()] = process.argv.slice(2, 5).map(Number);
  const kind = (process.argv[5] ?? 'honest') as WorldKind;
  if (!(kind in WORLD_OF_KIND)) throw new Error(`there is no kind ${kind}: ${Object.keys(WORLD_OF_KIND).join(', ')}`);
  const { passed, failures, unfairness } = await runCampaign({ kind, first, count, processes, say: console.log });
  console.log(`${passed} passed, ${failures.length} failed: ${failures.map(({ seed }) => seed).join(' ') || 'none'}`);
  console.log(unfairness ?? 'elections by weight');
  process.exitCode = failures.length === 0 && unfairness === null ? 0 : 1;
}
