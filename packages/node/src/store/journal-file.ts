import { existsSync } from 'node:fs';
import { type FileHandle, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { StoreError, writeError } from './errors.ts';
import { appendSynced } from './synced-append.ts';

/**
 * The journal: an append-only file. Header: `magic (8) | chain id (32) | blind height (8) | CRC-32 of these (4)`. Then
 * records: `length (4) | CRC-32 of the record (4) | CRC-32 of these 8 bytes (4) | record`. What a peer must never sign
 * twice is in here before it is sent.
 *
 * The *blind height* says what the file does not hold: everything that was signed above that height is in it, what was
 * signed at or below it may not be. It is written in one step with the records, so that no crash parts the two. All ones
 * say that nobody knows: the file was made where there was none, and this member may have signed on another disk. Only who
 * deals a member its keys can know better, and makes the first file.
 *
 * How it fails: a last record that is shorter than its (intact) length says was never acknowledged, since an
 * acknowledged append has its size on disk; it is cut off. Anything else that does not check out, a flipped bit or a run
 * of zeros, is damage: the records before it are kept, and the blind height rises.
 */
const MAGIC = new TextEncoder().encode('WMJRNL01');
const CHAIN_ID_BYTES = 32;
const HEADER_BYTES = MAGIC.length + CHAIN_ID_BYTES + 8 + 4;
const UNKNOWN = 2n ** 64n - 1n;
const FRAME_BYTES = 12;

export interface JournalOptions {
  readonly folder: string;
  /** 32 bytes. */
  readonly chainId: Uint8Array;
  /** Whether the store is new: a missing journal is no damage then, but nobody knows what was signed elsewhere. */
  readonly isNew: boolean;
  /** Up to which height this peer may have signed, if the journal turns out to be damaged; null when nobody knows. */
  readonly blindIfDamaged: number | null;
  /** After a commit, a larger journal is started anew with the records that still matter. */
  readonly rotateBytes: number;
}

export interface JournalContent {
  readonly records: readonly Uint8Array[];
  /** What was wrong with the file; null when it was whole. */
  readonly damage: string | null;
}

export class JournalFile {
  readonly #options: JournalOptions;
  #file: FileHandle;
  #bytes: number;
  #blindHeight: number | null;

  private constructor(options: JournalOptions, file: FileHandle, bytes: number, blindHeight: number | null) {
    this.#options = options;
    this.#file = file;
    this.#bytes = bytes;
    this.#blindHeight = blindHeight;
  }

  /** @throws StoreError STORE_OTHER_CHAIN, STORE_UNREADABLE, STORE_FULL, STORE_WRITE_FAILED */
  static async open(options: JournalOptions): Promise<{ journal: JournalFile; content: JournalContent }> {
    const existing = await readExisting(options.folder);
    const parsed = existing === null ? missing(options.isNew) : parse(existing);
    if (parsed.chainId !== null && !parsed.chainId.equals(options.chainId)) throw otherChain(options.folder);
    const { damage } = parsed;
    const blindHeight = higher(parsed.blindHeight, damage === null ? 0 : options.blindIfDamaged);
    // Where the others must be asked, an answer of old would be taken for one that covers what is lost now.
    const records = damage !== null && blindHeight === null ? [] : parsed.records;
    try {
      // A missing, damaged or torn file is written anew from what is intact, so that new records never follow garbage.
      const isWhole = existing !== null && damage === null && parsed.end === existing.length;
      const file = isWhole
        ? await open(join(options.folder, 'journal'), 'a')
        : await create(options, blindHeight, records);
      const bytes = (await file.stat()).size;
      return { journal: new JournalFile(options, file, bytes, blindHeight), content: { records, damage } };
    } catch (error) {
      throw writeError(options.folder, error);
    }
  }

  /** Heights up to this one at which signatures may have been given that are not in here; null when nobody knows. */
  get blindHeight(): number | null {
    return this.#blindHeight;
  }

  /** Appends and makes durable; when it resolves, the records survive SIGKILL and power loss. */
  async append(records: readonly Uint8Array[]): Promise<void> {
    if (records.length === 0) return;
    const framed = Buffer.concat(records.map(frame));
    try {
      appendSynced(this.#file.fd, framed);
    } catch (error) {
      throw writeError(this.#options.folder, error);
    }
    this.#bytes += framed.length;
  }

  /** If the file has grown large, starts it anew at the committed `height` with `carry`: all that matters above it. */
  async rotate(height: number, carry: readonly Uint8Array[]): Promise<void> {
    if (this.#bytes < this.#options.rotateBytes) return;
    await this.#restart(higher(this.#blindHeight, height), carry);
  }

  /** Starts the file anew as that of a member who has signed nothing, whatever it holds: who calls this knows better. */
  async declareUnsigned(): Promise<void> {
    await this.#restart(0, []);
  }

  async #restart(blindHeight: number | null, records: readonly Uint8Array[]): Promise<void> {
    try {
      const file = await create(this.#options, blindHeight, records);
      await this.#file.close();
      this.#file = file;
      this.#blindHeight = blindHeight;
      this.#bytes = (await file.stat()).size;
    } catch (error) {
      throw writeError(this.#options.folder, error);
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

/** What a journal holds, without opening it for writing; for tests and for looking into a stopped peer's past. */
export async function readJournal(folder: string): Promise<JournalContent & { readonly blindHeight: number | null }> {
  return parse(await readFile(join(folder, 'journal')));
}

/**
 * Makes the journal of a member whose keys have just been dealt: it has signed nothing yet. A data folder that never had
 * this one belongs to a peer that may have signed on a disk which is lost. Leaves alone a folder with a journal or a chain; but
 * the first journal of another chain, in which nobody has ever started a peer, is what an interrupted attempt left behind,
 * and is replaced: its chain has never been.
 * @throws StoreError STORE_OTHER_CHAIN when a peer of another chain has been at work in the folder; STORE_UNREADABLE,
 * STORE_FULL, STORE_WRITE_FAILED
 */
export async function writeFirstJournal(folder: string, chainId: Uint8Array): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    const hasChain = existsSync(join(folder, 'chain'));
    const existing = await readExisting(folder);
    if (existing === null && hasChain) return;
    if (existing !== null) {
      const parsed = parse(existing);
      if (parsed.chainId === null || parsed.chainId.equals(chainId)) return;
      if (hasChain || !isFirst(parsed, existing)) throw otherChain(folder);
    }
    const file = await create({ folder, chainId }, 0, []);
    await file.close();
  } catch (error) {
    throw writeError(folder, error);
  }
}

async function readExisting(folder: string): Promise<Buffer | null> {
  const path = join(folder, 'journal');
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw new StoreError('STORE_UNREADABLE', `cannot read ${path}: ${error.message}`, { cause: error });
  });
}

function otherChain(folder: string): StoreError {
  return new StoreError(
    'STORE_OTHER_CHAIN',
    `the journal in ${folder} belongs to another chain; use another data folder`,
  );
}

/** Whether a journal is as it was dealt: not a byte has been written to it since. */
function isFirst({ blindHeight, damage, end }: Parsed, file: Buffer): boolean {
  return blindHeight === 0 && damage === null && end === HEADER_BYTES && file.length === HEADER_BYTES;
}

/** Null stands for a height that nobody knows, and is above all others. */
function higher(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : Math.max(a, b);
}

interface Parsed extends JournalContent {
  /** Null when the header does not check out. */
  readonly chainId: Buffer | null;
  readonly blindHeight: number | null;
  /** Where the intact part ends. */
  readonly end: number;
}

function missing(isNew: boolean): Parsed {
  const damage = isNew ? null : 'it is missing';
  return { records: [], damage, chainId: null, blindHeight: isNew ? null : 0, end: 0 };
}

function parse(file: Buffer): Parsed {
  const header = file.subarray(0, HEADER_BYTES);
  const sum = HEADER_BYTES - 4;
  // The header was synced before the file got its name: a file without a whole one has lost something.
  if (header.length < HEADER_BYTES || crc32(header.subarray(0, sum)) !== header.readUInt32BE(sum))
    return { records: [], damage: 'its header is broken', chainId: null, blindHeight: 0, end: 0 };
  if (!header.subarray(0, MAGIC.length).equals(MAGIC))
    return { records: [], damage: 'it has another format', chainId: null, blindHeight: 0, end: 0 };
  const chainId = header.subarray(MAGIC.length, MAGIC.length + CHAIN_ID_BYTES);
  const written = header.readBigUInt64BE(MAGIC.length + CHAIN_ID_BYTES);
  const blindHeight = written === UNKNOWN ? null : Number(written);
  const records: Uint8Array[] = [];
  let offset = HEADER_BYTES;
  while (offset + FRAME_BYTES <= file.length) {
    const length = file.readUInt32BE(offset);
    const damage = `the record at byte ${offset} of ${file.length} is broken`;
    if (crc32(file.subarray(offset, offset + 8)) !== file.readUInt32BE(offset + 8))
      return { records, damage, chainId, blindHeight, end: offset };
    const end = offset + FRAME_BYTES + length;
    if (end > file.length) break;
    const record = file.subarray(offset + FRAME_BYTES, end);
    if (crc32(record) !== file.readUInt32BE(offset + 4)) return { records, damage, chainId, blindHeight, end: offset };
    records.push(new Uint8Array(record));
    offset = end;
  }
  return { records, damage: null, chainId, blindHeight, end: offset };
}

function frame(record: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(FRAME_BYTES + record.length);
  bytes.writeUInt32BE(record.length, 0);
  bytes.writeUInt32BE(crc32(record), 4);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 8)), 8);
  bytes.set(record, FRAME_BYTES);
  return bytes;
}

/** Writes a whole new journal beside the old one and puts it in its place in one step. */
async function create(
  { folder, chainId }: Pick<JournalOptions, 'folder' | 'chainId'>,
  blindHeight: number | null,
  records: readonly Uint8Array[],
): Promise<FileHandle> {
  const path = join(folder, 'journal');
  const next = `${path}.new`;
  const height = Buffer.alloc(8);
  height.writeBigUInt64BE(blindHeight === null ? UNKNOWN : BigInt(blindHeight));
  const header = Buffer.concat([MAGIC, chainId, height]);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(header));
  await rm(next, { force: true });
  const file = await open(next, 'a');
  try {
    await file.appendFile(Buffer.concat([header, sum, ...records.map(frame)]));
    await file.sync();
    await rename(next, path);
    await syncFolder(folder);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Makes the names in a folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  const directory = await open(folder, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
