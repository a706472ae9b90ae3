import { type DataError, describe, type FileDescription, totalWh } from '@wattmesh/data';
import { Command } from 'commander';
import { readDataFile, readHomes } from '../../homes/home-file.ts';
import { readMapping } from '../../homes/mapping.ts';
import { EXIT } from '../exit.ts';
import { integerBetween, jsonOption } from '../options.ts';
import { kWh, print, printJson, printTable } from '../output.ts';

interface CheckOptions {
  readonly mapping?: string;
  readonly lines: number;
  readonly json?: boolean;
}

export function dataCommand(): Command {
  const data = new Command('data').description('Say what is in a data file.');
  data.addCommand(
    new Command('check')
      .description(
        'Recognise a file and read all of it: span, unit, homes, gaps, clock changes, and each row that is refused, by line.',
      )
      .argument(
        '<file>',
        'homes (Ausgrid formats, load shapes), ACN sessions, Ontario prices, OEB rates, a MATPOWER case, any table',
      )
      .option('--mapping <file>', 'what the columns of your own CSV mean (JSON; docs/data.md)')
      .option('--lines <n>', 'how many refused rows to list', integerBetween(0, 1_000), 10)
      .addOption(jsonOption())
      .addHelpText(
        'after',
        `
Ends with 1 when a row is refused or the file cannot be read, so that it can stand before other commands.

Example:
  wattmesh data check households.csv`,
      )
      .exitOverride()
      .action(async (file: string, options: CheckOptions) => {
        const bytes = await readDataFile(file);
        const found = options.mapping === undefined ? describe(bytes) : await described(bytes, options.mapping);
        if (options.json) printJson({ file, ...found });
        else show(file, found, options.lines);
        if (found.error !== null || found.refusedCount > 0) process.exitCode = EXIT.failed;
      }),
  );
  return data;
}

/** A table of one's own, read as the mapping says. */
async function described(bytes: Uint8Array, mappingFile: string): Promise<FileDescription> {
  const mapping = await readMapping(mappingFile);
  const description = describe(bytes);
  try {
    const { series, rows, refused, refusedCount, warnings } = readHomes(bytes, { mapping, mode: 'tolerant' });
    const hours = (series.slotCount * series.slotMinutes) / 60;
    const largest = (values: Int32Array): number => values.reduce((most, value) => Math.max(most, value), 0);
    return {
      ...description,
      columns: [],
      rows,
      refused,
      refusedCount,
      warnings,
      unit: mapping.unit,
      zone: series.zone,
      axis: series.axis,
      slotMinutes: series.slotMinutes,
      slotCount: series.slotCount,
      homes: series.homes.map(({ id, loadWh, pvWh }) => ({
        id,
        loadWh: totalWh(loadWh),
        pvWh: totalWh(pvWh),
        meanLoadW: Math.round(totalWh(loadWh) / hours),
        peakLoadWh: largest(loadWh),
        peakPvWh: largest(pvWh),
      })),
    };
  } catch (error) {
    const { code, line, reason } = error as Partial<DataError>;
    if (code === undefined || line === undefined || reason === undefined) throw error;
    return { ...description, columns: [], error: { code, line, reason } };
  }
}

function show(file: string, found: FileDescription, limit: number): void {
  const { slotCount, slotMinutes } = found;
  const facts: (readonly [string, string])[] = [
    ['file', file],
    ['format', found.format],
    ['lines', `${found.lines}, ${found.rows} rows accepted, ${found.refusedCount} refused`],
    ['unit', found.unit ?? ''],
    ['time', found.from === null ? '' : `${found.from} to ${found.to}${found.zone === null ? '' : ` (${found.zone})`}`],
    ['intervals', slotCount === null ? '' : `${slotCount} of ${slotMinutes} min`],
    ...found.facts.map((fact) => ['also', fact] as const),
  ];
  for (const [name, value] of facts) if (value !== '') print(`${name.padEnd(9)}  ${value}`);
  if (found.homes.length > 0) {
    print();
    printTable(
      [
        { title: 'home' },
        { title: 'load kWh', align: 'right' },
        { title: 'production kWh', align: 'right' },
        { title: 'mean load W', align: 'right' },
        { title: 'peak load Wh', align: 'right' },
        { title: 'peak production Wh', align: 'right' },
      ],
      found.homes.map((home) => [
        home.id,
        kWh(String(home.loadWh)),
        kWh(String(home.pvWh)),
        home.meanLoadW,
        home.peakLoadWh,
        home.peakPvWh,
      ]),
    );
  }
  if (found.columns.length > 0) {
    print();
    printTable(
      [
        { title: 'column' },
        { title: 'content' },
        { title: 'least', align: 'right' },
        { title: 'mean', align: 'right' },
        { title: 'most', align: 'right' },
        { title: 'example' },
      ],
      found.columns.map((one) => [one.name, one.content, one.least ?? '', one.mean ?? '', one.most ?? '', one.example]),
    );
  }
  for (const { from, kind, slotCount: count } of found.clockChanges)
    print(
      `${kind === 'clockForward' ? 'the clock goes forward' : 'the clock goes back'} at ${from} (${count} interval${count === 1 ? '' : 's'})`,
    );
  for (const { from, slotCount: count, homeId } of found.gaps)
    print(`gap from ${from}: ${count} interval(s)${homeId === null ? '' : ` of home ${homeId}`}`);
  for (const { code, line, count, message } of found.warnings)
    print(`warning ${code}${line > 0 ? ` at line ${line}` : ''}${count > 1 ? `, ${count} times` : ''}: ${message}`);
  for (const { code, line, reason } of found.refused.slice(0, limit))
    print(`refused ${code} at line ${line}: ${reason}`);
  if (found.refusedCount > Math.min(limit, found.refused.length))
    print(`... ${found.refusedCount - Math.min(limit, found.refused.length)} more refused rows`);
  if (found.error !== null) print(`unreadable: ${found.error.code} at line ${found.error.line}: ${found.error.reason}`);
}
