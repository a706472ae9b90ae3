import { styleText } from 'node:util';
import { Command } from 'commander';
import { type MarketDay, marketDay } from '../../homes/market-day.ts';
import { provisionDay } from '../../homes/trading-day.ts';
import { type HomesOptions, readTradingDay, withHomesOptions } from '../homes-options.ts';
import { jsonOption, seedOption } from '../options.ts';
import { kWh, money, print, printJson, printTable } from '../output.ts';

export function marketCommand(): Command {
  const command = new Command('market')
    .description('Compute the market of real homes for a day, without any network, beside other ways to trade.')
    .argument('<file>', 'energy of homes: a published format, or your own CSV with --mapping');
  return withHomesOptions(command)
    .addOption(seedOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Coalitions, trades and bills are the ones that a chain of these homes settles to the unit. Mining fees and rewards are left
out: they depend on the draw, and move money between homes only.

Example:
  wattmesh market households.csv --day 2013-01-15`,
    )
    .action(async (file: string, options: HomesOptions & { json?: boolean }, self: Command) => {
      const { day } = options;
      if (day === undefined) return self.error("error: option '--day <YYYY-MM-DD>' is needed", { exitCode: 2 });
      const trading = await readTradingDay(file, { ...options, day });
      // The genesis' time is no input of the market.
      const network = provisionDay(trading, { slotMs: 60_000, genesisTimeMs: 0 });
      const report = marketDay(trading, network);
      if (options.json) printJson(report);
      else show(report);
    });
}

function show(report: MarketDay): void {
  print(`${report.homes.length} homes on ${report.day}, ${report.slots.length} hourly slots, seed ${report.seed}`);
  for (const remark of report.remarks) print(`note: ${remark}`);
  print();
  printTable(
    [
      { title: 'slot', align: 'right' },
      { title: 'hour' },
      { title: 'made kWh', align: 'right' },
      { title: 'used kWh', align: 'right' },
      { title: 'traded kWh', align: 'right' },
      { title: 'loss saved Wh', align: 'right' },
      { title: 'bill without', align: 'right' },
      { title: 'bill', align: 'right' },
    ],
    [
      ...report.slots.map((slot) => [
        slot.slot,
        slot.hour,
        kWh(slot.producedWh),
        kWh(slot.consumedWh),
        kWh(slot.tradedWh),
        wattHours(slot.lossSavedHalfNanoWh),
        money(slot.withoutTradingMicro, 4),
        money(slot.billMicro, 4),
      ]),
      [
        'all',
        '',
        kWh(sum(report, 'producedWh')),
        kWh(sum(report, 'consumedWh')),
        kWh(report.tradedWh),
        wattHours(report.lossSavedHalfNanoWh),
        money(report.withoutTradingMicro, 4),
        money(report.billMicro, 4),
      ],
    ],
  );
  heading('Bills of the day (currency units; negative: income)');
  printTable(
    [
      { title: 'home' },
      { title: 'without trading', align: 'right' },
      { title: 'with trading', align: 'right' },
      { title: 'better off by', align: 'right' },
      { title: 'proof score kWh', align: 'right' },
    ],
    report.homes.map(({ id, withoutTradingMicro, billMicro, proofScoreWh }) => [
      id,
      money(withoutTradingMicro, 4),
      money(billMicro, 4),
      money(BigInt(withoutTradingMicro) - BigInt(billMicro), 4),
      kWh(proofScoreWh),
    ]),
  );
  heading('Beside other ways to trade (floating point, same homes, losses and prices)');
  const saved = Number(report.lossSavedHalfNanoWh) / 2e12;
  const [nothing] = report.mechanisms;
  const alone = nothing === undefined ? 0 : nothing.bill;
  printTable(
    [
      { title: 'mechanism' },
      { title: 'traded kWh', align: 'right' },
      { title: 'loss saved Wh', align: 'right' },
      { title: 'of the loss %', align: 'right' },
      { title: 'bill of all', align: 'right' },
    ],
    [
      [
        'coalitions (this chain)',
        kWh(report.tradedWh),
        (saved * 1_000).toFixed(1),
        percent(report, saved),
        money(report.billMicro, 4),
      ],
      ...report.mechanisms.map((one) => [
        one.name,
        one.tradedKwh.toFixed(2),
        (one.lossSavedKwh * 1_000).toFixed(1),
        one.savingPercent.toFixed(1),
        one.bill.toFixed(4),
      ]),
    ],
  );
  print(
    `\n${report.tradingSlots} of ${report.slots.length} slots trade; all homes together pay ${money(report.billMicro, 4)} instead of ${alone.toFixed(4)}.`,
  );
}

/** Of the loss without trading, which the other mechanisms give as the ratio of their two figures. */
function percent({ mechanisms }: MarketDay, savedKwh: number): string {
  const known = mechanisms.find(({ lossSavedKwh }) => lossSavedKwh > 0);
  return known === undefined ? '0.0' : ((savedKwh * known.savingPercent) / known.lossSavedKwh).toFixed(1);
}

function sum({ slots }: MarketDay, name: 'producedWh' | 'consumedWh'): bigint {
  return slots.reduce((total, slot) => total + BigInt(slot[name]), 0n);
}

function wattHours(halfNanoWh: string): string {
  return (Number(halfNanoWh) / 2e9).toFixed(1);
}

function heading(text: string): void {
  print(`\n${styleText('bold', text)}`);
}
