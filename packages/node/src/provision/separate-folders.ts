import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { genesisToJson } from '@wattmesh/consensus';
import { writeFirstJournal } from '../store/journal-file.ts';
import { RunError } from './errors.ts';
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
  /** Where a peer's data folder is while the folders are written, when `dataFolder` is not inside of the peer's folder. */
  readonly dataPattern?: string;
}

/**
 * Writes one folder a peer with everything that it needs and nothing of the others' secrets: `node.json`, genesis, keys,
 * household, and the first journal in its data folder. Returns false, and changes nothing, when the folders hold a network
 * already.
 * @throws RunError RUN_DATA_ELSEWHERE when the data folder is absolute and nothing says where it is now
 */
export async function writeSeparateFolders(
  network: ProvisionedNetwork<AnyMember>,
  options: SeparateFoldersOptions,
): Promise<boolean> {
  const { out, folderPattern, listen, addressPattern, apiPort, dataFolder, dataPattern } = options;
  if (isAbsolute(dataFolder) && dataPattern === undefined)
    throw new RunError(
      'RUN_DATA_ELSEWHERE',
      `a peer's data folder must be given its first journal, which says that it has signed nothing yet; say with --data-out where ${dataFolder} of peer {n} is now`,
    );
  const numbered = (pattern: string, rank: number): string => pattern.replaceAll('{n}', String(rank + 1));
  const folderOf = (rank: number): string => join(out, numbered(folderPattern, rank));
  if (network.members.every(({ rank }) => existsSync(join(folderOf(rank), 'node.json')))) return false;
  const genesis = `${JSON.stringify(genesisToJson(network.genesis), null, 2)}\n`;
  for (const member of network.members) {
    const folder = folderOf(member.rank);
    await mkdir(folder, { recursive: true });
    const data = dataPattern === undefined ? join(folder, dataFolder) : numbered(dataPattern, member.rank);
    await writeFirstJournal(data, Buffer.from(network.chainId, 'hex'));
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
