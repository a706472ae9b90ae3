import { Command } from 'commander';
import { writeReport } from '../run/perform-runs.ts';

export function reportCommand(): Command {
  return new Command('report')
    .description('Make the report of a result again, from its events and summary.')
    .argument('<folder>', 'result folder of `wattmesh run`')
    .action(async (folder: string) => {
      process.stdout.write(`${await writeReport(folder)}\n`);
    });
}
