import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { provisionSyntheticEvs } from '../../src/cluster/create-ev-run.ts';
import { provisionSynthetic } from '../../src/cluster/create-run.ts';
import type { ProvisionedNetwork } from '../../src/provision/network.ts';
import type { AnyMember } from '../../src/provision/run-folder.ts';

/** Four prosumers or EVs, as the commands deal them; of the EVs one poisons and one is selfish. */
export function networkOf(protocol: 'poeg' | 'posoc', seed: string): ProvisionedNetwork<AnyMember> {
  const plan = { nodes: 4, seed, clock: 'wall', slotMs: 10_000, genesisTimeMs: 1 } as const;
  if (protocol === 'poeg') return provisionSynthetic(plan);
  const selfish = { count: 1, untilDay: 2 };
  return provisionSyntheticEvs({
    ...plan,
    preset: 'sound',
    roundsPerDay: 2,
    trainingWindowMs: 1_000,
    poisoned: 1,
    selfish,
  });
}

/** The files below a folder that hold a text, as it stands or in the hex digits of its bytes. */
export function filesWith(folder: string, text: string): string[] {
  const hex = Buffer.from(text).toString('hex');
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((path) => {
      const bytes = readFileSync(path);
      return bytes.includes(text) || bytes.includes(hex);
    });
}
