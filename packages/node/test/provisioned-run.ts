import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NodeConfigInput } from '../src/config/node-config.ts';
import { readNodeConfig } from '../src/config/node-config.ts';
import { type RunningNode, startNode } from '../src/node.ts';
import { DEFAULT_MARKET, type ProvisionedNetwork, provisionNetwork } from '../src/provision/network.ts';
import { peerFolder, writeRunFolder } from '../src/provision/run-folder.ts';
import { tempFolder } from './temp-folder.ts';

export interface ProvisionedRun {
  readonly folder: string;
  readonly network: ProvisionedNetwork;
  readonly configFile: string;
  /** Changes the first peer's configuration file. */
  configure(changes: Partial<NodeConfigInput>): void;
  start(): Promise<RunningNode>;
}

/** A run folder of one prosumer, whose chain it makes alone. */
export async function provisionedRun(
  seed = 'one',
  slot: Partial<ProvisionedNetwork['genesis']['slot']> = {},
  folder = tempFolder(),
): Promise<ProvisionedRun> {
  const network = provisionNetwork({
    name: 'one prosumer',
    seed,
    genesisTimeMs: Date.now(),
    households: [{ household: { intervals: [{ productionWh: 900, consumptionWh: 400 }] }, position: { x: 3, y: 4 } }],
    slot: { lengthMs: 60_000, clock: 'ready', simulatedHours: 1, slotsPerTerm: 1, ...slot },
    market: DEFAULT_MARKET,
  });
  const timing = { slotPaceMs: 50 };
  await writeRunFolder(folder, network, { seed, createdMs: 0, timing });
  const configFile = join(peerFolder(folder, 'p01'), 'config.json');
  return {
    folder,
    network,
    configFile,
    configure: (changes) => {
      const config = JSON.parse(readFileSync(configFile, 'utf8')) as NodeConfigInput;
      writeFileSync(configFile, JSON.stringify({ ...config, ...changes }));
    },
    start: async () => startNode(await readNodeConfig(configFile)),
  };
}
