import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { CeilingPlan, CeilingResult } from './ceiling-program.ts';
import type { FloorStart } from './floor-program.ts';
import { Worker } from './worker.ts';

const ROUND_LIMIT_MS = 5_000;

export interface FloorOptions {
  readonly members: number;
  readonly quorum: number;
  readonly folder: string;
  readonly rounds: number;
  readonly perSecond: number;
  /** Bytes of a proposal besides its signature. */
  readonly payloadBytes: number;
}

/** Per agreement: from its start until the last process has its outcome on disk. */
export async function runFloor(options: FloorOptions): Promise<readonly number[]> {
  const { members, quorum, folder, rounds, perSecond, payloadBytes } = options;
  await mkdir(folder, { recursive: true });
  const workers = Array.from({ length: members }, (_, rank) => new Worker('./floor-program.ts', `floor ${rank}`));
  try {
    const ports = await Promise.all(
      workers.map((worker, rank) => {
        const start: FloorStart = { rank, members, quorum, file: join(folder, `floor-${rank}`) };
        return worker.ask<number>('start', start);
      }),
    );
    await Promise.all(workers.map((worker) => worker.ask('connect', ports)));
    await workers[0]?.ask('lead', { rounds, perSecond, payloadBytes });
    const untilMs = Date.now() + ROUND_LIMIT_MS;
    for (;;) {
      const times = await Promise.all(
        workers.map((worker) => worker.ask<{ started: [number, number][]; committed: [number, number][] }>('times')),
      );
      if (times.every(({ committed }) => committed.length === rounds) || Date.now() > untilMs) return latencies(times);
      await delay(50);
    }
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()));
    await rm(folder, { recursive: true, force: true });
  }
}

function latencies(
  times: readonly { started: [number, number][]; committed: [number, number][] }[],
): readonly number[] {
  const committed = times.map((process) => new Map(process.committed));
  return (times[0]?.started ?? []).flatMap(([round, startMs]) => {
    const ends = committed.map((process) => process.get(round));
    return ends.every((end) => end !== undefined) ? [Math.max(...(ends as number[])) - startMs] : [];
  });
}

export interface CeilingOptions {
  readonly members: number;
  readonly folder: string;
  readonly operations: number;
  readonly transactionsPerBlock: number;
  readonly seconds: number;
}

export interface Ceiling {
  /** Transactions a second that every process can work off while the others do the same (mean of their rates). */
  readonly perSecond: number;
  readonly cpuMicrosPerTransaction: number;
}

export async function runCeiling(options: CeilingOptions): Promise<Ceiling> {
  const { members, folder, operations, transactionsPerBlock, seconds } = options;
  const workers = Array.from({ length: members }, (_, rank) => new Worker('./ceiling-program.ts', `ceiling ${rank}`));
  try {
    const plans = workers.map(
      (_, rank): CeilingPlan => ({ folder: join(folder, `${rank}`), operations, transactionsPerBlock, seconds }),
    );
    await Promise.all(plans.map((plan) => mkdir(plan.folder, { recursive: true })));
    await Promise.all(workers.map((worker, rank) => worker.ask('prepare', plans[rank])));
    const done = await Promise.all(workers.map((worker, rank) => worker.ask<CeilingResult>('run', plans[rank])));
    const mean = (of: (one: CeilingResult) => number): number => done.reduce((sum, one) => sum + of(one), 0) / members;
    return {
      perSecond: mean(({ transactions, seconds: took }) => transactions / took),
      cpuMicrosPerTransaction: mean(({ transactions, cpuSeconds }) => (cpuSeconds * 1e6) / transactions),
    };
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()));
    await rm(folder, { recursive: true, force: true });
  }
}
