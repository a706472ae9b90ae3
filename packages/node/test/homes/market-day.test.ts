import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodePoegParameters } from '@wattmesh/consensus';
import { billSlot, createMarket, DEFAULT_PRICES, settleSlot, tableLoss } from '@wattmesh/market';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { dataCommand } from '../../src/cli/commands/data.ts';
import { demoCommand } from '../../src/cli/commands/demo.ts';
import { marketCommand } from '../../src/cli/commands/market.ts';
import { readHomes } from '../../src/homes/home-file.ts';
import { type MarketDay, marketDay } from '../../src/homes/market-day.ts';
import { provisionDay, tradingDay } from '../../src/homes/trading-day.ts';
import { hourlyHomesFile, OWN_MAPPING, ownFile } from '../fixtures/home-files.ts';
import { runCommand } from '../fixtures/run-command.ts';

const DAY = '2013-01-15';
let folder: string;
let homesFile: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wattmesh-market-'));
  homesFile = join(folder, 'homes.csv');
  await writeFile(homesFile, hourlyHomesFile(['2013-01-14', DAY]));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function computed(
  bytes: Uint8Array,
  seed: string,
): { report: MarketDay; rates: ReturnType<typeof tableLoss>; homes: ReturnType<typeof tradingDay>['homes'] } {
  const trading = tradingDay(readHomes(bytes).series, { day: DAY, seed });
  const network = provisionDay(trading, { slotMs: 60_000, genesisTimeMs: 0 });
  const { rateEdcPpb, ratePpb } = decodePoegParameters(network.genesis.application.parameters);
  const rates = tableLoss(
    rateEdcPpb.map((rate) => Number(rate) / 1e9),
    ratePpb.map((row) => row.map((rate) => Number(rate) / 1e9)),
  );
  return { report: marketDay(trading, network), rates, homes: trading.homes };
}

describe('the market of a day without a network', () => {
  test('agrees with the floating-point market on the same homes, slot by slot', () => {
    const { report, rates, homes } = computed(readFileSync(homesFile), 'a');
    expect(report.tradingSlots).toBeGreaterThan(3);
    for (const { slot, tradedWh, lossSavedHalfNanoWh, billMicro, withoutTradingMicro } of report.slots) {
      const market = createMarket(
        homes.map(({ household }) => ({
          productionKwh: (household.intervals[slot - 1]?.productionWh ?? 0) / 1_000,
          consumptionKwh: (household.intervals[slot - 1]?.consumptionWh ?? 0) / 1_000,
        })),
        rates,
      );
      const outcome = settleSlot(market);
      const bills = billSlot(market, outcome, DEFAULT_PRICES);
      const total = (items: readonly number[]) => items.reduce((sum, item) => sum + item, 0);
      expect(Number(tradedWh) / 1_000).toBeCloseTo(outcome.energyTradedKwh, 6);
      expect(Number(lossSavedHalfNanoWh) / 2e12).toBeCloseTo(outcome.physicalSavingKwh, 9);
      expect(Number(billMicro) / 1e6).toBeCloseTo(total(bills.bill), 5);
      expect(Number(withoutTradingMicro) / 1e6).toBeCloseTo(total(bills.withoutTrading), 5);
    }
  });

  test('slots and homes add up to the day, and trading costs nobody', () => {
    const { report } = computed(readFileSync(homesFile), 'b');
    const sum = (items: readonly string[]) => String(items.reduce((total, item) => total + BigInt(item), 0n));
    expect(sum(report.slots.map(({ tradedWh }) => tradedWh))).toBe(report.tradedWh);
    expect(sum(report.slots.map(({ billMicro }) => billMicro))).toBe(report.billMicro);
    expect(sum(report.homes.map(({ billMicro }) => billMicro))).toBe(report.billMicro);
    expect(sum(report.homes.map(({ withoutTradingMicro }) => withoutTradingMicro))).toBe(report.withoutTradingMicro);
    for (const home of report.homes)
      expect(BigInt(home.billMicro)).toBeLessThanOrEqual(BigInt(home.withoutTradingMicro));
  });

  test('no mechanism saves more than everybody in one coalition, none less than no trading', () => {
    const { report } = computed(readFileSync(homesFile), 'c');
    const saved = new Map(report.mechanisms.map(({ name, lossSavedKwh }) => [name, lossSavedKwh]));
    const most = saved.get('everybody in one coalition') ?? 0;
    expect(most).toBeGreaterThan(0);
    expect(saved.get('no trading')).toBe(0);
    expect(Number(report.lossSavedHalfNanoWh) / 2e12).toBeLessThanOrEqual(most + 1e-9);
    for (const [, kwh] of saved) expect(kwh).toBeLessThanOrEqual(most + 1e-9);
    const [nothing] = report.mechanisms;
    expect(nothing?.bill).toBeCloseTo(Number(report.withoutTradingMicro) / 1e6, 4);
  });

  test('the command prints it for people and for programs', async () => {
    const people = await runCommand(marketCommand(), homesFile, '--day', DAY, '--seed', 'a');
    for (const words of [
      '3 homes on 2013-01-15',
      'drawn from seed a',
      'Bills of the day',
      'double auction',
      'slots trade',
    ])
      expect(people).toContain(words);
    const json = JSON.parse(await runCommand(marketCommand(), homesFile, '--day', DAY, '--seed', 'a', '--json'));
    expect(json).toEqual(computed(readFileSync(homesFile), 'a').report);
  });
});

test('a network of these homes ends with the same energy, losses and bills, to the unit', {
  timeout: 240_000,
}, async () => {
  const args = ['--data', homesFile, '--day', DAY, '--seed', 'demo', '--slot-ms', '0', '--json'];
  const lines = (await runCommand(demoCommand(), ...args))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const summary = lines.find(({ type }) => type === 'summary');
  const { report } = computed(readFileSync(homesFile), 'demo');
  expect(summary.offline.isEqual).toBe(true);
  expect(summary.homes).toEqual(['5', '13', '50']);
  expect(summary.slots).toBe(24);
  expect(summary.tradingSlots).toBe(report.tradingSlots);
  expect(summary.energyTradedWh).toBe(report.tradedWh);
  expect(summary.lossSavedHalfNanoWh).toBe(report.lossSavedHalfNanoWh);
  report.homes.forEach((home, rank) => {
    const member = summary.members[rank];
    expect(member.withoutTradingMicro).toBe(home.withoutTradingMicro);
    expect(BigInt(member.billMicro) - BigInt(member.feeMicro) + BigInt(member.shareMicro)).toBe(BigInt(home.billMicro));
  });
  const slots = lines.filter(({ type }) => type === 'slot');
  expect(slots.map(({ tradedWh }) => tradedWh)).toEqual(report.slots.map(({ tradedWh }) => tradedWh));
});

test('options that do not go together are refused before anything starts', async () => {
  const quiet = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  try {
    for (const [command, args] of [
      [demoCommand(), ['--data', homesFile]],
      [demoCommand(), ['--day', DAY]],
      [demoCommand(), ['--data', homesFile, '--day', DAY, '--nodes', '3']],
      [demoCommand(), ['--data', homesFile, '--day', 'today']],
      [marketCommand(), [homesFile]],
    ] as const)
      await expect(runCommand(command, ...args)).rejects.toMatchObject({ code: expect.stringMatching(/^commander\./) });
    const unknown = runCommand(demoCommand(), '--data', homesFile, '--day', DAY, '--homes', '5,7');
    await expect(unknown).rejects.toMatchObject({ code: 'HOMES_UNKNOWN_HOME' });
  } finally {
    quiet.mockRestore();
  }
});

describe('eight real homes', () => {
  const beside = fileURLToPath(new URL('../../../../../shared', import.meta.url));
  const file = join(process.env.WATTMESH_SHARED ?? beside, 'data/ausgrid/households8-hourly-2012-2013.csv');

  test('trade in at least seven hours of 2013-01-15', (context) => {
    if (!existsSync(file)) context.skip('no real data beside the repository (set WATTMESH_SHARED)');
    const { report } = computed(readFileSync(file), '1');
    expect([report.homes.length, report.slots.length]).toEqual([8, 24]);
    expect(report.tradingSlots).toBeGreaterThanOrEqual(7);
    // Sums of the file's rows, added up with awk.
    expect(report.slots.reduce((sum, { producedWh }) => sum + Number(producedWh), 0)).toBe(64_557);
    expect(report.slots.reduce((sum, { consumedWh }) => sum + Number(consumedWh), 0)).toBe(89_239);
  });
});

describe('wattmesh data check', () => {
  const check = async (text: string, ...more: readonly string[]): Promise<{ output: string; exitCode: unknown }> => {
    const path = join(folder, 'check.csv');
    await writeFile(path, text);
    const before = process.exitCode;
    try {
      return { output: await runCommand(dataCommand(), 'check', path, ...more), exitCode: process.exitCode };
    } finally {
      process.exitCode = before;
    }
  };

  test('says what a healthy file holds', async () => {
    const { output, exitCode } = await check(hourlyHomesFile([DAY]));
    expect(exitCode).toBeUndefined();
    for (const words of [
      'ausgrid-hourly',
      '24 rows accepted',
      'kWh per hour',
      '2013-01-15 00:00 to 2013-01-16 00:00',
      '13  ',
    ])
      expect(output).toContain(words);
  });

  test('names the line of a row that it refuses, and ends with 1', async () => {
    const lines = hourlyHomesFile([DAY]).split('\n');
    lines[4] = `${lines[4]},7`;
    const { output, exitCode } = await check(lines.join('\n'));
    expect(exitCode).toBe(1);
    expect(output).toMatch(/refused DATA_COLUMN_COUNT at line 5/);
  });

  test('shows the columns of an unknown table, and with a mapping its homes', async () => {
    expect((await check(ownFile(DAY))).output).toMatch(/made\s+number/);
    const mapping = join(folder, 'mapping.json');
    await writeFile(mapping, JSON.stringify(OWN_MAPPING));
    const mapped = await check(ownFile(DAY), '--mapping', mapping);
    expect(mapped.output).toContain('home 50');
    expect(mapped.output).not.toMatch(/made\s+number/);
    const broken = await check(ownFile(DAY).replace('made', 'produced'), '--mapping', mapping, '--json');
    expect(JSON.parse(broken.output).error).toMatchObject({ code: 'DATA_HEADER_MISMATCH', line: 1 });
  });

  test('a binary file is refused by line', async () => {
    const { output, exitCode } = await check('a,b\n\u0000\u0001,2\n');
    expect(exitCode).toBe(1);
    expect(output).toMatch(/at line 2/);
  });
});
