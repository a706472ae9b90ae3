import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { genesisToJson } from '@wattmesh/consensus';
import {
  type AnyMember,
  type NodeConfigInput,
  type ProvisionedNetwork,
  writeFirstJournal,
  writeMember,
} from '@wattmesh/node';
import { API_PORT, PEER_PORT } from './compose-file.ts';

/**
 * Writes what each container mounts as `/config`: its configuration, genesis, its keys, its household, and in `data` the
 * first journal, which is copied into its volume. The user in the
 * container is not the one outside, so the files can be read by all; the folder around them keeps everybody else out.
 */
export async function writeContainerFolders(
  folder: string,
  network: ProvisionedNetwork<AnyMember>,
  timing: NodeConfigInput['timing'],
  config: Partial<NodeConfigInput> = {},
): Promise<void> {
  const genesis = `${JSON.stringify(genesisToJson(network.genesis), null, 2)}\n`;
  for (const member of network.members) {
    const path = join(folder, member.name);
    await mkdir(path, { recursive: true });
    await writeFile(join(path, 'genesis.json'), genesis);
    const others = network.members.filter(({ rank }) => rank !== member.rank);
    await writeFirstJournal(join(path, 'data'), Buffer.from(network.chainId, 'hex'));
    await writeMember(path, 'node.json', member, {
      name: member.name,
      genesis: 'genesis.json',
      secrets: 'secrets.json',
      meter: 'meter.json',
      dataFolder: '/data',
      listen: { host: '0.0.0.0', port: PEER_PORT },
      addresses: Object.fromEntries(others.map(({ publicKey, name }) => [publicKey, `/dns4/${name}/tcp/${PEER_PORT}`])),
      // Published on the loopback of the host only.
      api: { host: '0.0.0.0', port: API_PORT },
      ...(timing === undefined ? {} : { timing }),
      ...config,
    });
    for (const file of ['secrets.json', 'meter.json']) await chmod(join(path, file), 0o644);
    await chmod(path, 0o755);
  }
  await chmod(folder, 0o700);
}
