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
 * @throws RunError RUN_DATA_ELSEWHERE when the data folder is absolute and nothing says where it is now; RUN_PEERS_SHARE when a
 * pattern gives several peers the same; RUN_EXISTS when a part of a network is there, whose keys would be lost
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
  if (network.members.length > 1)
    for (const [option, pattern] of Object.entries({
      '--folder': folderPattern,
      '--address': addressPattern,
      '--data-out': dataPattern,
    }))
      if (pattern !== undefined && !pattern.includes('{n}'))
        throw new RunError(
          'RUN_PEERS_SHARE',
          `${option} ${pattern} is the same for all ${network.members.length} peers; put {n}, the number of the peer, into it`,
        );
  const numbered = (pattern: string, rank: number): string => pattern.replaceAll('{n}', String(rank + 1));
  const folderOf = (rank: number): string => join(out, numbered(folderPattern, rank));
  const folders = network.members.map(({ rank }) => folderOf(rank));
  if (holdNetwork(folders)) return false;
  // Before any key is written: a data folder that belongs to another chain is refused.
  for (const { rank } of network.members) {
    await mkdir(folderOf(rank), { recursive: true });
    const data = dataPattern === undefined ? join(folderOf(rank), dataFolder) : numbered(dataPattern, rank);
    await writeFirstJournal(data, Buffer.from(network.chainId, 'hex'));
  }
  const genesis = `${JSON.stringify(genesisToJson(network.genesis), null, 2)}\n`;
  for (const member of network.members) {
    const folder = folderOf(member.rank);
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

/**
 * Whether the folders hold a network already: all of them, for what is missing cannot be dealt again to fit the rest.
 * @throws RunError RUN_EXISTS when only a part is there
 */
function holdNetwork(folders: readonly string[]): boolean {
  const holds = (folder: string, file: string): boolean => existsSync(join(folder, file));
  const [whole, others] = [true, false].map((is) => folders.filter((folder) => holds(folder, 'node.json') === is)) as [
    string[],
    string[],
  ];
  const keys = others.flatMap((folder) =>
    ['secrets.json', 'meter.json'].filter((file) => holds(folder, file)).map((file) => join(folder, file)),
  );
  if (whole.length === 0 && keys.length === 0) return false;
  if (others.length === 0) return true;
  const there = [...whole.map((folder) => join(folder, 'node.json')), ...keys];
  const missing = others.map((folder) => join(folder, 'node.json'));
  throw new RunError(
    'RUN_EXISTS',
    `a part of a network is there (${there.join(', ')}), ${missing.join(', ')} not; bring back what is missing, choose another folder with --out, or remove these peers' folders and data to deal all keys anew`,
  );
}
