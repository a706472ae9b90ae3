import { chainIdOf } from '@wattmesh/consensus';
import { readGenesis } from '../config/chain-files.ts';
import type { NodeConfig } from '../config/node-config.ts';
import { writeFirstJournal } from '../store/journal-file.ts';

/**
 * Says for a member that its keys have never signed anything on this chain, where the data folder that was dealt with them did
 * not come along. Changes nothing where there is a journal or a chain already.
 * @throws ConfigError for a genesis that cannot be read; StoreError STORE_FULL, STORE_WRITE_FAILED
 */
export async function declareUnsigned({
  genesis,
  dataFolder,
}: Pick<NodeConfig, 'genesis' | 'dataFolder'>): Promise<void> {
  const chainId = chainIdOf(await readGenesis(genesis));
  await writeFirstJournal(dataFolder, Buffer.from(chainId, 'hex'));
}
