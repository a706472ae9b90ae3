import { watch } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { peerFolder, peerOf, readRun } from '../../provision/run-folder.ts';
import { readLines } from '../line-reader.ts';
import { integerBetween, jsonOption, runOption } from '../options.ts';
import { print } from '../output.ts';

const LEVELS: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};

export function logsCommand(): Command {
  return new Command('logs')
    .description('Show what a peer has logged.')
    .argument('<peer>', 'its name, such as p01')
    .option('--lines <n>', 'how many of the last lines', integerBetween(0, 1_000_000), 40)
    .option('--follow', 'go on with new lines until Ctrl-C')
    .addOption(runOption())
    .addOption(jsonOption())
    .action(async (name: string, options: { run: string; lines: number; follow?: boolean; json?: boolean }) => {
      const folder = peerFolder(options.run, peerOf(await readRun(options.run), name).name);
      const file = join(folder, 'node.log');
      const show = (line: string): void => print(options.json ? line : readable(line));
      const last: string[] = [];
      let seen = await readLines(file, 0, (line) => {
        last.push(line);
        if (last.length > options.lines) last.shift();
      });
      last.forEach(show);
      if (!options.follow) return;
      // The folder, because the file may not be there yet.
      await mkdir(folder, { recursive: true });
      const watcher = watch(folder);
      const closed = new Promise<void>((resolve, reject) => watcher.once('close', resolve).once('error', reject));
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => watcher.close());
      let reading = Promise.resolve();
      const readOn = (): void => {
        reading = reading.then(async () => {
          seen = await readLines(file, seen, show);
        });
        // A log that cannot be read ends the following; the failure itself comes out below.
        reading.catch(() => watcher.close());
      };
      watcher.on('change', (_, changed) => {
        if (changed === 'node.log') readOn();
      });
      // What was written between the first reading and the watcher's start.
      readOn();
      await closed;
      await reading;
    });
}

function readable(line: string): string {
  try {
    const { time, level, msg, pid, hostname, name, ...rest } = JSON.parse(line) as Record<string, unknown>;
    const details = Object.entries(rest).map(
      ([key, value]) => `${key}=${typeof value === 'object' ? JSON.stringify(value) : String(value)}`,
    );
    return `${new Date(Number(time)).toISOString()} ${(LEVELS[Number(level)] ?? '').padEnd(5)} ${msg ?? ''} ${details.join(' ')}`;
  } catch {
    return line;
  }
}
