import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { styleText } from 'node:util';
import { Command } from 'commander';
import { provisionSynthetic } from '../../cluster/create-run.ts';
import { type DayReport, runDay, type SlotReport } from '../../cluster/day-run.ts';
import { ClusterError } from '../../cluster/errors.ts';
import { writeRunFolder } from '../../provision/run-folder.ts';
import { EXIT } from '../exit.ts';
import { integerBetween, jsonOption, presetOption, protocolOption, ruleOption, seedOption } from '../options.ts';
import { kWh, money, print, printJson, printTable, Table } from '../output.ts';
import { demoEvs, type EvDemoOptions } from './demo-evs.ts';

interface DemoOptions extends EvDemoOptions {
  readonly protocol: 'poeg' | 'posoc';
  readonly nodes: number;
  readonly slots: number;
  readonly slotMs: number;
  readonly seed: string;
  readonly run?: string;
  readonly json?: boolean;
}

const SLOT_COLUMNS = [
  { title: 'slot', align: 'right', width: 4 },
  { title: 'hour', width: 5 },
  { title: 'miner', width: 5 },
  { title: 'why it was drawn', width: 44 },
  { title: 'coalitions', align: 'right' },
  { title: 'traded kWh', align: 'right' },
  { title: 'loss saved Wh', align: 'right' },
  { title: 'block ms', align: 'right' },
] as const;

export function demoCommand(): Command {
  return new Command('demo')
    .description('Ten prosumers (or EVs), each a process with its own chain, trade energy, elect who mines, and go.')
    .addOption(protocolOption())
    .option('--nodes <n>', 'how many prosumers or EVs', integerBetween(2, 64), 10)
    .option('--slots <n>', 'poeg: how many hourly slots to trade', integerBetween(1, 1_000), 24)
    .option('--days <n>', 'posoc: how many days to trade and learn', integerBetween(1, 1_000), 3)
    .option('--rounds-per-day <n>', 'posoc: learning rounds at the end of each day', integerBetween(1, 200), 8)
    .addOption(presetOption())
    .addOption(ruleOption())
    .option(
      '--poisoned <n>',
      'posoc: EVs that send updates of the wrong sign, three times as large',
      integerBetween(0, 32),
      0,
    )
    .option('--selfish <n>', 'posoc: EVs that pay no share of the reward before the last day', integerBetween(0, 32), 1)
    .option(
      '--evaluation-days <n>',
      'posoc: days on which the model is measured for each group',
      integerBetween(10, 10_000),
      200,
    )
    .option(
      '--slot-ms <ms>',
      'shortest real length of a slot; 0 runs at full speed (default: 1000, posoc 0)',
      integerBetween(0, 600_000),
    )
    .option('--run <folder>', 'keep the run in this (new) folder; without it the run is removed at the end')
    .addOption(seedOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
The table shows, for each hour: who mined and its chance in the draw, how many coalitions traded, what they traded and
what loss that saved against trading with the distribution company alone, and how long the block took from its
composition until it was on the disk of every peer. At the end the totals are compared with the same market computed
without any network.

With --protocol posoc it shows, for each hour: the actions of the EVs, what they traded without the grid, price and scores;
for each day: who aggregated and why, how good the learned policy is against the optimum in hindsight, the model's hash
and the profits. At the end: what the EVs earned, how much energy went from EV to EV or to the building, and whether
learning has made any vote late.

Examples:
  wattmesh demo --nodes 4 --slots 8 --slot-ms 0 --seed 7
  wattmesh demo --protocol posoc --nodes 4 --days 2 --rounds-per-day 2`,
    )
    .action(async (options: DemoOptions) => {
      const stop = new AbortController();
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort(signal));
      const folder = options.run ?? (await mkdtemp(join(tmpdir(), 'wattmesh-demo-')));
      try {
        if (options.protocol === 'posoc')
          await demoEvs({ ...options, slotMs: options.slotMs ?? 0 }, folder, stop.signal);
        else await demo({ ...options, slotMs: options.slotMs ?? 1_000 }, folder, stop.signal);
      } catch (error) {
        if (!stop.signal.aborted) throw error;
        if (!options.json) print('\nstopped; no peer is left running');
        process.exitCode = EXIT.interrupted;
      } finally {
        if (options.run === undefined) await rm(folder, { recursive: true, force: true });
      }
    });
}

async function demo(options: DemoOptions, folder: string, signal: AbortSignal): Promise<void> {
  const { nodes, slots, slotMs, seed, json } = options;
  const nowMs = Date.now();
  const network = provisionSynthetic({ nodes, seed, clock: 'ready', slotMs: 60_000, genesisTimeMs: nowMs });
  const timing = { slotPaceMs: slotMs, readyTimeoutMs: slotMs + 10_000 };
  const run = await writeRunFolder(folder, network, { seed, createdMs: nowMs, timing });
  const table = new Table(SLOT_COLUMNS);
  if (!json) {
    print(
      `${nodes} prosumers, ${slots} hourly slots, seed ${seed}, quorum ${network.genesis.quorum}, chain ${network.chainId.slice(0, 12)}`,
    );
    print('starting the peers ...');
  }
  let up = 0;
  const report = await runDay({
    folder,
    run,
    network,
    slots,
    signal,
    onPeer: (name, apiUrl) => {
      up += 1;
      if (json) printJson({ type: 'peer', name, apiUrl });
      else if (up === nodes) print(`all ${nodes} are up\n\n${table.header()}`);
    },
    onSlot: (slot) => (json ? printJson({ type: 'slot', ...slot }) : print(table.row(slotCells(slot)))),
  });
  if (json) printJson({ type: 'summary', seed, chainId: network.chainId, ...report });
  else summarise(report, nodes);
  if (!report.offline.isEqual)
    throw new ClusterError(
      'RUN_DIVERGED',
      'the network and the offline computation disagree; run again with --run to keep the chains, and report the seed',
    );
}

function slotCells(slot: SlotReport): (string | number)[] {
  return [
    slot.slot,
    `${String((slot.slot - 1) % 24).padStart(2, '0')}:00`,
    slot.miner,
    why(slot),
    slot.coalitions,
    kWh(slot.tradedWh),
    (Number(slot.lossSavedHalfNanoWh) / 2e9).toFixed(1),
    slot.latencyMs ?? '-',
  ];
}

function why({ slot, drawn, round, miner }: SlotReport): string {
  const late = round === 0 ? '' : `, in round ${round}`;
  if (drawn === null) return `next in the list, without a coalition${late}`;
  if (drawn.sharePercent === 0) return `no score left to draw: all were equally likely${late}`;
  if (slot === 1) return `highest score of the first announcements${late}`;
  const others = drawn.members.filter((name) => name !== miner).length;
  const whom = others === 0 ? 'alone' : `best of a coalition of ${others + 1}`;
  return `${whom}, ${drawn.sharePercent.toFixed(1)} % of the weight${late}`;
}

function summarise(report: DayReport, nodes: number): void {
  print(`\n${styleText('bold', 'Bills of the day')} (currency units; negative: income)`);
  printTable(
    [
      { title: 'prosumer' },
      { title: 'without trading', align: 'right' },
      { title: 'with trading', align: 'right' },
      { title: 'better off by', align: 'right' },
      { title: 'fees', align: 'right' },
      { title: 'rewards', align: 'right' },
      { title: 'mined', align: 'right' },
      { title: 'expected', align: 'right' },
    ],
    [
      ...report.members.map((member) => [
        member.name,
        money(member.withoutTradingMicro),
        money(member.billMicro),
        money(BigInt(member.withoutTradingMicro) - BigInt(member.billMicro)),
        money(member.feeMicro),
        money(member.shareMicro),
        member.mined,
        member.expectedMined.toFixed(1),
      ]),
      [
        'all',
        money(total(report, 'withoutTradingMicro')),
        money(total(report, 'billMicro')),
        money(total(report, 'withoutTradingMicro') - total(report, 'billMicro')),
        money(total(report, 'feeMicro')),
        money(total(report, 'shareMicro')),
        report.members.reduce((sum, { mined }) => sum + mined, 0),
        '',
      ],
    ],
  );
  const { latencyMs } = report;
  print(`
${kWh(report.energyTradedWh)} kWh traded inside coalitions in ${report.tradingSlots} of ${report.slots} slots; ${(Number(report.lossSavedHalfNanoWh) / 2e12).toFixed(3)} kWh of line loss saved.
The same market computed offline: ${kWh(report.offline.energyTradedWh)} kWh and ${(Number(report.offline.lossSavedHalfNanoWh) / 2e12).toFixed(3)} kWh: ${report.offline.isEqual ? 'equal to the unit' : 'NOT EQUAL'}.
${latencyMs === null ? '' : `Settlement blocks took ${latencyMs.p50} ms (median) and ${latencyMs.max} ms at most to be on every disk.\n`}All ${nodes} chains hold block ${report.headHash.slice(0, 16)} at height ${report.height}, state ${report.stateRoot.slice(0, 16)}.`);
}

function total(report: DayReport, name: 'withoutTradingMicro' | 'billMicro' | 'feeMicro' | 'shareMicro'): bigint {
  return report.members.reduce((sum, member) => sum + BigInt(member[name]), 0n);
}
