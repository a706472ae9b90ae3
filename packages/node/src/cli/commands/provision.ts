import { randomBytes } from 'node:crypto';
import { Command } from 'commander';
import { provisionSyntheticEvs } from '../../cluster/create-ev-run.ts';
import { provisionSynthetic } from '../../cluster/create-run.ts';
import { writeSeparateFolders } from '../../provision/separate-folders.ts';
import { hostAndPort, integerBetween, jsonOption, presetOption, protocolOption } from '../options.ts';
import { print, printJson } from '../output.ts';

interface ProvisionOptions {
  readonly protocol: 'poeg' | 'posoc';
  readonly preset: 'paper' | 'sound';
  readonly roundsPerDay: number;
  readonly trainingSeconds: number;
  readonly nodes: number;
  readonly out: string;
  readonly folder: string;
  readonly listen: { readonly host: string; readonly port: number };
  readonly address: string;
  readonly apiPort: number;
  readonly dataFolder: string;
  readonly dataOut?: string;
  readonly slotSeconds: number;
  readonly seed?: string;
  readonly json?: boolean;
}

export function provisionCommand(): Command {
  return new Command('provision')
    .description(
      'Deal keys and write the genesis for peers on machines or in containers of their own, one folder each.',
    )
    .requiredOption('--nodes <n>', 'how many prosumers or EVs', integerBetween(1, 64))
    .addOption(protocolOption())
    .addOption(presetOption())
    .option('--rounds-per-day <n>', 'posoc: learning rounds at the end of each day', integerBetween(1, 200), 4)
    .option('--training-seconds <s>', 'posoc: real length of a learning round', integerBetween(1, 86_400), 10)
    .requiredOption('--out <folder>', 'where the folders of the peers go')
    .option('--folder <pattern>', "name of a peer's folder; {n} is its number from 1", 'peer-{n}')
    .option('--listen <host:port>', 'where a peer listens for the others', hostAndPort, { host: '0.0.0.0', port: 4001 })
    .requiredOption('--address <multiaddr>', 'where the others find peer {n}, such as /dns4/peer-{n}/tcp/4001')
    .option('--api-port <port>', 'port of the HTTP API, on loopback', integerBetween(1, 65_535), 7001)
    .option('--data-folder <folder>', 'where a peer keeps its chain', 'data')
    .option('--data-out <pattern>', 'where the data folder of peer {n} is now, when --data-folder is absolute')
    .option('--slot-seconds <s>', 'real length of an hourly slot', integerBetween(1, 86_400), 10)
    .option('--seed <text>', 'decides keys, places and households (default: unpredictable)')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
A network that is there already is left as it is. Whoever can read all folders holds every key: hand each to its peer
alone, and remove the rest. Its data folder goes with it, once: the journal in there says that the peer has signed nothing
yet. A peer that finds none takes its disk for lost, and asks the others before it signs.

Example:
  wattmesh provision --nodes 4 --out net --address /ip4/10.0.0.{n}/tcp/4001`,
    )
    .action(async (options: ProvisionOptions) => {
      const { nodes, out, folder, listen, address, apiPort, dataFolder, dataOut, slotSeconds } = options;
      const common = {
        nodes,
        seed: options.seed ?? randomBytes(32).toString('hex'),
        clock: 'wall',
        slotMs: slotSeconds * 1_000,
        genesisTimeMs: Date.now(),
      } as const;
      const { preset, roundsPerDay } = options;
      const trainingWindowMs = options.trainingSeconds * 1_000;
      const network =
        options.protocol === 'posoc'
          ? provisionSyntheticEvs({ ...common, preset, roundsPerDay, trainingWindowMs })
          : provisionSynthetic(common);
      const folders = {
        out,
        folderPattern: folder,
        listen,
        addressPattern: address,
        apiPort,
        dataFolder,
        ...(dataOut === undefined ? {} : { dataPattern: dataOut }),
      };
      const isNew = await writeSeparateFolders(network, folders);
      if (options.json) printJson({ out, isNew, ...(isNew ? { chainId: network.chainId } : {}) });
      else
        print(
          isNew
            ? `wrote ${nodes} peers of chain ${network.chainId.slice(0, 12)} to ${out}`
            : `${out} holds a network already; nothing was changed`,
        );
    });
}
