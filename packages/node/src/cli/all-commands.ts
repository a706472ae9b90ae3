import type { Command } from 'commander';
import { benchCommand } from './commands/bench.ts';
import { dataCommand } from './commands/data.ts';
import { demoCommand } from './commands/demo.ts';
import { downCommand } from './commands/down.ts';
import { evaluateCommand } from './commands/evaluate.ts';
import { inspectCommand } from './commands/inspect.ts';
import { logsCommand } from './commands/logs.ts';
import { marketCommand } from './commands/market.ts';
import { nodeCommand } from './commands/node.ts';
import { provisionCommand } from './commands/provision.ts';
import { statusCommand } from './commands/status.ts';
import { trainCommand } from './commands/train.ts';
import { upCommand } from './commands/up.ts';
import { extensionCommands } from './extensions.ts';

/** Everything that `wattmesh` can do, in the order of its help. */
export async function allCommands(): Promise<Command[]> {
  return [
    demoCommand(),
    upCommand(),
    statusCommand(),
    logsCommand(),
    downCommand(),
    nodeCommand(),
    provisionCommand(),
    inspectCommand(),
    benchCommand(),
    dataCommand(),
    marketCommand(),
    trainCommand(),
    evaluateCommand(),
    ...(await extensionCommands()),
  ];
}
