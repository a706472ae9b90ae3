import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SimulatedDisk } from '../../../consensus/test/world/disk.ts';
import { storeCodec } from '../../src/store/chain-codec.ts';
import { ChainStore } from '../../src/store/chain-store.ts';
import { writeFirstJournal } from '../../src/store/journal-file.ts';
import type { PeerStore } from '../../src/store/peer-store.ts';
import { storeCompliance } from './compliance.ts';

storeCompliance('ChainStore', async ({ rules }) => {
  const folder = await mkdtemp(join(tmpdir(), 'wattmesh-node-test-'));
  await writeFirstJournal(folder, Buffer.from(rules.chainId, 'hex'));
  let store = await ChainStore.open(folder, storeCodec(rules));
  return {
    store,
    reopen: async () => {
      await store.close();
      store = await ChainStore.open(folder, storeCodec(rules));
      return store;
    },
    destroy: async () => {
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
});

storeCompliance('SimulatedDisk', async () => {
  const disk = new SimulatedDisk();
  const store: PeerStore = {
    write: async (writes) => disk.sync(writes),
    block: (height) => disk.block(height),
    state: (height) => disk.state(height),
    load: () => disk.load(),
  };
  return { store, reopen: async () => store, destroy: async () => undefined };
});
