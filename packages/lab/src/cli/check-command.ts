import { Command } from 'commander';
import { peerNames } from '../scenario/plan-timeline.ts';
import { readScenario } from '../scenario/read-scenario.ts';
import { scenarioJsonSchema, scenarioReference } from '../scenario/reference.ts';

export function checkCommand(): Command {
  const command = new Command('scenario').description(
    'Look at a scenario without running it, or at what may stand in one.',
  );
  command
    .command('check')
    .description('Say whether a scenario can be run, and what it will do.')
    .argument('<scenario...>', 'scenario files (YAML)')
    .action(async (files: string[]) => {
      for (const file of files) {
        const { scenario, plan } = await readScenario(file);
        process.stdout.write(
          `${file}: ${scenario.name}; ${peerNames(scenario.peers).length} peers, ${plan.faults.length} faults, ${scenario.load.length} loads\n`,
        );
        for (const { label } of plan.faults) process.stdout.write(`  ${label}\n`);
      }
    });
  command
    .command('schema')
    .description('Print the JSON Schema of scenario files, for editors.')
    .action(() => {
      process.stdout.write(`${JSON.stringify(scenarioJsonSchema(), null, 2)}\n`);
    });
  command
    .command('reference')
    .description('Print everything that may stand in a scenario, as Markdown.')
    .action(() => {
      process.stdout.write(scenarioReference());
    });
  return command;
}
