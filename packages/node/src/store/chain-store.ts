import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChainReader, CommitRecord, StoredPeer, StoreWrite } from '@wattmesh/consensus';
import { Level } from 'level';
import { StoreError, writeError } from './errors.ts';
import { JournalFile } from './journal-file.ts';

/** Heights of which the state is kept beyond those that evidence may concern: a damaged tail can be rolled back. */
const SPARE_STATES = 28;
const FORMAT = 'wattmesh-store-1';

/** What the store needs to know of a chain to check its own contents; the consensus package provides it. */
export interface StoreCodec {
  readonly chainId: string;
  /** Heights that evidence may concern: their states are kept. */
  readonly evidenceBlocks: number;
  /** Throws when the bytes are not a block; returns its links. */
  describeBlock(bytes: Uint8Array): {
    readonly hash: string;
    readonly parentHash: string;
    readonly height: number;
    readonly stateRoot: string;
  };
  /** Hash and height that a certificate certifies. Throws when it is malformed. */
  describeCertificate(bytes: Uint8Array): { readonly blockHash: string; readonly height: number };
  /** Merkle root of an encoded state. Throws when it is malformed. */
  stateRoot(bytes: Uint8Array): string;
}

export interface OpenReport {
  readonly stored: StoredPeer;
  /** What was wrong and was mended; empty for a healthy store. */
  readonly repairs: readonly string[];
}

export interface TransactionPlace {
  readonly height: number;
  readonly index: number;
}

/**
 * A peer's chain on disk: LevelDB for what is committed (one synced batch a height) and a journal for what must not be
 * signed twice. One process at a time; the folder belongs to one chain.
 *
 * LevelDB can lose a batch from the middle of its log without an error, so `open` walks the whole chain of hashes,
 * compares each certificate, and recomputes the head's state root. A broken tail is cut off at the last height that
 * checks out: the peer fetches the rest from the others, and signs nothing at the heights that it once had.
 */
export class ChainStore implements ChainReader {
  readonly #folder: string;
  readonly #db: Level<string, Uint8Array>;
  readonly #journal: JournalFile;
  readonly #statesKept: number;
  #head: number;

  private constructor(
    folder: string,
    db: Level<string, Uint8Array>,
    journal: JournalFile,
    head: number,
    statesKept: number,
  ) {
    this.#statesKept = statesKept;
    this.#folder = folder;
    this.#db = db;
    this.#journal = journal;
    this.#head = head;
  }

  static async open(folder: string, codec: StoreCodec): Promise<{ store: ChainStore; report: OpenReport }> {
    await mkdir(folder, { recursive: true });
    const db = await openLevel(join(folder, 'chain'));
    try {
      await checkChain(db, folder, codec);
      const { journal, content } = await JournalFile.open(folder, Buffer.from(codec.chainId, 'hex'));
      const recorded = numberAt(db, 'meta/head');
      const repairs: string[] = [];
      const head = lastIntactHeight(db, codec, recorded, repairs);
      if (head < recorded) await truncate(db, head, recorded);
      if (content.damaged) repairs.push('the journal was damaged; this peer does not vote at the next height');
      const silentThrough = Math.max(
        numberAt(db, 'meta/silent'),
        head < recorded ? recorded + 1 : 0,
        content.damaged ? recorded + 1 : 0,
      );
      // Remembered, because the next start finds a mended store that no longer shows what happened.
      if (silentThrough > head) await db.put('meta/silent', encodeNumber(silentThrough), { sync: true });
      const stored: StoredPeer = {
        head: head === 0 ? null : { state: bytesAt(db, key('s', head)), certificate: bytesAt(db, key('c', head)) },
        journal: content.records,
        silentThrough,
      };
      return {
        store: new ChainStore(folder, db, journal, head, codec.evidenceBlocks + SPARE_STATES),
        report: { stored, repairs },
      };
    } catch (error) {
      await db.close();
      throw error;
    }
  }

  /** Height of the last durable block. */
  get head(): number {
    return this.#head;
  }

  /** Makes writes durable in order. When it rejects, nothing that follows them may be sent and the peer must stop. */
  async write(writes: readonly StoreWrite[]): Promise<void> {
    let pending: Uint8Array[] = [];
    for (const write of writes) {
      if (write.type === 'journal') {
        pending.push(write.bytes);
        continue;
      }
      await this.#journal.append(pending);
      pending = [];
      await this.#commit(write.commit);
    }
    await this.#journal.append(pending);
  }

  block(height: number): { block: Uint8Array; certificate: Uint8Array } | null {
    const block = height <= this.#head ? this.#db.getSync(key('b', height)) : undefined;
    const certificate = this.#db.getSync(key('c', height));
    return block === undefined || certificate === undefined ? null : { block, certificate };
  }

  /** Encoded state after `height`; null when it is not (or no longer) kept. */
  state(height: number): Uint8Array | null {
    return this.#db.getSync(key('s', height)) ?? null;
  }

  heightOfBlock(hash: string): number | null {
    const value = this.#db.getSync(`h/${hash}`);
    return value === undefined ? null : decodeNumber(value);
  }

  transaction(id: string): TransactionPlace | null {
    const value = this.#db.getSync(`t/${id}`);
    if (value === undefined) return null;
    return { height: decodeNumber(value.subarray(0, 8)), index: decodeNumber(value.subarray(8, 16)) };
  }

  async close(): Promise<void> {
    await this.#journal.close();
    await this.#db.close();
  }

  async #commit(commit: CommitRecord): Promise<void> {
    const { height } = commit;
    const batch = this.#db.batch();
    batch.put(key('b', height), commit.block);
    batch.put(key('c', height), commit.certificate);
    batch.put(key('s', height), commit.state);
    batch.put(`h/${commit.blockHash}`, encodeNumber(height));
    for (const [index, id] of commit.transactionIds.entries())
      batch.put(`t/${id}`, Buffer.concat([encodeNumber(height), encodeNumber(index)]));
    if (height > this.#statesKept) batch.del(key('s', height - this.#statesKept));
    batch.put('meta/head', encodeNumber(height));
    try {
      await batch.write({ sync: true });
    } catch (error) {
      throw writeError(this.#folder, error);
    }
    this.#head = height;
    await this.#journal.rotate(commit.carry);
  }
}

async function openLevel(path: string): Promise<Level<string, Uint8Array>> {
  const db = new Level<string, Uint8Array>(path, { keyEncoding: 'utf8', valueEncoding: 'view' });
  try {
    await db.open();
    return db;
  } catch (error) {
    const cause = (error as { cause?: { code?: string; message?: string } }).cause;
    if (cause?.code === 'LEVEL_LOCKED')
      throw new StoreError(
        'STORE_LOCKED',
        `another process uses the store in ${path}; stop it or choose another data folder`,
        { cause: error },
      );
    // LevelDB could not read its own files: let it rebuild what it can; the chain of hashes decides what that is worth.
    const { ClassicLevel } = await import('classic-level');
    try {
      await ClassicLevel.repair(path);
      await db.open();
      return db;
    } catch (again) {
      throw new StoreError(
        'STORE_CORRUPT',
        `the store in ${path} cannot be opened or repaired (${cause?.message ?? String(error)}); move the folder away and start again: the peer fetches the chain from the others`,
        { cause: again },
      );
    }
  }
}

async function checkChain(db: Level<string, Uint8Array>, folder: string, codec: StoreCodec): Promise<void> {
  const format = db.getSync('meta/format');
  if (format === undefined) {
    if (db.getSync('meta/head') !== undefined)
      throw new StoreError(
        'STORE_FORMAT',
        `the store in ${folder} has no format mark; it was not written by this program`,
      );
    await db.batch(
      [
        { type: 'put', key: 'meta/format', value: text(FORMAT) },
        { type: 'put', key: 'meta/chain', value: text(codec.chainId) },
      ],
      { sync: true },
    );
    return;
  }
  if (asText(format) !== FORMAT)
    throw new StoreError(
      'STORE_FORMAT',
      `the store in ${folder} has format ${asText(format)}, this program reads ${FORMAT}`,
    );
  const chain = db.getSync('meta/chain');
  if (chain === undefined || asText(chain) !== codec.chainId)
    throw new StoreError(
      'STORE_OTHER_CHAIN',
      `the store in ${folder} belongs to chain ${chain === undefined ? '(none)' : asText(chain).slice(0, 12)}, this peer to ${codec.chainId.slice(0, 12)}; use another data folder`,
    );
}

/** Walks the chain from its first block and returns the last height up to which everything checks out. */
function lastIntactHeight(
  db: Level<string, Uint8Array>,
  codec: StoreCodec,
  recorded: number,
  repairs: string[],
): number {
  let parent = codec.chainId;
  let intact = 0;
  const roots: string[] = [codec.chainId];
  for (let height = 1; height <= recorded; height += 1) {
    const problem = checkHeight(db, codec, height, parent);
    if (typeof problem === 'string') {
      repairs.push(`height ${height} of ${recorded}: ${problem}; cut off there`);
      break;
    }
    parent = problem.hash;
    roots.push(problem.stateRoot);
    intact = height;
  }
  for (; intact > 0; intact -= 1) {
    const state = db.getSync(key('s', intact));
    try {
      if (state !== undefined && codec.stateRoot(state) === roots[intact]) return intact;
      repairs.push(
        `height ${intact}: its state is ${state === undefined ? 'missing' : 'not the one in the header'}; cut off there`,
      );
    } catch (error) {
      repairs.push(`height ${intact}: its state cannot be read (${(error as Error).message}); cut off there`);
    }
  }
  return 0;
}

function checkHeight(
  db: Level<string, Uint8Array>,
  codec: StoreCodec,
  height: number,
  parent: string,
): { hash: string; stateRoot: string } | string {
  const bytes = db.getSync(key('b', height));
  const certificateBytes = db.getSync(key('c', height));
  if (bytes === undefined) return 'the block is missing';
  if (certificateBytes === undefined) return 'the certificate is missing';
  try {
    const block = codec.describeBlock(bytes);
    const certificate = codec.describeCertificate(certificateBytes);
    if (block.height !== height || block.parentHash !== parent) return 'the block does not follow its parent';
    if (certificate.height !== height || certificate.blockHash !== block.hash)
      return 'the certificate is for another block';
    return block;
  } catch (error) {
    return `unreadable (${(error as Error).message})`;
  }
}

/** Removes the heights above `head` in one batch. Their index entries go too; the peers have the blocks. */
async function truncate(db: Level<string, Uint8Array>, head: number, recorded: number): Promise<void> {
  const batch = db.batch();
  for (let height = head + 1; height <= recorded; height += 1)
    for (const kind of ['b', 'c', 's']) batch.del(key(kind, height));
  for (const [hash, value] of await db.iterator({ gte: 'h/', lt: 'h0' }).all())
    if (decodeNumber(value) > head) batch.del(hash);
  for (const [id, value] of await db.iterator({ gte: 't/', lt: 't0' }).all())
    if (decodeNumber(value.subarray(0, 8)) > head) batch.del(id);
  batch.put('meta/head', encodeNumber(head));
  batch.put('meta/silent', encodeNumber(recorded + 1));
  await batch.write({ sync: true });
}

function key(kind: string, height: number): string {
  return `${kind}/${height.toString(16).padStart(10, '0')}`;
}

function bytesAt(db: Level<string, Uint8Array>, name: string): Uint8Array {
  const value = db.getSync(name);
  if (value === undefined)
    throw new StoreError('STORE_CORRUPT', `the entry ${name} vanished while the store was being opened`);
  return value;
}

function numberAt(db: Level<string, Uint8Array>, name: string): number {
  const value = db.getSync(name);
  return value === undefined ? 0 : decodeNumber(value);
}

function encodeNumber(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

function decodeNumber(bytes: Uint8Array): number {
  return Number(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).readBigUInt64BE());
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

function asText(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
