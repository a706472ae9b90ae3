import { readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { ClassicLevel } from 'classic-level';
import { Level } from 'level';
import { isDiskFull, messagesOf, StoreError } from './errors.ts';

export type ChainDatabase = Level<string, Uint8Array>;

/** Free space that a repair must leave, so that it cannot end half-way. */
const REPAIR_MARGIN_BYTES = 16 * 1024 * 1024;

/**
 * Opens a LevelDB folder, and lets LevelDB rebuild it when its own files do not fit together. `repaired` says why.
 * @throws StoreError STORE_LOCKED, STORE_FULL, STORE_UNREADABLE, STORE_CORRUPT
 */
export async function openLevel(path: string): Promise<{ db: ChainDatabase; repaired: string | null }> {
  // Without CURRENT LevelDB would take the folder for empty, and delete what lies in it: it must not even try.
  const first = (await hasLostCurrent(path)) ? 'its file CURRENT is missing' : await tryOpen(path);
  if (typeof first !== 'string') return { db: first, repaired: null };
  await assertRoomForRepair(path);
  try {
    await ClassicLevel.repair(path);
  } catch (cause) {
    throw corrupt(path, `${first}; repair failed: ${messagesOf(cause)}`, cause);
  }
  const second = await tryOpen(path);
  if (typeof second === 'string') throw corrupt(path, `${first}; after a repair: ${second}`, null);
  return { db: second, repaired: first };
}

export function corrupt(path: string, what: string, cause: unknown): StoreError {
  return new StoreError(
    'STORE_CORRUPT',
    `the chain in ${path} cannot be used: ${what}; move this one folder away and keep the journal beside it: ` +
      'the peer then fetches the chain from the others and still signs nothing twice',
    { cause },
  );
}

export function locked(path: string, cause: unknown): StoreError {
  return new StoreError(
    'STORE_LOCKED',
    `a running peer uses the store in ${path}; stop it or choose another data folder`,
    { cause },
  );
}

/** The open database, or what LevelDB says of its files. */
async function tryOpen(path: string): Promise<ChainDatabase | string> {
  // It starts to open by itself as soon as it is made.
  const db: ChainDatabase = new Level(path, { keyEncoding: 'utf8', valueEncoding: 'view' });
  try {
    await db.open();
    return db;
  } catch (error) {
    const { cause } = error as { cause?: { code?: string } };
    const text = messagesOf(cause ?? error);
    if (cause?.code === 'LEVEL_LOCKED') throw locked(path, error);
    if (isDiskFull(error))
      throw new StoreError('STORE_FULL', `the disk of ${path} is full; free space and start the peer again`, {
        cause: error,
      });
    // A missing or broken file can be repaired around; a permission or a lack of file handles cannot.
    if (cause?.code !== 'LEVEL_CORRUPTION' && !/no such file|does not exist|missing/i.test(text))
      throw new StoreError('STORE_UNREADABLE', `cannot open the store in ${path}: ${text}`, { cause: error });
    return text;
  }
}

async function hasLostCurrent(path: string): Promise<boolean> {
  const names = await readdir(path).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return [];
    throw new StoreError('STORE_UNREADABLE', `cannot read ${path}: ${error.message}`, { cause: error });
  });
  return !names.includes('CURRENT') && names.some((name) => /^MANIFEST-|\.(log|ldb)$/.test(name));
}

/** A repair turns logs into tables, and puts a log aside even when the disk was too full for its table. */
async function assertRoomForRepair(path: string): Promise<void> {
  const sizes = await Promise.all((await readdir(path)).map(async (name) => (await stat(join(path, name))).size));
  const neededBytes = sizes.reduce((sum, size) => sum + size, REPAIR_MARGIN_BYTES);
  const { bavail, bsize } = await statfs(path);
  if (bavail * bsize < neededBytes)
    throw new StoreError(
      'STORE_FULL',
      `the chain in ${path} must be repaired, which needs ${Math.ceil(neededBytes / 1e6)} MB of free disk space; make room and start again`,
    );
}

/** Puts a CRC-32 before a value: LevelDB does not verify the checksums of its tables when it reads. */
export function sealed(value: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(4 + value.length);
  bytes.writeUInt32BE(crc32(value));
  bytes.set(value, 4);
  return bytes;
}

/** The value under `name`; undefined when there is none. @throws StoreError STORE_CORRUPT when it does not check out. */
export function readSealed(db: ChainDatabase, name: string): Uint8Array | undefined {
  let bytes: Uint8Array | undefined;
  try {
    bytes = db.getSync(name);
  } catch (error) {
    throw new StoreError('STORE_CORRUPT', `${name} cannot be read: ${messagesOf(error)}`, { cause: error });
  }
  if (bytes === undefined) return undefined;
  if (bytes.length < 4) throw new StoreError('STORE_CORRUPT', `${name} has lost its checksum`);
  const value = new Uint8Array(bytes.buffer, bytes.byteOffset + 4, bytes.length - 4);
  const sum = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  if (crc32(value) !== sum)
    throw new StoreError('STORE_CORRUPT', `the bytes of ${name} are not those that were written`);
  return value;
}
