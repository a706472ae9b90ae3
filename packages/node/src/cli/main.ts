#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
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
import { codeOf, EXIT, EXIT_HELP, exitCodeOf } from './exit.ts';
import { extensionCommands } from './extensions.ts';

const program = new Command('wattmesh')
  .description('Peer-to-peer energy markets on a real network: start peers, watch them trade, measure them.')
  .addHelpText(
    'after',
    `
Start here:
  wattmesh demo                      ten prosumers trade a day and go
  wattmesh up --nodes 7              a network that stays; then: status, logs p01, down
  wattmesh run scenarios/healthy.yaml   an experiment with load, faults and verdicts
${EXIT_HELP}`,
  )
  .showSuggestionAfterError()
  .exitOverride();
for (const command of [
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
  // A peer is started often and needs none of them.
  ...(process.argv[2] === 'node' ? [] : await extensionCommands()),
])
  program.addCommand(command.exitOverride().showHelpAfterError('(add --help for what is possible)'));

// `wattmesh logs p01 | head` closes the pipe while there is more to say.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(EXIT.ok);
});

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  else {
    const code = codeOf(error);
    const text = error instanceof Error ? error.message : String(error);
    process.stderr.write(code === null ? `${(error as Error).stack ?? text}\n` : `error ${code}: ${text}\n`);
    process.exitCode = exitCodeOf(error);
  }
}
