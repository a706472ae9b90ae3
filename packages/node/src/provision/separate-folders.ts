import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { genesisToJson } from '@wattmesh/consensus';
import type { ProvisionedNetwork } from './network.ts';
import { type AnyMember, writeMember } from './run-folder.ts';

/** Peers on machines or in containers of their own. `{n}` in a pattern is the number of the peer, from 1. */
export interface SeparateFoldersOptions {
  readonly out: string;
  readonly folderPattern: string;
  readonly listen: { readonly host: string; readonly port: number };
  /** Multiaddr under which the others find a peer. */
  readonly addressPattern: string;
  readonly apiPort: number;
  readonly dataFolder: string;
}

/**
 * Writes one folder a peer with everything that it needs and nothing of the others' secrets: `node.json`, genesis, keys,
 * household. Returns false, and changes nothing, when the folders hold a network already.
 */
export async function writeSeparateFolders(
  network: ProvisionedNetwork<AnyMember>,
  options: SeparateFoldersOptions,
): Promise<boolean> {
  const { out, folderPattern, listen, addressPattern, apiPort, dataFolder } = options;
  const numbered = (pattern: string, rank: number): string => pattern.replaceAll('{n}', String(rank + 1));
  const folderOf = (rank: number): string => join(out, numbered(folderPattern, rank));
  if (network.members.every(({ rank }) => existsSync(join(folderOf(rank), 'node.json')))) return false;
  const genesis = `${JSON.stringify(genesisToJson(network.genesis), null, 2)}\n`;
  for (const member of network.members) {
    const folder = folderOf(member.rank);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'genesis.json'), genesis);
    const others = network.members.filter(({ rank }) => rank !== member.rank);
    await writeMember(folder, 'node.json', member, {
      name: member.name,
      genesis: 'genesis.json',
      secrets: 'secrets.json',
      meter: 'meter.json',
      dataFolder,
      listen,
      addresses: Object.fromEntries(others.map(({ publicKey, rank }) => [publicKey, numbered(addressPattern, rank)])),
      api: { host: '127.0.0.1', port: apiPort },
    });
  }
  return true;
}
