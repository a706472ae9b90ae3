import type { Command } from 'commander';
import { checkCommand } from './check-command.ts';
import { compareCommand } from './compare-command.ts';
import { composeCommand } from './compose-command.ts';
import { reportCommand } from './report-command.ts';
import { runCommand } from './run-command.ts';
import { sweepCommand } from './sweep-command.ts';

/** What this package adds to `wattmesh`; its package.json names this file, and the program looks there. */
export function commands(): Command[] {
  return [runCommand(), checkCommand(), reportCommand(), compareCommand(), sweepCommand(), composeCommand()];
}
