#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { nodeCommand } from './commands/node.ts';
import { describeError, EXIT, EXIT_HELP, exitCodeOf } from './exit.ts';

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
// A peer is started often, stays, and needs no other command.
const commands = process.argv[2] === 'node' ? [nodeCommand()] : await (await import('./all-commands.ts')).allCommands();
for (const command of commands)
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
    process.stderr.write(`${describeError(error)}\n`);
    process.exitCode = exitCodeOf(error);
  }
}
