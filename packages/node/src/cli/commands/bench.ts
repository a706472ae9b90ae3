import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { styleText } from 'node:util';
import { Command, InvalidArgumentError } from 'commander';
import type { LoadReport } from '../../bench/accounting.ts';
import { type BenchOptions, benchNodes, type NodesReport } from '../../bench/bench-run.ts';
import { STEPS } from '../../bench/block-split.ts';
import { BenchError } from '../../bench/errors.ts';
import { EtcdCluster, etcdVersion } from '../../bench/etcd-run.ts';
import { commitOf, hostFacts } from '../../bench/host.ts';
import { NOT_SLOWED, type Slowness } from '../../bench/slowness.ts';
import { EXIT } from '../exit.ts';
import { integerBetween, jsonOption, seedOption } from '../options.ts';
import { print, printJson, printTable } from '../output.ts';

interface CommandOptions {
  readonly nodes: readonly number[];
  readonly operations: number;
  readonly lowRate: number;
  readonly lowSeconds: number;
  readonly rates: readonly number[] | null;
  readonly throughput: boolean;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly slotMs: number;
  readonly slow: ReadonlyMap<number, Slowness>;
  readonly etcd?: string;
  readonly etcdRates: readonly number[];
  readonly out?: string;
  readonly profile?: string;
  readonly seed: string;
  readonly json?: boolean;
}

interface EtcdReport {
  /** Null when there is none on this machine; `skipped` says so. */
  readonly version: string | null;
  readonly skipped: string | null;
  readonly members: number;
  readonly payloadBytes: number;
  readonly low: LoadReport | null;
  readonly trials: readonly { readonly offeredPerSecond: number; readonly load: LoadReport }[];
}

const STEP_WORDS = { fsync: 'fsyncMs', verify: 'verifyMs', sign: 'signMs' } as const;

export function benchCommand(): Command {
  return new Command('bench')
    .description('Measure latency and throughput of networks of peers on this machine, beside a floor and a ceiling.')
    .option('--nodes <list>', 'sizes of the networks, such as 4,7,10', list(1, 64), [4])
    .option('--operations <k>', 'transactions under one signature', integerBetween(1, 256), 1)
    .option('--low-rate <n>', 'batches a second for the latency at low load', integerBetween(1, 1_000), 10)
    .option('--low-seconds <n>', 'how long the latency is measured', integerBetween(1, 3_600), 20)
    .option(
      '--rates <list>',
      'offered transactions a second; without it, search for the highest that is carried',
      list(1, 1_000_000),
      null,
    )
    .option('--no-throughput', 'measure the latency only')
    .option('--seconds <n>', 'length of each throughput measurement', integerBetween(1, 3_600), 8)
    .option(
      '--warm-up-seconds <n>',
      'what is offered before each measurement and not counted',
      integerBetween(0, 600),
      3,
    )
    .option(
      '--slot-ms <ms>',
      'shortest slot, to measure closing and settlement blocks too; 0 makes none',
      integerBetween(0, 600_000),
      0,
    )
    .option(
      '--slow <peer:step:ms>',
      'slow a peer on purpose in fsync, verify or sign, such as p01:fsync:20; may be repeated',
      slow,
      new Map(),
    )
    .option('--etcd [binary]', 'measure etcd (3 members) under the same load as well')
    .option('--etcd-rates <list>', 'puts a second to offer etcd, besides the low rate', list(1, 1_000_000), [])
    .option('--profile <folder>', 'leave a CPU profile of each process in this folder')
    .option('--out <file>', 'write the whole result as JSON')
    .addOption(seedOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Every network, the floor (the same message steps over raw TCP, with the same fsyncs and signatures) and the ceiling
(decoding, hashing, verifying and storing, without a network) run with the same number of processes, the last two before
and after the network. Compare what stands in one row: figures of different machines, or of a busy and a quiet one, do
not compare.

A transaction counts when its block is on the disk of every peer; latency counts from the time at which it should have
been sent. A run whose load was not offered in time says "unknown".

Examples:
  wattmesh bench --nodes 4,10
  wattmesh bench --nodes 4 --operations 10 --rates 2000,4000 --out bench.json
  wattmesh bench --nodes 4 --no-throughput --slow p02:fsync:20`,
    )
    .action(async (options: CommandOptions) => {
      const stop = new AbortController();
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort(signal));
      const folder = await mkdtemp(join(tmpdir(), 'wattmesh-bench-'));
      try {
        await bench(options, folder, stop.signal);
      } catch (error) {
        if (!stop.signal.aborted) throw error;
        if (!options.json) print('stopped; nothing is left running');
        process.exitCode = EXIT.interrupted;
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
}

async function bench(options: CommandOptions, folder: string, signal: AbortSignal): Promise<void> {
  const { json, nodes, slow: slowness, seed, operations } = options;
  const smallest = Math.min(...nodes);
  for (const rank of slowness.keys())
    if (rank >= smallest)
      throw new BenchError(
        'BENCH_INVALID_OPTION',
        `--slow names peer ${rank + 1}, but a network has ${smallest} peers`,
      );
  const host = hostFacts();
  const commit = await commitOf(import.meta.dirname);
  // Settings, but no folders or files of this machine.
  const { out: _, profile: __, etcd: binary, ...settings } = options;
  const config = { ...settings, slow: Object.fromEntries(slowness), etcd: binary !== undefined };
  const run: BenchOptions = {
    seed,
    operations,
    lowRate: options.lowRate,
    lowSeconds: options.lowSeconds,
    rates: options.throughput ? (options.rates ?? []) : null,
    seconds: options.seconds,
    warmUpSeconds: options.warmUpSeconds,
    slotMs: options.slotMs,
    slowness,
    folder,
    ...(options.profile === undefined ? {} : { profile: options.profile }),
    onProgress: (text) => {
      if (!json) process.stderr.write(`${text}\n`);
    },
    signal,
  };
  if (json) printJson({ type: 'start', host, commit, config });
  else
    print(
      `${host.cpu}, ${host.cores} cores, ${host.system}, Node ${host.node}; commit ${commit ?? 'unknown'}; load before the run ${host.loadBefore}\n`,
    );
  const reports: NodesReport[] = [];
  for (const n of nodes) {
    const report = await benchNodes(n, run);
    reports.push(report);
    if (json) printJson({ type: 'network', ...report });
  }
  const etcd = options.etcd === undefined ? null : await benchEtcd(options, reports[0], folder, signal);
  if (etcd !== null && json) printJson({ type: 'etcd', ...etcd });
  const result = { format: 1, createdMs: Date.now(), seed, commit, host, config, networks: reports, etcd };
  if (options.out !== undefined) await writeFile(options.out, `${JSON.stringify(result, null, 1)}\n`);
  if (!json) show(reports, etcd);
}

async function benchEtcd(
  options: CommandOptions,
  beside: NodesReport | undefined,
  folder: string,
  signal: AbortSignal,
): Promise<EtcdReport> {
  const { operations, lowRate, lowSeconds, warmUpSeconds, seconds, etcdRates } = options;
  const binary = typeof options.etcd === 'string' ? options.etcd : 'etcd';
  // The length of a signed batch: chain, sender, nonce, count, operations, signature.
  const payloadBytes = 141 + 43 * operations;
  const version = etcdVersion(binary);
  const report = { version, members: 3, payloadBytes };
  if (version === null)
    return { ...report, skipped: `${binary} cannot be run; install etcd-server`, low: null, trials: [] };
  signal.throwIfAborted();
  const etcd = await EtcdCluster.start(binary, join(folder, 'etcd'));
  try {
    const base = { operations, payloadBytes, warmUpSeconds };
    const low = await etcd.run({ ...base, batchesPerSecond: lowRate, seconds: lowSeconds });
    const trials: { offeredPerSecond: number; load: LoadReport }[] = [];
    const rates =
      etcdRates.length > 0 ? etcdRates : beside?.sustained ? [beside.sustained.offeredPerSecond / operations] : [];
    for (const batchesPerSecond of rates) {
      signal.throwIfAborted();
      const load = await etcd.run({ ...base, batchesPerSecond, seconds });
      trials.push({ offeredPerSecond: batchesPerSecond * operations, load });
    }
    return { ...report, skipped: null, low, trials };
  } finally {
    await etcd.stop();
  }
}

function show(reports: readonly NodesReport[], etcd: EtcdReport | null): void {
  const ms = (value: number | null | undefined): string =>
    value === null || value === undefined ? '-' : value.toFixed(1);
  const ratio = (value: number | null): string => (value === null ? 'unknown' : value.toFixed(2));
  const right = (title: string) => ({ title, align: 'right' as const });
  print(styleText('bold', 'Low load: block latency (composed until on every disk) and transactions, in ms'));
  printTable(
    ['peers', 'p50', 'p95', 'p99', 'max', 'floor p50', 'x floor', 'tx p50', 'tx p99', 'blocks'].map(right),
    reports.map(({ nodes, low, floorMs, latencyOverFloor }) => [
      nodes,
      ms(low.blockMs?.p50),
      ms(low.blockMs?.p95),
      ms(low.blockMs?.p99),
      ms(low.blockMs?.max),
      ms(floorMs?.p50),
      ratio(latencyOverFloor),
      ms(low.load.submittedToCommittedMs?.p50),
      ms(low.load.submittedToCommittedMs?.p99),
      low.blocks,
    ]),
  );
  print(
    `\n${styleText('bold', 'Where the time of a block goes')} (mean ms at low load, along the path that decided it)`,
  );
  printTable(
    ['peers', ...STEPS, 'sum', 'of blocks'].map(right),
    reports.map(({ nodes, low }) => [
      nodes,
      ...STEPS.map((step) => ms(low.splitMs?.[step])),
      ms(low.splitMs === null ? null : STEPS.reduce((sum, step) => sum + (low.splitMs?.[step] ?? 0), 0)),
      `${low.splitBlocks}/${low.blocks}`,
    ]),
  );
  print(`\n${styleText('bold', 'Each peer at low load')} (means of its own ports)`);
  printTable(
    [
      'peers',
      'peer',
      'sign ms',
      'verify ms',
      'fsync ms',
      'cpu %',
      'RSS MB',
      'PSS MB',
      'loop p99 ms',
      'msgs out',
      'KB out',
    ].map(right),
    reports.flatMap(({ nodes, low }) =>
      low.peers.map((peer) => [
        nodes,
        `p${String(peer.rank + 1).padStart(2, '0')}`,
        peer.signMs.toFixed(3),
        peer.verifyMs.toFixed(3),
        ms(peer.fsyncMs),
        peer.cpuPercent.toFixed(0),
        peer.rssMb.toFixed(0),
        peer.pssMb?.toFixed(0) ?? '-',
        ms(peer.loopDelayMs.p99),
        peer.messagesOut,
        (peer.bytesOut / 1e3).toFixed(0),
      ]),
    ),
  );
  if (reports.some(({ verdict }) => verdict !== 'not measured')) {
    print(`\n${styleText('bold', 'Throughput')} (transactions a second that were on every disk)`);
    printTable(
      [
        'peers',
        'verdict',
        'tx/s',
        'ceiling',
        'share',
        'peak tx/s',
        'CPU µs/tx',
        'ceiling µs',
        'tx p50 ms',
        'tx p99 ms',
        'tx/block',
        'max RSS MB',
        'max PSS MB',
      ].map(right),
      reports.map((report) => [
        report.nodes,
        report.verdict,
        report.sustained?.load.committedPerSecond.toFixed(0) ?? '-',
        report.ceilingPerSecond.toFixed(0),
        ratio(report.throughputOverCeiling),
        report.peakPerSecond?.toFixed(0) ?? '-',
        report.sustained?.cpuMicrosPerTransaction?.toFixed(0) ?? '-',
        report.ceilingCpuMicrosPerTransaction.toFixed(0),
        ms(report.sustained?.load.submittedToCommittedMs?.p50),
        ms(report.sustained?.load.submittedToCommittedMs?.p99),
        report.sustained?.transactionsPerBlock?.p50.toFixed(0) ?? '-',
        report.maxRssMb.toFixed(0),
        report.maxPssMb?.toFixed(0) ?? '-',
      ]),
    );
    print(`\n${styleText('bold', 'Every rate that was offered')}`);
    printTable(
      [
        ...['peers', 'offered', 'committed', 'refused', 'lost', 'tx p50 ms', 'tx p99 ms'].map(right),
        { title: 'verdict' },
      ],
      reports.flatMap(({ nodes, trials }) => trials.map(({ load }) => [nodes, ...loadCells(load)])),
    );
  }
  if (etcd === null) return;
  print(
    `\n${styleText('bold', `etcd ${etcd.version ?? ''}`)}, ${etcd.members} members, ${etcd.payloadBytes} bytes a put`,
  );
  if (etcd.skipped !== null) {
    print(`skipped: ${etcd.skipped}`);
    return;
  }
  printTable(
    [...['offered', 'committed', 'refused', 'lost', 'p50 ms', 'p99 ms'].map(right), { title: 'verdict' }],
    [...(etcd.low === null ? [] : [etcd.low]), ...etcd.trials.map(({ load }) => load)].map(loadCells),
  );
}

function loadCells(load: LoadReport): (string | number)[] {
  const { offeredPerSecond, committedPerSecond, batches, submittedToCommittedMs, verdict, reason } = load;
  return [
    offeredPerSecond.toFixed(0),
    committedPerSecond.toFixed(0),
    batches.refused,
    batches.lost,
    submittedToCommittedMs?.p50.toFixed(1) ?? '-',
    submittedToCommittedMs?.p99.toFixed(1) ?? '-',
    reason === null ? verdict : `${verdict}: ${reason}`,
  ];
}

function list(min: number, max: number): (text: string) => readonly number[] {
  const one = integerBetween(min, max);
  return (text) => text.split(',').map(one);
}

/** `p02:fsync:20`, or `2:fsync:20`. */
function slow(text: string, before: ReadonlyMap<number, Slowness>): ReadonlyMap<number, Slowness> {
  const [, peer, step, ms] = /^p?0*(\d+):(fsync|verify|sign):(\d+(?:\.\d+)?)$/.exec(text) ?? [];
  if (peer === undefined || Number(peer) === 0 || step === undefined)
    throw new InvalidArgumentError(
      'Give peer, step and milliseconds, such as p02:fsync:20; steps are fsync, verify, sign.',
    );
  const rank = Number(peer) - 1;
  const name = STEP_WORDS[step as keyof typeof STEP_WORDS];
  return new Map(before).set(rank, { ...(before.get(rank) ?? NOT_SLOWED), [name]: Number(ms) });
}
