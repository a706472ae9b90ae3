import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { batchHash, decodeBlock, transactionId } from '@wattmesh/consensus';
import { Level } from 'level';
import { describe, expect, it, onTestFinished } from 'vitest';
import { encodeJournalEntry } from '../../../consensus/src/peer/journal.ts';
import { storeCodec } from '../../src/store/chain-codec.ts';
import { ChainStore, type ChainStoreOptions } from '../../src/store/chain-store.ts';
import { sealed } from '../../src/store/level-folder.ts';
import { tempFolder } from '../temp-folder.ts';
import { expectToHold } from './compliance.ts';
import { dealtFolder } from './dealt-folder.ts';
import { history } from './history.ts';

const { chain, writes, commits } = history(13);
const codec = storeCodec(chain.rules);
const HEAD = commits.length;

async function open(folder: string, options?: ChainStoreOptions): Promise<ChainStore> {
  const store = await ChainStore.open(folder, codec, options);
  onTestFinished(() => store.close().catch(() => undefined));
  return store;
}

async function written(): Promise<string> {
  const folder = await dealtFolder(chain.rules.chainId);
  const store = await open(folder);
  await store.write(writes);
  await store.close();
  return folder;
}

async function database(folder: string, use: (db: Level<string, Uint8Array>) => Promise<unknown>): Promise<void> {
  const db = new Level<string, Uint8Array>(join(folder, 'chain'), { keyEncoding: 'utf8', valueEncoding: 'view' });
  await db.open();
  await use(db);
  await db.close();
}

const files = (folder: string, pattern: RegExp): string[] =>
  readdirSync(join(folder, 'chain'))
    .filter((name) => pattern.test(name))
    .map((name) => join(folder, 'chain', name));

const keyOf = (kind: string, height: number): string => `${kind}/${height.toString(16).padStart(10, '0')}`;

/**
 * What a store is after damage: a beginning of the true chain, without a wrong answer about it (an index entry may be
 * lost), from which a peer can go on.
 */
async function expectATrueBeginning(folder: string): Promise<{ head: number; repairs: readonly string[] }> {
  const store = await open(folder);
  const { head, repairs } = store;
  for (const { height, block, certificate } of commits)
    expect(store.block(height)).toEqual(height <= head ? { block, certificate } : null);
  expect(store.load().head?.state ?? null).toEqual(commits[head - 1]?.state ?? null);
  for (const { blockHash, height, transactionIds } of commits) {
    expect([null, height <= head ? height : null]).toContain(answer(() => store.heightOfBlock(blockHash)));
    for (const [index, id] of transactionIds.entries())
      expect([null, height <= head ? { height, index } : null]).toContainEqual(answer(() => store.transaction(id)));
  }
  await store.write(commits.slice(head).map((commit) => ({ type: 'commit', commit })));
  await store.close();
  const again = await open(folder);
  expect(again.head).toBe(HEAD);
  expect(again.repairs).toEqual([]);
  await again.close();
  return { head, repairs };
}

function answer<T>(ask: () => T): T | null {
  try {
    return ask();
  } catch (error) {
    expect(error).toMatchObject({ code: 'STORE_CORRUPT' });
    return null;
  }
}

describe('a healthy store', () => {
  it('finds blocks by height and hash and transactions by id, and keeps states', async () => {
    const store = await open(await written());
    expect(store.repairs).toEqual([]);
    expectToHold(store, writes);
    const ids = commits.flatMap(({ block }) =>
      decodeBlock(block).batches.flatMap((batch) =>
        batch.operations.map((_, index) => transactionId(batchHash(batch), index)),
      ),
    );
    expect(ids.length).toBeGreaterThan(2);
    for (const id of ids) expect(store.transaction(id)).not.toBeNull();
    for (const { height, state, blockHash } of commits) {
      expect(store.state(height)).toEqual(state);
      expect(store.heightOfBlock(blockHash)).toBe(height);
    }
    expect(store.heightOfBlock('0'.repeat(64))).toBeNull();
    expect(store.transaction('0'.repeat(64))).toBeNull();
    expect(store.state(HEAD + 1)).toBeNull();
  });

  it('starts the journal anew when it has grown, with what the peer carries on', async () => {
    const folder = await dealtFolder(chain.rules.chainId);
    const store = await open(folder, { rotateBytes: 1_500 });
    await store.write(writes);
    await store.close();
    const whole = writes.filter(({ type }) => type === 'journal').length;
    const { journal, silentThrough } = (await open(folder)).load();
    expect(journal.length).toBeLessThan(whole);
    expect(silentThrough).toBe(0);
    const { carry } = commits.at(-1) as (typeof commits)[number];
    expect(carry.length).toBeGreaterThan(0);
    expect(journal).toEqual(expect.arrayContaining([...carry]));
  });

  it('refuses a second owner with STORE_LOCKED, in the same process or another one', async () => {
    const folder = tempFolder();
    await open(folder);
    await expect(ChainStore.open(folder, codec)).rejects.toMatchObject({ code: 'STORE_LOCKED' });
    // The refusal must not have given the lock away.
    const { stdout } = spawnSync(process.execPath, [new URL('open-store.ts', import.meta.url).pathname, folder]);
    expect(stdout.toString()).toBe('STORE_LOCKED\n');
  });
});

describe('a store that is not this one', () => {
  it('is refused when it is of another chain, with and without a journal', async () => {
    const folder = await written();
    const other = { ...codec, chainId: 'ab'.repeat(32) };
    await expect(ChainStore.open(folder, other)).rejects.toMatchObject({ code: 'STORE_OTHER_CHAIN' });
    rmSync(join(folder, 'chain'), { recursive: true });
    await expect(ChainStore.open(folder, other)).rejects.toMatchObject({ code: 'STORE_OTHER_CHAIN' });
  });

  it('is refused with STORE_FORMAT when it has another format or no mark at all', async () => {
    const folder = await written();
    await database(folder, (db) => db.put('meta/format', sealed(Buffer.from('wattmesh-store-99'))));
    await expect(ChainStore.open(folder, codec)).rejects.toMatchObject({
      code: 'STORE_FORMAT',
      message: expect.stringContaining('wattmesh-store-99'),
    });
    await database(folder, (db) => db.del('meta/format'));
    await expect(ChainStore.open(folder, codec)).rejects.toMatchObject({ code: 'STORE_FORMAT' });
  });

  it('is refused with STORE_UNREADABLE when its folder is none', async () => {
    const folder = tempFolder();
    writeFileSync(join(folder, 'file'), '');
    await expect(ChainStore.open(join(folder, 'file'), codec)).rejects.toMatchObject({ code: 'STORE_UNREADABLE' });
    writeFileSync(join(folder, 'chain'), '');
    await expect(ChainStore.open(folder, codec)).rejects.toMatchObject({ code: 'STORE_UNREADABLE' });
    const other = tempFolder();
    mkdirSync(join(other, 'journal'));
    await expect(ChainStore.open(other, codec)).rejects.toMatchObject({ code: 'STORE_UNREADABLE' });
  });
});

describe('a store that has lost something', () => {
  it.each([
    ['block', 'b', 7, 6],
    ['certificate', 'c', 5, 4],
    ['state of the head', 's', HEAD, HEAD - 1],
  ])('is cut off below a missing %s', async (_, kind, height, head) => {
    const folder = await written();
    await database(folder, (db) => db.del(keyOf(kind, height)));
    const found = await expectATrueBeginning(folder);
    expect(found.head).toBe(head);
    expect(found.repairs[0]).toMatch(/missing; cut off/);
  });

  it('is cut off below a block with a broken body, a foreign block, and a certificate for something else', async () => {
    const folder = await written();
    const { block, certificate } = commits[6] as (typeof commits)[number];
    const body = Buffer.from(block);
    body.writeUInt8(body.readUInt8(body.length - 40) ^ 1, body.length - 40);
    const stranger = commits[2] as (typeof commits)[number];
    for (const [key, value, head] of [
      [keyOf('b', 7), sealed(body), 6],
      [keyOf('b', 9), sealed(stranger.block), 8],
      [keyOf('c', 3), sealed(certificate), 2],
      [keyOf('s', HEAD), sealed(stranger.state), HEAD - 1],
    ] as const) {
      await database(folder, (db) => db.put(key, value));
      expect((await expectATrueBeginning(folder)).head).toBe(head);
    }
  });

  it('does not make the peer silent while its journal is whole', async () => {
    const folder = await written();
    await database(folder, (db) => db.del(keyOf('b', 7)));
    const { journal, silentThrough } = (await open(folder)).load();
    expect(silentThrough).toBe(0);
    expect(journal).toEqual(writes.flatMap((write) => (write.type === 'journal' ? [write.bytes] : [])));
  });

  it('makes the peer silent, also after further restarts, when blocks are lost that a new journal no longer covers', async () => {
    const folder = await dealtFolder(chain.rules.chainId);
    const store = await open(folder, { rotateBytes: 0 });
    await store.write(writes);
    await store.close();
    await database(folder, (db) => db.del(keyOf('b', 7)));
    for (const _ of ['first', 'second']) {
      const reopened = await open(folder);
      expect(reopened.head).toBe(6);
      expect(reopened.load().silentThrough).toBe(HEAD);
      await reopened.close();
    }
    // Losing more later must not shorten the silence.
    await database(folder, (db) => db.del(keyOf('b', 3)));
    expect((await open(folder)).load().silentThrough).toBe(HEAD);
  });

  it('makes the peer silent for the next height when the journal is damaged or gone', async () => {
    const folder = await written();
    const path = join(folder, 'journal');
    const whole = readFileSync(path);
    for (const damage of [() => writeFileSync(path, flipped(whole, whole.length >> 1)), () => rmSync(path)]) {
      writeFileSync(path, whole);
      damage();
      for (const _ of ['first', 'second']) {
        const store = await open(folder);
        expect(store.load().silentThrough).toBe(HEAD + 1);
        await store.close();
      }
      rmSync(path);
    }
  });

  it('does not know what its member signed in a folder that nobody has dealt it, also after further restarts', async () => {
    const folder = tempFolder();
    const store = await open(folder, { rotateBytes: 0 });
    expect(store.load()).toEqual({ head: null, journal: [], silentThrough: null });
    expect(store.repairs).toEqual([
      `${folder} does not say what this member has signed; it asks the others before it signs`,
    ]);
    await store.write(writes);
    await store.close();
    const again = await open(folder);
    expect(again.head).toBe(HEAD);
    expect(again.load().silentThrough).toBeNull();
  });

  it('asks the others when both the chain and the journal are damaged', async () => {
    const folder = await written();
    rmSync(join(folder, 'journal'));
    for (const file of files(folder, /^CURRENT$/)) rmSync(file);
    const store = await open(folder);
    expect(store.repairs.join()).toMatch(/LevelDB rebuilt .*the journal lost records: it is missing/);
    expect(store.load().silentThrough).toBeNull();
  });

  it('starts over beside its journal when the chain was moved away, and still knows what it signed', async () => {
    const folder = await written();
    const before = await open(folder);
    await before.close();
    rmSync(join(folder, 'chain'), { recursive: true });
    expect((await open(folder)).load()).toEqual({ ...before.load(), head: null });
  });
});

describe('damaged files of LevelDB', () => {
  /** Every open turns the log into a table; several make several tables. */
  async function withTables(): Promise<string> {
    const folder = await dealtFolder(chain.rules.chainId);
    for (const third of [0, 1, 2]) {
      const store = await open(folder);
      await store.write(commits.slice(5 * third, 5 * third + 5).map((commit) => ({ type: 'commit', commit })));
      await store.close();
    }
    await (await open(folder)).close();
    expect(files(folder, /\.ldb$/).length).toBeGreaterThan(0);
    return folder;
  }

  /** It opens with a true beginning, or refuses with a code; it never shows a wrong block. */
  async function expectToFailWell(folder: string): Promise<string> {
    try {
      const { head } = await expectATrueBeginning(folder);
      return head < HEAD ? 'cut' : 'whole';
    } catch (error) {
      if ((error as { code?: string }).code !== 'STORE_CORRUPT') throw error;
      return `refused: ${(error as Error).message}`;
    }
  }

  it.each([
    ['log', /\.log$/, written],
    ['table', /\.ldb$/, withTables],
  ])('with flipped bits in a %s file show a true beginning or are refused', async (_, pattern, create) => {
    const master = await create();
    const outcomes = new Set<string>();
    for (let k = 0; k < 16; k += 1) {
      const folder = tempFolder();
      cpSync(master, folder, { recursive: true });
      const candidates = files(folder, pattern).filter((file) => readFileSync(file).length > 0);
      const file = candidates[k % candidates.length] as string;
      const bytes = readFileSync(file);
      writeFileSync(file, flipped(bytes, Math.floor(((k + 0.5) / 16) * bytes.length)));
      outcomes.add(await expectToFailWell(folder));
    }
    expect(outcomes).toContain('cut');
  });

  it.each([
    ['a table', /\.ldb$/],
    ['CURRENT', /^CURRENT$/],
    ['the manifest', /^MANIFEST/],
    ['everything but the tables', /^(CURRENT|MANIFEST.*|LOG|LOCK|.*\.log)$/],
  ])('of which %s is deleted are rebuilt or refused', async (_, pattern) => {
    const folder = await withTables();
    for (const file of files(folder, pattern)) rmSync(file);
    const outcome = await expectToFailWell(folder);
    if (pattern.test('CURRENT') || pattern.test('MANIFEST-1')) expect(outcome).toBe('whole');
    else expect(['cut', 'refused']).toContain(outcome);
  });

  it('that are all garbage make an empty store, beside the journal that remembers', async () => {
    const folder = await written();
    const whole = await open(folder);
    await whole.close();
    for (const file of files(folder, /\.(ldb|log)$|^CURRENT$|^MANIFEST/)) writeFileSync(file, Buffer.alloc(64, 0xee));
    const store = await open(folder);
    expect(store.repairs[0]).toMatch(/LevelDB rebuilt/);
    expect(store.load()).toEqual({ ...whole.load(), head: null });
  });

  it('whose repair has lost what chain they are of are refused with STORE_CORRUPT, which says to keep the journal', async () => {
    const folder = await written();
    await database(folder, (db) => db.del('meta/format'));
    rmSync(join(folder, 'chain', 'CURRENT'));
    await expect(ChainStore.open(folder, codec)).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      message: expect.stringContaining('keep the journal'),
    });
  });
});

describe('reading', () => {
  it('refuses with STORE_CORRUPT what changed on the disk after the store was opened', async () => {
    const folder = await written();
    await database(folder, (db) => db.put(`h/${'5'.repeat(64)}`, new Uint8Array([1, 2, 3, 4, 5])));
    const store = await open(folder);
    expect(() => store.heightOfBlock('5'.repeat(64))).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT' }));
  });
});

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(at) ^ 0x10, at);
  return copy;
}

describe('a member of which it is said that it has never signed', () => {
  const said = (folder: string): Promise<ChainStore> => open(folder, { neverSigned: true });

  /** What a start on an empty disk leaves behind, with these entries in its journal. */
  async function emptyDisk(...entries: readonly Uint8Array[]): Promise<string> {
    const folder = tempFolder();
    const store = await open(folder);
    expect(store.load().silentThrough).toBeNull();
    await store.write(entries.map((bytes) => ({ type: 'journal', bytes })));
    await store.close();
    return folder;
  }

  async function expectUnsigned(folder: string): Promise<void> {
    for (const options of [{ neverSigned: true }, {}]) {
      const store = await open(folder, options);
      expect(store.load()).toEqual({ head: null, journal: [], silentThrough: 0 });
      expect(store.repairs).toEqual([]);
      await store.close();
    }
  }

  it('is believed where the folder is new, was dealt with its keys, or was started on before without a word', async () => {
    await expectUnsigned(tempFolder());
    await expectUnsigned(await dealtFolder(chain.rules.chainId));
    await expectUnsigned(await emptyDisk());
  });

  it('forgets what the others have told it: that covers a disk which was never lost', async () => {
    const silence = encodeJournalEntry({ type: 'silence', throughHeight: 2 });
    const absence = encodeJournalEntry({ type: 'absence', throughSlot: 0 });
    await expectUnsigned(await emptyDisk(absence, silence));
  });

  it('is refused with STORE_HAS_SIGNED where there are blocks, or signatures before the first of them', async () => {
    await expect(said(await written())).rejects.toMatchObject({
      code: 'STORE_HAS_SIGNED',
      message: expect.stringContaining(`a chain of ${HEAD} blocks`),
    });
    const [first] = writes;
    if (first?.type !== 'journal') throw new Error('a peer journals before it commits');
    for (const folder of [await emptyDisk(first.bytes), await dealtFolder(chain.rules.chainId)]) {
      const store = await open(folder);
      await store.write([first]);
      await store.close();
      const before = readFileSync(join(folder, 'journal'));
      await expect(said(folder)).rejects.toMatchObject({
        code: 'STORE_HAS_SIGNED',
        message: expect.stringMatching(/its journal holds what it has signed/),
      });
      expect(readFileSync(join(folder, 'journal'))).toEqual(before);
    }
  });

  it('is refused where the journal is lost or damaged: nobody can tell what it held', async () => {
    const lost = await dealtFolder(chain.rules.chainId);
    await (await open(lost)).close();
    rmSync(join(lost, 'journal'));
    // Once it is mended, only its blind height tells.
    for (const why of [/journal was damaged/, /has lost what it signed up to height 1/])
      await expect(said(lost)).rejects.toMatchObject({
        code: 'STORE_HAS_SIGNED',
        message: expect.stringMatching(why),
      });
  });
});
