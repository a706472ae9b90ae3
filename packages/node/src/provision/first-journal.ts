import {
  type ChainRules,
  chainIdOf,
  createApplication,
  createSignatureScheme,
  createThresholdScheme,
} from '@wattmesh/consensus';
import { readGenesis } from '../config/chain-files.ts';
import type { NodeConfig } from '../config/node-config.ts';
import { storeCodec } from '../store/chain-codec.ts';
import { ChainStore } from '../store/chain-store.ts';
import { writeFirstJournal } from '../store/journal-file.ts';

/**
 * Says for a member that its keys have never signed anything on this chain, where the data folder that was dealt with them did
 * not come along; also after a start without that, which waits for the others and leaves a chain without blocks.
 * @throws ConfigError for a genesis that cannot be read; StoreError STORE_HAS_SIGNED when the data folder says otherwise, and
 * every other of `ChainStore.open`
 */
export async function declareUnsigned({
  genesis: genesisFile,
  dataFolder,
}: Pick<NodeConfig, 'genesis' | 'dataFolder'>): Promise<void> {
  const genesis = await readGenesis(genesisFile);
  const chainId = chainIdOf(genesis);
  await writeFirstJournal(dataFolder, Buffer.from(chainId, 'hex'));
  const signatures = createSignatureScheme();
  const application = createApplication(genesis, signatures);
  const rules: ChainRules = { genesis, chainId, application, signatures, threshold: createThresholdScheme() };
  const store = await ChainStore.open(dataFolder, storeCodec(rules), { neverSigned: true });
  await store.close();
}
