import { storeCodec } from '../../src/store/chain-codec.ts';
import { ChainStore } from '../../src/store/chain-store.ts';
import { history } from './history.ts';

// Opens the store in the folder of the first argument and says how that went.
try {
  const store = await ChainStore.open(process.argv[2] as string, storeCodec(history(1).chain.rules));
  await store.close();
  process.stdout.write('opened\n');
} catch (error) {
  process.stdout.write(`${(error as { code?: string }).code}\n`);
}
