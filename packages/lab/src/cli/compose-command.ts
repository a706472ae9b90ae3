import { resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { provision, readData, timingOf } from '../network/provision.ts';
import { composeFile } from '../runtime/compose-file.ts';
import { writeContainerFolders } from '../runtime/container-folders.ts';
import { peerNames } from '../scenario/plan-timeline.ts';
import { readScenario } from '../scenario/read-scenario.ts';
import { slugOf } from './run-command.ts';

export function composeCommand(): Command {
  return new Command('compose')
    .description('Print a compose file with the peers of a scenario, one container each.')
    .argument('<scenario>', 'scenario file (YAML)')
    .option('--write <folder>', 'also write the configuration and keys of each peer there, for the file to mount')
    .option('--memory <mb>', 'limit of each container', megabytes, 512)
    .addHelpText(
      'after',
      `
The file mounts one folder a peer from --write, or from ./network when that is left out. It loads in docker-compose 1.29
and in compose v2 and needs the image of scripts/docker-build.sh. \`wattmesh run --runtime docker\` makes its own.

Example:
  wattmesh compose scenarios/healthy.yaml --write network > compose.yaml`,
    )
    .action(async (file: string, options: { write?: string; memory: number }) => {
      const { scenario } = await readScenario(file);
      if (options.write !== undefined) {
        const data = await readData(scenario, resolve(file), scenario.seed);
        const network = provision(scenario, data, scenario.seed, Date.now());
        await writeContainerFolders(options.write, network, timingOf(scenario));
      }
      process.stdout.write(
        composeFile({
          project: slugOf(scenario.name),
          names: peerNames(scenario.peers),
          configFolder: options.write === undefined ? './network' : resolve(options.write),
          controlFolder: null,
          memoryMb: options.memory,
          cpus: 1,
        }),
      );
    });
}

function megabytes(text: string): number {
  if (!/^[1-9]\d{1,5}$/.test(text)) throw new InvalidArgumentError('Give an integer of megabytes, such as 512.');
  return Number(text);
}
