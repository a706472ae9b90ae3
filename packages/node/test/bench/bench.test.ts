import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runCeiling, runFloor } from '../../src/bench/baseline-run.ts';
import { STEPS } from '../../src/bench/block-split.ts';
import { EtcdCluster, etcdVersion } from '../../src/bench/etcd-run.ts';
import {
  allConnected,
  assertOneChain,
  BenchNetwork,
  type LoadRun,
  type NetworkOptions,
} from '../../src/bench/network-run.ts';
import type { TraceEvent } from '../../src/bench/tracer.ts';
import { Worker } from '../../src/bench/worker.ts';
import { benchCommand } from '../../src/cli/commands/bench.ts';
import { codeOf as exitCodeName } from '../../src/cli/exit.ts';
import { runCommand } from '../fixtures/run-command.ts';

const codeOf = (work: Promise<unknown>): Promise<string | null> =>
  work.then(
    () => null,
    (error) => exitCodeName(error),
  );

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wattmesh-bench-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** With two peers each of them is in every quorum, so what slows one of them slows every block. */
async function measured(options: Partial<NetworkOptions>, batchesPerSecond = 10, seconds = 2): Promise<LoadRun> {
  const network = await BenchNetwork.start({
    nodes: 2,
    seed: 'bench',
    folder: join(folder, 'network'),
    slotMs: 0,
    ...options,
  });
  try {
    return await network.run({ batchesPerSecond, operations: 3, warmUpSeconds: 1, seconds, drainSeconds: 20 });
  } finally {
    await network.stop();
  }
}

const meanOf = (run: LoadRun, step: (typeof STEPS)[number]): number => {
  const split = run.blocks.flatMap(({ splitMs }) => splitMs ?? []);
  expect(split.length).toBeGreaterThan(0);
  return split.reduce((sum, block) => sum + block[step], 0) / split.length;
};

describe('a measured network', () => {
  test('commits what it was offered, counted from its disks, and splits its blocks without a rest', async () => {
    const run = await measured({});
    expect(run.load.batches).toMatchObject({ offered: 20, sent: 20, refused: 0, lost: 0 });
    expect(run.isDrained).toBe(true);
    expect(run.transactions).toBe(90);
    for (const { splitMs, totalMs } of run.blocks)
      if (splitMs !== null) expect(STEPS.reduce((sum, step) => sum + splitMs[step], 0)).toBeCloseTo(totalMs, 3);
    for (const { usage, traffic, totals } of run.peers) {
      expect(usage.cpuSeconds).toBeGreaterThan(0);
      expect(usage.rssMb).toBeGreaterThan(20);
      if (process.platform === 'linux') expect(usage.pssMb).toBeGreaterThan(20);
      else expect(usage.pssMb).toBeNull();
      expect(traffic.messagesOut).toBeGreaterThan(0);
      expect(totals.signed).toBeGreaterThan(0);
    }
  });

  // Whatever else happens on the machine, a step cannot take less than what it is slowed by.
  test('shows what a peer is slowed by in the step where it is slow, and which peer it is', async () => {
    const run = await measured(
      {
        slowness: new Map([
          [0, { fsyncMs: 0, verifyMs: 30, signMs: 25 }],
          [1, { fsyncMs: 40, verifyMs: 0, signMs: 25 }],
        ]),
      },
      2,
    );
    // Two votes wait for the slow disk, or the proposal and the votes that its peer collected do.
    expect(meanOf(run, 'fsync')).toBeGreaterThanOrEqual(2 * 39);
    // As a voter it checks the proposal and the bundle, as the composer it checks two votes that it counts.
    expect(meanOf(run, 'verify') + meanOf(run, 'vote')).toBeGreaterThanOrEqual(2 * 30);
    // Proposal and prevote, the other's prevote, then a precommit each.
    expect(meanOf(run, 'sign')).toBeGreaterThanOrEqual(5 * 25);
    const [first, second] = run.peers.map(({ totals }) => totals);
    expect((second?.writeMs ?? 0) / (second?.writes ?? 1)).toBeGreaterThanOrEqual(39);
    expect((first?.verifyMs ?? 0) / (first?.verified ?? 1)).toBeGreaterThanOrEqual(30);
    expect((second?.verifyMs ?? 0) / (second?.verified ?? 1)).toBeLessThan(30);
  });
});

describe('peers of a measured network', () => {
  const committed = (height: number, blockHash: string): TraceEvent => ({
    e: 'handle',
    startMs: 0,
    endMs: 1,
    signMs: 0,
    verifyMs: 0,
    message: null,
    height: null,
    sender: null,
    composed: null,
    committed: [{ height, blockHash, round: 0, viaSync: false, transactions: 1 }],
  });

  test('that hold different blocks at a height end the measurement', async () => {
    const agree = [[committed(1, 'a'), committed(2, 'b')], [committed(1, 'a')]];
    expect(() => assertOneChain(agree)).not.toThrow();
    const differ = async () => assertOneChain([...agree, [committed(2, 'c')]]);
    expect(await codeOf(differ())).toBe('BENCH_DIVERGED');
  });

  test('that do not find each other are no network', async () => {
    let asked = 0;
    const states = async () => {
      asked += 1;
      return [{ connected: 2 }, { connected: 2 }, { connected: asked < 3 ? 1 : 2 }];
    };
    await allConnected(states, 60_000);
    expect(asked).toBe(3);
    expect(await codeOf(allConnected(async () => [{ connected: 1 }, { connected: 0 }], -1))).toBe('BENCH_NO_NETWORK');
  });
});

test('a peer that is not there cannot be slowed', async () => {
  const run = runCommand(benchCommand(), '--nodes', '4,2', '--slow', 'p03:fsync:5', '--json');
  expect(await codeOf(run)).toBe('BENCH_INVALID_OPTION');
});

test('the floor takes every step, and the ceiling gets through its blocks', async () => {
  const floor = await runFloor({
    members: 3,
    quorum: 3,
    folder: join(folder, 'floor'),
    rounds: 5,
    perSecond: 20,
    payloadBytes: 1_000,
  });
  expect(floor).toHaveLength(5);
  expect(Math.min(...floor)).toBeGreaterThan(0);
  const ceiling = await runCeiling({
    members: 2,
    folder: join(folder, 'ceiling'),
    operations: 10,
    transactionsPerBlock: 100,
    seconds: 0.2,
  });
  expect(ceiling.perSecond).toBeGreaterThan(0);
  expect(ceiling.cpuMicrosPerTransaction).toBeGreaterThan(0);
});

test('a program that cannot do what it is told is an error with a code', async () => {
  const worker = new Worker('./peer-program.ts', 'p01');
  try {
    const start = worker.ask('start', { configFile: join(folder, 'missing.json'), slowness: null });
    expect(await codeOf(start)).toBe('BENCH_WORKER_FAILED');
  } finally {
    await worker.stop();
  }
  expect(await codeOf(worker.ask('state'))).toBe('BENCH_WORKER_FAILED');
});

test('an etcd that is not there is no etcd', async () => {
  const missing = join(folder, 'etcd');
  expect(etcdVersion(missing)).toBeNull();
  expect(await codeOf(EtcdCluster.start(missing, join(folder, 'data')))).toBe('BENCH_WORKER_FAILED');
});
