import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { styleText } from 'node:util';
import { Command, Option } from 'commander';
import { provisionSynthetic } from '../../cluster/create-run.ts';
import { type DayReport, runDay, type SlotReport } from '../../cluster/day-run.ts';
import { ClusterError } from '../../cluster/errors.ts';
import { provisionDay, type TradingDay } from '../../homes/trading-day.ts';
import type { ProvisionedNetwork } from '../../provision/network.ts';
import { writeRunFolder } from '../../provision/run-folder.ts';
import { EXIT } from '../exit.ts';
import { type HomesOptions, readTradingDay, withHomesOptions } from '../homes-options.ts';
import { integerBetween, jsonOption, presetOption, protocolOption, ruleOption, seedOption } from '../options.ts';
import { kWh, money, print, printJson, printTable, Table } from '../output.ts';
import { demoEvs, type EvDemoOptions } from './demo-evs.ts';

interface DemoOptions extends HomesOptions, EvDemoOptions {
  readonly protocol: 'poeg' | 'posoc';
  readonly nodes: number;
  readonly slots: number;
  readonly slotMs: number;
  readonly data?: string;
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
  const command = new Command('demo')
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
    .addOption(
      new Option('--data <file>', 'trade a day of real homes instead, one prosumer a home').conflicts('nodes'),
    );
  return withHomesOptions(command)
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
  wattmesh demo --data households.csv --day 2013-01-15 --slot-ms 0
  wattmesh demo --protocol posoc --nodes 4 --days 2 --rounds-per-day 2`,
    )
    .action(async (given: DemoOptions, self: Command) => {
      if ((given.data === undefined) !== (given.day === undefined))
        self.error('error: --data and --day belong together', { exitCode: 2 });
      if (given.data !== undefined && given.protocol === 'posoc')
        self.error('error: --data is for prosumers: EVs have no homes; leave it out, or leave out --protocol posoc', {
          exitCode: 2,
        });
      const { data, day } = given;
      const trading = data === undefined || day === undefined ? null : await readTradingDay(data, { ...given, day });
      const options =
        trading === null
          ? given
          : {
              ...given,
              nodes: trading.homes.length,
              slots: self.getOptionValueSource('slots') === 'default' ? trading.hours.length : given.slots,
            };
      const stop = new AbortController();
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort(signal));
      const folder = options.run ?? (await mkdtemp(join(tmpdir(), 'wattmesh-demo-')));
      let isKept = options.run !== undefined;
      try {
        if (options.protocol === 'posoc')
          await demoEvs({ ...options, slotMs: options.slotMs ?? 0 }, folder, stop.signal);
        else await demo({ ...options, slotMs: options.slotMs ?? 1_000 }, trading, folder, stop.signal);
      } catch (error) {
        if (!stop.signal.aborted) {
          isKept = true;
          process.stderr.write(`the chains and logs of this run are kept in ${folder}\n`);
          throw error;
        }
        if (!options.json) print('\nstopped; no peer is left running');
        process.exitCode = EXIT.interrupted;
      } finally {
        if (!isKept) await rm(folder, { recursive: true, force: true });
      }
    });
}

async function demo(
  options: DemoOptions,
  trading: TradingDay | null,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const { nodes, slots, slotMs, seed, json } = options;
  const nowMs = Date.now();
  const network =
    trading === null
      ? provisionSynthetic({ nodes, seed, clock: 'ready', slotMs: 60_000, genesisTimeMs: nowMs })
      : provisionDay(trading, { slotMs: 60_000, genesisTimeMs: nowMs });
  const timing = { slotPaceMs: slotMs, readyTimeoutMs: slotMs + 10_000 };
  const run = await writeRunFolder(folder, network, { seed, createdMs: nowMs, timing });
  const table = new Table(SLOT_COLUMNS);
  if (!json) {
    print(
      `${nodes} prosumers, ${slots} hourly slots, seed ${seed}, quorum ${network.genesis.quorum}, chain ${network.chainId.slice(0, 12)}`,
    );
    if (trading !== null) introduce(trading, network);
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
    onSlot: (slot) => (json ? printJson({ type: 'slot', ...slot }) : print(table.row(slotCells(slot, trading)))),
  });
  const homes = trading === null ? {} : { homes: trading.homes.map(({ id }) => id), remarks: trading.remarks };
  if (json) printJson({ type: 'summary', seed, chainId: network.chainId, ...homes, ...report });
  else summarise(report, nodes);
  if (!report.offline.isEqual)
    throw new ClusterError(
      'RUN_DIVERGED',
      'the network and the offline computation disagree; report the seed and the chains',
    );
}

/** Who is who, and what was assumed about the data. */
function introduce({ day, homes, remarks }: TradingDay, { members }: ProvisionedNetwork): void {
  print(`homes of ${day}: ${members.map(({ name, rank }) => `${name} is home ${homes[rank]?.id}`).join(', ')}`);
  for (const remark of remarks) print(`note: ${remark}`);
}

function slotCells(slot: SlotReport, trading: TradingDay | null): (string | number)[] {
  const hours = trading?.hours;
  return [
    slot.slot,
    hours?.[(slot.slot - 1) % hours.length] ?? `${String((slot.slot - 1) % 24).padStart(2, '0')}:00`,
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
