import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { CeilingPlan } from './ceiling-program.ts';
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

/** Transactions a second that every one of `members` processes can work off at the same time (mean of their rates: every one must see every transaction). */
export async function runCeiling(options: CeilingOptions): Promise<number> {
  const { members, folder, operations, transactionsPerBlock, seconds } = options;
  const workers = Array.from({ length: members }, (_, rank) => new Worker('./ceiling-program.ts', `ceiling ${rank}`));
  try {
    const plans = workers.map(
      (_, rank): CeilingPlan => ({ folder: join(folder, `${rank}`), operations, transactionsPerBlock, seconds }),
    );
    await Promise.all(plans.map((plan) => mkdir(plan.folder, { recursive: true })));
    await Promise.all(workers.map((worker, rank) => worker.ask('prepare', plans[rank])));
    const done = await Promise.all(
      workers.map((worker, rank) => worker.ask<{ transactions: number; seconds: number }>('run', plans[rank])),
    );
    const rates = done.map((one) => one.transactions / one.seconds);
    return rates.reduce((sum, rate) => sum + rate, 0) / members;
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()));
    await rm(folder, { recursive: true, force: true });
  }
}
