import { writeSync } from 'node:fs';
import type { StoreWrite } from '@wattmesh/consensus';
import { storeCodec } from '../../src/store/chain-codec.ts';
import { ChainStore } from '../../src/store/chain-store.ts';
import { history } from './history.ts';

// Writes a history into the store of the first argument, from where the store is, and says on standard output how many
// writes of the history are durable. It never ends by itself.
const folder = process.argv[2] as string;
const heights = Number(process.argv[3]);
const { chain, writes } = history(heights);
const store = await ChainStore.open(folder, storeCodec(chain.rules), { rotateBytes: 3_000 });
let next = 1 + writes.findIndex((write) => write.type === 'commit' && write.commit.height === store.head);
while (next < writes.length) {
  // As the shell does: a few at a time, here of a size that varies with the place.
  const group: readonly StoreWrite[] = writes.slice(next, next + 1 + (next % 4));
  await store.write(group);
  next += group.length;
  writeSync(1, `${next}\n`);
}
setInterval(() => undefined, 1_000);
