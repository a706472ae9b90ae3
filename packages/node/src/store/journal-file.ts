import { type FileHandle, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { StoreError, writeError } from './errors.ts';

/**
 * The journal: an append-only file of records, each `length (4) | CRC-32 of the record (4) | record`, after a header of
 * `magic (8) | chain id (32)`. What a peer must never sign twice is in here before it is sent.
 *
 * How it fails: a last record that is shorter than its length was never acknowledged (an acknowledged append has its
 * size on disk) and is cut off. Anything else that does not check out, a flipped bit or a run of zeros, is *damage*:
 * the records before it are returned, and the caller must not sign where it may have signed before.
 */
const MAGIC = new TextEncoder().encode('WMJRNL01');
const HEADER_BYTES = MAGIC.length + 32;
const MAX_RECORD_BYTES = 16 * 1024 * 1024;
/** After a commit, a journal larger than this is started anew with the records that still matter. */
const ROTATE_BYTES = 4 * 1024 * 1024;

export interface JournalContent {
  readonly records: readonly Uint8Array[];
  readonly damaged: boolean;
}

export class JournalFile {
  readonly #folder: string;
  readonly #chainId: Uint8Array;
  #file: FileHandle;
  #bytes: number;

  private constructor(folder: string, chainId: Uint8Array, file: FileHandle, bytes: number) {
    this.#folder = folder;
    this.#chainId = chainId;
    this.#file = file;
    this.#bytes = bytes;
  }

  static async open(folder: string, chainId: Uint8Array): Promise<{ journal: JournalFile; content: JournalContent }> {
    const path = join(folder, 'journal');
    const existing = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw new StoreError('STORE_UNREADABLE', `cannot read ${path}: ${error.message}`, { cause: error });
    });
    if (existing === null || existing.length < HEADER_BYTES) {
      // A header that was never completed: the file was being created when the machine stopped, and held nothing yet.
      const journal = new JournalFile(folder, chainId, await create(folder, chainId, []), HEADER_BYTES);
      return { journal, content: { records: [], damaged: false } };
    }
    const foreign = !existing.subarray(MAGIC.length, HEADER_BYTES).equals(chainId);
    const intactMagic = existing.subarray(0, MAGIC.length).equals(MAGIC);
    if (intactMagic && foreign)
      throw new StoreError(
        'STORE_OTHER_CHAIN',
        `the journal in ${folder} belongs to another chain; use an empty data folder`,
      );
    const { records, damaged, end } = intactMagic ? parse(existing) : { records: [], damaged: true, end: HEADER_BYTES };
    // A damaged or torn file is rewritten from what is intact, so that new records never follow garbage.
    const rewrite = damaged || end !== existing.length;
    const file = rewrite ? await create(folder, chainId, records) : await open(path, 'a');
    const bytes = rewrite ? (await file.stat()).size : existing.length;
    return { journal: new JournalFile(folder, chainId, file, bytes), content: { records, damaged } };
  }

  /** Appends and makes durable; when it resolves, the records survive SIGKILL and power loss. */
  async append(records: readonly Uint8Array[]): Promise<void> {
    if (records.length === 0) return;
    const framed = Buffer.concat(records.map(frame));
    try {
      await this.#file.appendFile(framed);
      await this.#file.datasync();
    } catch (error) {
      throw writeError(this.#folder, error);
    }
    this.#bytes += framed.length;
  }

  /** Starts anew with `carry` if the file has grown large. Call only when everything else in it is obsolete. */
  async rotate(carry: readonly Uint8Array[]): Promise<void> {
    if (this.#bytes < ROTATE_BYTES) return;
    try {
      const file = await create(this.#folder, this.#chainId, carry);
      await this.#file.close();
      this.#file = file;
      this.#bytes = (await file.stat()).size;
    } catch (error) {
      throw writeError(this.#folder, error);
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

function frame(record: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(8 + record.length);
  bytes.writeUInt32BE(record.length, 0);
  bytes.writeUInt32BE(crc32(record), 4);
  bytes.set(record, 8);
  return bytes;
}

function parse(file: Buffer): { records: Uint8Array[]; damaged: boolean; end: number } {
  const records: Uint8Array[] = [];
  let offset = HEADER_BYTES;
  while (offset < file.length) {
    if (offset + 8 > file.length) break;
    const length = file.readUInt32BE(offset);
    if (length === 0 || length > MAX_RECORD_BYTES) return { records, damaged: true, end: offset };
    if (offset + 8 + length > file.length) break;
    const record = file.subarray(offset + 8, offset + 8 + length);
    if (crc32(record) !== file.readUInt32BE(offset + 4)) return { records, damaged: true, end: offset };
    records.push(new Uint8Array(record));
    offset += 8 + length;
  }
  return { records, damaged: false, end: offset };
}

/** Writes a whole new journal beside the old one and puts it in its place in one step. */
async function create(folder: string, chainId: Uint8Array, records: readonly Uint8Array[]): Promise<FileHandle> {
  const path = join(folder, 'journal');
  const next = `${path}.new`;
  await rm(next, { force: true });
  const file = await open(next, 'a');
  await file.appendFile(Buffer.concat([MAGIC, chainId, ...records.map(frame)]));
  await file.sync();
  await rename(next, path);
  const directory = await open(folder, 'r');
  await directory.sync();
  await directory.close();
  return file;
}
