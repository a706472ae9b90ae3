import { type Command, InvalidArgumentError } from 'commander';
import { readDataFile, readHomes } from '../homes/home-file.ts';
import { readMapping } from '../homes/mapping.ts';
import { type TradingDay, tradingDay } from '../homes/trading-day.ts';

export interface HomesOptions {
  readonly day?: string;
  readonly seed: string;
  readonly homes?: readonly string[];
  readonly mapping?: string;
}

/** Options of the commands that trade a day of real homes. */
export function withHomesOptions(command: Command): Command {
  return command
    .option('--day <YYYY-MM-DD>', 'the local day to trade', isoDay)
    .option('--homes <ids>', 'only these homes, separated by commas (default: all)', (text) => text.split(','))
    .option('--mapping <file>', 'what the columns of your own CSV mean (JSON; docs/data.md)');
}

/** Reads a file in strict mode and takes the day out of it. @throws HomesError, DataError, ConfigError */
export async function readTradingDay(
  file: string,
  options: HomesOptions & { readonly day: string },
): Promise<TradingDay> {
  const { day, seed, homes, mapping } = options;
  const bytes = await readDataFile(file);
  const read = readHomes(bytes, { day, mapping: mapping === undefined ? undefined : await readMapping(mapping) });
  return tradingDay(read.series, { day, seed, homes, warnings: read.warnings });
}

function isoDay(text: string): string {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) throw new InvalidArgumentError('Give a day such as 2013-01-15.');
  return text;
}
