import type { CommitRecord } from '@wattmesh/consensus';
import { decodeNumber, encodeNumbers, heightKey } from './chain-layout.ts';
import { type ChainDatabase, readSealed, sealed } from './level-folder.ts';

/** Bytes by their hash; under which height they were last filed; and what is filed under a height. */
const bytesKey = (hash: string): string => `u/${hash}`;
const filedKey = (hash: string): string => `w/${hash}`;
const shelfKey = (height: number): string => `v/${heightKey('block', height).slice(2)}/`;

/**
 * The bytes that a commit's block lists or makes, and those that its state refers to. They live as long as the states of
 * their heights (`heights`); one that the state still refers to moves on to the new height.
 */
export async function fileBlobs(
  db: ChainDatabase,
  batch: ReturnType<ChainDatabase['batch']>,
  { height, blobs = [], wantedBlobs = [] }: CommitRecord,
  heights: number,
): Promise<void> {
  const file = (hash: string): void => {
    batch.put(`${shelfKey(height)}${hash}`, sealed(new Uint8Array()));
    batch.put(filedKey(hash), sealed(encodeNumbers(height)));
  };
  for (const { hash, bytes } of blobs) {
    batch.put(bytesKey(hash), sealed(bytes));
    file(hash);
  }
  if (height <= heights) return;
  const outdated = height - heights;
  const listed = new Set(blobs.map(({ hash }) => hash));
  const shelf = shelfKey(outdated);
  for (const name of await db.keys({ gte: shelf, lt: `${shelf.slice(0, -1)}0` }).all()) {
    const hash = name.slice(shelf.length);
    batch.del(name);
    if (listed.has(hash) || filedUnder(db, hash) !== outdated) continue;
    if (wantedBlobs.includes(hash)) file(hash);
    else {
      batch.del(bytesKey(hash));
      batch.del(filedKey(hash));
    }
  }
}

/** Null also for what can no longer be read: other peers have it, and its hash tells whether it is right. */
export function readBlob(db: ChainDatabase, hash: string): Uint8Array | null {
  try {
    return readSealed(db, bytesKey(hash)) ?? null;
  } catch {
    return null;
  }
}

function filedUnder(db: ChainDatabase, hash: string): number | null {
  try {
    const value = readSealed(db, filedKey(hash));
    return value === undefined ? null : decodeNumber(value);
  } catch {
    return null;
  }
}
