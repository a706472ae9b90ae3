import fs from 'node:fs';
import { mkdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { JournalFile, type JournalOptions, readJournal, writeFirstJournal } from '../../src/store/journal-file.ts';
import { tempFolder } from '../temp-folder.ts';

const CHAIN = Buffer.alloc(32, 7);
const RECORDS = [Buffer.from('vote one'), Buffer.alloc(300, 0xff), Buffer.from([0]), Buffer.from('the last')].map(
  (record) => new Uint8Array(record),
);
const HEADER_BYTES = 52;

const options = (folder: string, changes: Partial<JournalOptions> = {}): JournalOptions => ({
  folder,
  chainId: CHAIN,
  isNew: false,
  blindIfDamaged: 41,
  rotateBytes: 1_000_000,
  ...changes,
});

async function written(): Promise<{ folder: string; path: string; whole: Buffer }> {
  const folder = tempFolder();
  await writeFirstJournal(folder, CHAIN);
  const { journal } = await JournalFile.open(options(folder, { isNew: true }));
  await journal.append(RECORDS.slice(0, 2));
  await journal.append([]);
  await journal.append(RECORDS.slice(2));
  await journal.close();
  const path = join(folder, 'journal');
  return { folder, path, whole: await readFile(path) };
}

/** Opens, closes, and tells what was found. */
async function found(folder: string, changes: Partial<JournalOptions> = {}) {
  const { journal, content } = await JournalFile.open(options(folder, changes));
  await journal.close();
  return { ...content, blindHeight: journal.blindHeight };
}

describe('the journal', () => {
  it('gives back what was appended, in order, to whoever opens it', async () => {
    const { folder } = await written();
    expect(await found(folder)).toEqual({ records: RECORDS, damage: null, blindHeight: 0 });
    expect(await readJournal(folder)).toMatchObject({ records: RECORDS, damage: null, blindHeight: 0 });
  });

  it('cuts off a torn last record, wherever it was torn, and calls nothing damaged', async () => {
    const { folder, path, whole } = await written();
    const ends = [HEADER_BYTES];
    for (const { length } of RECORDS) ends.push((ends.at(-1) ?? 0) + 12 + length);
    for (let size = HEADER_BYTES; size < whole.length; size += 1) {
      await writeFile(path, whole.subarray(0, size));
      const intact = ends.filter((end) => end <= size).length - 1;
      expect(await found(folder), `cut to ${size}`).toEqual({
        records: RECORDS.slice(0, intact),
        damage: null,
        blindHeight: 0,
      });
      expect((await stat(path)).size).toBe(ends[intact]);
    }
  });

  it('notices every single flipped bit, keeps only records from before it, and stays blind from then on', async () => {
    const { folder, path, whole } = await written();
    for (let bit = 0; bit < 8 * whole.length; bit += bit < 8 * (HEADER_BYTES + 30) ? 1 : 37) {
      const broken = Buffer.from(whole);
      broken.writeUInt8(broken.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      await writeFile(path, broken);
      const { records, damage, blindHeight } = await found(folder);
      expect(damage, `bit ${bit}`).not.toBeNull();
      expect(records).toEqual(RECORDS.slice(0, records.length));
      expect(blindHeight).toBe(41);
      // The mended file remembers, although nothing in it looks wrong any more.
      expect(await found(folder, { blindIfDamaged: 0 })).toEqual({ records, damage: null, blindHeight: 41 });
    }
  });

  it('calls a run of zeros at its end damage: somebody wrote there', async () => {
    const { folder, path, whole } = await written();
    await writeFile(path, Buffer.concat([whole, Buffer.alloc(64)]));
    expect(await found(folder)).toMatchObject({ records: RECORDS, blindHeight: 41 });
  });

  it('appends behind what it kept, not behind garbage', async () => {
    const { folder, path } = await written();
    await truncate(path, (await stat(path)).size - 3);
    const { journal } = await JournalFile.open(options(folder));
    await journal.append([RECORDS[0] as Uint8Array]);
    await journal.close();
    expect((await found(folder)).records).toEqual([...RECORDS.slice(0, 3), RECORDS[0]]);
  });

  it('is damaged when it is missing from a store that had one, and knows nothing of the past in a new store', async () => {
    const folder = tempFolder();
    expect(await found(folder, { isNew: true })).toEqual({ records: [], damage: null, blindHeight: null });
    expect(await found(folder)).toEqual({ records: [], damage: null, blindHeight: null });
    const { journal } = await JournalFile.open(options(folder, { rotateBytes: 0 }));
    await journal.rotate(9, RECORDS);
    await journal.close();
    expect(await found(folder)).toEqual({ records: RECORDS, damage: null, blindHeight: null });
    expect(await found(tempFolder())).toMatchObject({ records: [], damage: 'it is missing', blindHeight: 41 });
  });

  it('keeps nothing when it is damaged and nobody knows what it covered: an answer of old would pass for a new one', async () => {
    const folder = tempFolder();
    const { journal } = await JournalFile.open(options(folder, { isNew: true }));
    await journal.append(RECORDS);
    await journal.close();
    const path = join(folder, 'journal');
    const broken = await readFile(path);
    broken.writeUInt8(broken.readUInt8(broken.length - 1) ^ 1, broken.length - 1);
    await writeFile(path, broken);
    expect(await found(folder)).toMatchObject({ records: [], damage: expect.anything(), blindHeight: null });
    expect(await found(folder)).toEqual({ records: [], damage: null, blindHeight: null });
  });

  it('leaves alone what a member has signed already when its keys are dealt again', async () => {
    const { folder } = await written();
    await writeFirstJournal(folder, CHAIN);
    expect(await found(folder)).toEqual({ records: RECORDS, damage: null, blindHeight: 0 });
  });

  it('makes way for the first journal of another chain when it is one itself, in a folder where no peer has started', async () => {
    const folder = tempFolder();
    const other = Buffer.alloc(32, 8);
    await writeFirstJournal(folder, other);
    await writeFirstJournal(folder, CHAIN);
    expect(await readJournal(folder)).toMatchObject({ chainId: CHAIN, records: [], blindHeight: 0 });
    await mkdir(join(folder, 'chain'));
    await expect(writeFirstJournal(folder, other)).rejects.toMatchObject({ code: 'STORE_OTHER_CHAIN' });
    await writeFirstJournal(folder, CHAIN);
    expect(await readJournal(folder)).toMatchObject({ chainId: CHAIN, records: [], blindHeight: 0 });
  });

  it.each<[string, (whole: Buffer) => Buffer]>([
    ['records', (whole) => whole],
    ['a torn record', (whole) => whole.subarray(0, HEADER_BYTES + 5)],
    ['damage', (whole) => Buffer.concat([whole.subarray(0, HEADER_BYTES), Buffer.alloc(64)])],
  ])('is not replaced by that of another chain when it has %s: STORE_OTHER_CHAIN', async (_, change) => {
    const { folder, path, whole } = await written();
    const left = change(whole);
    await writeFile(path, left);
    await expect(writeFirstJournal(folder, Buffer.alloc(32, 8))).rejects.toMatchObject({
      code: 'STORE_OTHER_CHAIN',
      message: expect.stringContaining(folder),
    });
    expect(await readFile(path)).toEqual(left);
  });

  it('is not replaced by that of another chain when nobody knows what its member has signed', async () => {
    const folder = tempFolder();
    await found(folder, { isNew: true });
    await expect(writeFirstJournal(folder, Buffer.alloc(32, 8))).rejects.toMatchObject({ code: 'STORE_OTHER_CHAIN' });
    expect((await found(folder)).blindHeight).toBeNull();
  });

  it('refuses the journal of another chain with STORE_OTHER_CHAIN', async () => {
    const { folder } = await written();
    await expect(JournalFile.open(options(folder, { chainId: Buffer.alloc(32, 8) }))).rejects.toMatchObject({
      code: 'STORE_OTHER_CHAIN',
    });
  });

  it('starts anew with what is carried once it has grown large, and remembers from which height on it is complete', async () => {
    const { folder, path, whole } = await written();
    const { journal } = await JournalFile.open(options(folder, { rotateBytes: whole.length }));
    await journal.rotate(9, [RECORDS[2] as Uint8Array]);
    await journal.append([RECORDS[3] as Uint8Array]);
    await journal.rotate(10, []);
    await journal.close();
    expect((await stat(path)).size).toBeLessThan(whole.length);
    expect(await found(folder)).toEqual({ records: RECORDS.slice(2), damage: null, blindHeight: 9 });
  });

  it('never forgets a blind height when it is rotated below it', async () => {
    const { folder, path } = await written();
    await writeFile(path, Buffer.alloc(200));
    const { journal } = await JournalFile.open(options(folder, { rotateBytes: 0 }));
    await journal.rotate(9, []);
    await journal.close();
    expect((await found(folder)).blindHeight).toBe(41);
  });

  it('acknowledges an append only after its bytes were synced', async () => {
    const folder = tempFolder();
    const { journal } = await JournalFile.open(options(folder, { isNew: true }));
    const before = (await stat(join(folder, 'journal'))).size;
    const synced: number[] = [];
    const sync = vi.spyOn(fs, 'fdatasyncSync').mockImplementation((fd) => void synced.push(fs.fstatSync(fd).size));
    // The system may take a part of what it is given.
    const { writeSync } = fs;
    const write = vi
      .spyOn(fs, 'writeSync')
      .mockImplementation(((fd: number, bytes: Uint8Array, offset: number) =>
        writeSync(fd, bytes, offset, Math.min(7, bytes.length - offset))) as typeof fs.writeSync);
    try {
      await journal.append(RECORDS);
      expect(synced).toEqual([(await stat(join(folder, 'journal'))).size]);
      expect(synced[0]).toBeGreaterThan(before);
      sync.mockImplementation(() => {
        throw new Error('no');
      });
      await expect(journal.append(RECORDS)).rejects.toMatchObject({ code: 'STORE_WRITE_FAILED' });
    } finally {
      sync.mockRestore();
      write.mockRestore();
      await journal.close();
    }
    expect((await found(folder)).records.slice(0, RECORDS.length)).toEqual(RECORDS);
  });

  it('holds any records of any size', () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 5_000 }), { maxLength: 20 }), async (records) => {
        const folder = tempFolder();
        const { journal } = await JournalFile.open(options(folder, { isNew: true }));
        await journal.append(records);
        await journal.close();
        expect((await found(folder)).records).toEqual(records);
      }),
      { numRuns: 15, seed: 3 },
    ));
});
