import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { chainIdOf, type Genesis } from '@wattmesh/consensus';
import { Level } from 'level';
import { decodeNumber, heightKey, META } from '../store/chain-layout.ts';
import { readJournal } from '../store/journal-file.ts';
import { readSealed } from '../store/level-folder.ts';
import type { ChainSource } from './chain-source.ts';
import { InspectError } from './errors.ts';

/**
 * Opens the chain in a peer's data folder for reading. Unlike the peer's own store it repairs and cuts off nothing, so
 * that damage can be looked at; LevelDB may still compact its own files.
 * @throws InspectError INSPECT_NO_CHAIN, INSPECT_STORE_IN_USE, INSPECT_OTHER_CHAIN
 */
export async function openStoredChain(dataFolder: string, genesis: Genesis, label = dataFolder): Promise<ChainSource> {
  const path = join(dataFolder, 'chain');
  if (!existsSync(join(path, 'CURRENT')))
    throw new InspectError('INSPECT_NO_CHAIN', `there is no chain in ${dataFolder}; give a peer's data folder`);
  const db = new Level<string, Uint8Array>(path, {
    keyEncoding: 'utf8',
    valueEncoding: 'view',
    createIfMissing: false,
  });
  try {
    await db.open();
  } catch (error) {
    const cause = (error as { cause?: { code?: string; message?: string } }).cause;
    if (cause?.code === 'LEVEL_LOCKED')
      throw new InspectError(
        'INSPECT_STORE_IN_USE',
        `a running peer uses the store in ${dataFolder}; ask its API instead (--api URL, or --run FOLDER which finds it), or stop the peer`,
        { cause: error },
      );
    throw new InspectError(
      'INSPECT_NO_CHAIN',
      `the chain in ${dataFolder} cannot be opened (${cause?.message ?? String(error)}); start its peer once, which repairs it`,
      { cause: error },
    );
  }
  try {
    const chain = readSealed(db, META.chain);
    const expected = chainIdOf(genesis);
    const found = chain === undefined ? '(none)' : new TextDecoder().decode(chain);
    if (found !== expected)
      throw new InspectError(
        'INSPECT_OTHER_CHAIN',
        `the store in ${dataFolder} belongs to chain ${found.slice(0, 12)}, the genesis to ${expected.slice(0, 12)}; give the genesis of that chain`,
      );
    const head = readSealed(db, META.head);
    return {
      label,
      genesis,
      head: head === undefined ? 0 : decodeNumber(head),
      block: async (height) => {
        const block = readSealed(db, heightKey('block', height));
        const certificate = readSealed(db, heightKey('certificate', height));
        return block === undefined || certificate === undefined ? null : { block, certificate };
      },
      state: async (height) => readSealed(db, heightKey('state', height)) ?? null,
      timing: async () => null,
      journal: async () => (await readJournal(dataFolder).catch(() => null))?.records ?? null,
      close: () => db.close(),
    };
  } catch (error) {
    await db.close();
    throw error;
  }
}
