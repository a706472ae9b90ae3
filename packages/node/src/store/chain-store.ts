import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type CommitRecord, decodeJournalEntry, type StoredPeer, type StoreWrite } from '@wattmesh/consensus';
import { fileBlobs, readBlob } from './blob-shelf.ts';
import {
  checkIdentity,
  lastIntactHeight,
  putIndex,
  rebuildIndex,
  recordedHeight,
  type StoreCodec,
  truncate,
  writeIdentity,
} from './chain-check.ts';
import { decodeNumber, encodeNumbers, hashKey, heightKey, META, transactionKey } from './chain-layout.ts';
import { isDiskFull, messagesOf, StoreError, writeError } from './errors.ts';
import { type JournalContent, JournalFile, syncFolder } from './journal-file.ts';
import { type ChainDatabase, corrupt, locked, openLevel, readSealed, sealed } from './level-folder.ts';
import type { PeerStore } from './peer-store.ts';

/** Folders that this process has open: LevelDB's own lock is lost when its process asks for it a second time. */
const openFolders = new Set<string>();

/** Heights of which the state is kept beyond those that evidence may concern: a damaged tail can be rolled back. */
const SPARE_STATES = 28;
const ROTATE_BYTES = 4 * 1024 * 1024;

export interface TransactionPlace {
  readonly height: number;
  readonly index: number;
}

export interface ChainStoreOptions {
  /** After a commit, a journal larger than this is started anew with the records that still matter. */
  readonly rotateBytes?: number;
  /**
   * The operator knows that this member's keys have never signed anything on this chain. Refused with STORE_HAS_SIGNED
   * where the folder says otherwise, or has lost what it said.
   */
  readonly neverSigned?: boolean;
}

/**
 * A peer's chain on disk: LevelDB for what is committed (one synced batch a height, every value with a checksum) and a
 * journal for what must not be signed twice. One process at a time; the folder belongs to one chain.
 *
 * LevelDB can lose a batch from the middle of its log without an error, so `open` walks the whole chain of hashes,
 * compares each certificate, and recomputes the head's state root. What does not check out is cut off at the last height
 * that does: the peer fetches the rest from the others. What it signed there stands in the journal; only where the
 * journal itself has lost something does the peer stay silent (`StoredPeer.silentThrough`).
 */
export class ChainStore implements PeerStore {
  readonly #folder: string;
  readonly #db: ChainDatabase;
  readonly #journal: JournalFile;
  readonly #statesKept: number;
  readonly #loaded: StoredPeer;
  /** What was wrong and was mended when the store was opened; empty for a healthy store. */
  readonly repairs: readonly string[];
  #head: number;
  #failure: StoreError | null = null;

  private constructor(
    folder: string,
    db: ChainDatabase,
    journal: JournalFile,
    found: {
      readonly head: number;
      readonly loaded: StoredPeer;
      readonly repairs: readonly string[];
      readonly statesKept: number;
    },
  ) {
    this.#folder = folder;
    this.#db = db;
    this.#journal = journal;
    this.#head = found.head;
    this.#statesKept = found.statesKept;
    this.#loaded = found.loaded;
    this.repairs = found.repairs;
  }

  /** @throws StoreError with every code of `StoreErrorCode` */
  static async open(folder: string, codec: StoreCodec, options: ChainStoreOptions = {}): Promise<ChainStore> {
    const path = resolve(folder, 'chain');
    if (openFolders.has(path)) throw locked(path, null);
    openFolders.add(path);
    try {
      await makeFolder(folder);
      const { db, repaired } = await openLevel(path);
      return await ChainStore.#check(folder, path, db, repaired, codec, options);
    } catch (error) {
      openFolders.delete(path);
      throw error;
    }
  }

  static async #check(
    folder: string,
    path: string,
    db: ChainDatabase,
    repaired: string | null,
    codec: StoreCodec,
    options: ChainStoreOptions,
  ): Promise<ChainStore> {
    let journal: JournalFile | null = null;
    try {
      const repairs = repaired === null ? [] : [`LevelDB rebuilt ${path}: ${repaired}`];
      const isNew = await checkIdentity(db, path, codec, repaired);
      const recorded = await recordedHeight(db);
      const head = lastIntactHeight(db, codec, recorded, repairs);
      const opened = await JournalFile.open({
        folder,
        chainId: Buffer.from(codec.chainId, 'hex'),
        isNew: isNew && repaired === null,
        // What LevelDB has lost may be the newest heights.
        blindIfDamaged: repaired === null ? recorded + 1 : null,
        rotateBytes: options.rotateBytes ?? ROTATE_BYTES,
      });
      journal = opened.journal;
      let { records } = opened.content;
      const { damage } = opened.content;
      if (options.neverSigned) {
        const objection = objectionToUnsigned(head, repairs, opened.content, journal.blindHeight);
        if (objection !== null)
          throw new StoreError(
            'STORE_HAS_SIGNED',
            `${folder} does not bear out that its member has never signed: ${objection}; start without --never-signed`,
          );
        if (journal.blindHeight === null) {
          await journal.declareUnsigned();
          records = [];
        }
      }
      if (damage !== null) repairs.push(`the journal lost records: ${damage}`);
      const { blindHeight } = journal;
      const silentThrough = blindHeight === null || blindHeight > head ? blindHeight : 0;
      if (silentThrough === null && records.length === 0)
        repairs.push(`${folder} does not say what this member has signed; it asks the others before it signs`);
      if (silentThrough !== null && silentThrough > 0)
        repairs.push(`this peer signs nothing up to height ${silentThrough}`);
      // Only after the journal exists, so that a store with this mark but without a journal has lost one.
      if (isNew) await writeIdentity(db, codec);
      if (head < recorded) await truncate(db, head);
      if (repaired !== null) await rebuildIndex(db, codec, head);
      const loaded = { head: head === 0 ? null : readHead(db, head), journal: records, silentThrough };
      return new ChainStore(folder, db, journal, {
        head,
        loaded,
        repairs,
        statesKept: codec.evidenceBlocks + SPARE_STATES,
      });
    } catch (error) {
      await journal?.close();
      await db.close();
      if (error instanceof StoreError && error.code !== 'STORE_CORRUPT') throw error;
      throw isDiskFull(error) ? writeError(folder, error) : corrupt(path, messagesOf(error), error);
    }
  }

  load(): StoredPeer {
    return this.#loaded;
  }

  /** Height of the last durable block. */
  get head(): number {
    return this.#head;
  }

  /** @throws StoreError STORE_FULL, STORE_WRITE_FAILED; then every further write fails the same way */
  async write(writes: readonly StoreWrite[]): Promise<void> {
    // What follows a failed append would stand behind garbage in the file.
    if (this.#failure !== null) throw this.#failure;
    try {
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
    } catch (error) {
      this.#failure = writeError(this.#folder, error);
      throw this.#failure;
    }
  }

  /** @throws StoreError STORE_CORRUPT, as every reader here, when the stored bytes do not check out */
  block(height: number): { block: Uint8Array; certificate: Uint8Array } | null {
    if (height > this.#head) return null;
    const block = readSealed(this.#db, heightKey('block', height));
    const certificate = readSealed(this.#db, heightKey('certificate', height));
    return block === undefined || certificate === undefined ? null : { block, certificate };
  }

  /** Encoded state after `height`; null when it is not (or no longer) kept. */
  state(height: number): Uint8Array | null {
    return readSealed(this.#db, heightKey('state', height)) ?? null;
  }

  heightOfBlock(hash: string): number | null {
    const value = readSealed(this.#db, hashKey(hash));
    return value === undefined ? null : decodeNumber(value);
  }

  transaction(id: string): TransactionPlace | null {
    const value = readSealed(this.#db, transactionKey(id));
    return value === undefined ? null : { height: decodeNumber(value), index: decodeNumber(value, 1) };
  }

  /** Bytes that a recent block lists or makes, or that the state refers to. */
  blob(hash: string): Uint8Array | null {
    return readBlob(this.#db, hash);
  }

  async close(): Promise<void> {
    try {
      await this.#journal.close();
      await this.#db.close();
    } finally {
      openFolders.delete(resolve(this.#folder, 'chain'));
    }
  }

  async #commit(commit: CommitRecord): Promise<void> {
    const { height } = commit;
    if (height !== this.#head + 1) throw new Error(`height ${height} cannot follow height ${this.#head}`);
    const batch = this.#db.batch();
    batch.put(heightKey('block', height), sealed(commit.block));
    batch.put(heightKey('certificate', height), sealed(commit.certificate));
    batch.put(heightKey('state', height), sealed(commit.state));
    putIndex(batch, height, commit.blockHash, commit.transactionIds);
    if (height > this.#statesKept) batch.del(heightKey('state', height - this.#statesKept));
    if (commit.wantedBlobs !== undefined) await fileBlobs(this.#db, batch, commit, this.#statesKept);
    batch.put(META.head, sealed(encodeNumbers(height)));
    await batch.write({ sync: true });
    this.#head = height;
    await this.#journal.rotate(height, commit.carry);
  }
}

/**
 * What in a folder speaks against a member having signed nothing; null when nothing does. A peer that was started on an
 * empty disk has made a chain without blocks, and noted for how long it keeps silent: neither is a signature.
 */
function objectionToUnsigned(
  head: number,
  repairs: readonly string[],
  { records, damage }: JournalContent,
  blindHeight: number | null,
): string | null {
  const [repair] = repairs;
  if (head > 0) return `it holds a chain of ${head} blocks`;
  if (repair !== undefined) return `it was damaged (${repair})`;
  if (damage !== null) return `its journal was damaged (${damage})`;
  const isSignature = (type: string | undefined): boolean => type !== 'silence' && type !== 'absence';
  if (records.some((record) => isSignature(decodeJournalEntry(record)?.type)))
    return 'its journal holds what it has signed';
  if (blindHeight !== null && blindHeight > 0) return `its journal has lost what it signed up to height ${blindHeight}`;
  return null;
}

function readHead(db: ChainDatabase, head: number): { state: Uint8Array; certificate: Uint8Array } {
  const state = readSealed(db, heightKey('state', head));
  const certificate = readSealed(db, heightKey('certificate', head));
  if (state === undefined || certificate === undefined)
    throw new StoreError('STORE_CORRUPT', `height ${head} vanished while the store was being opened`);
  return { state, certificate };
}

/** Makes the folder and its name durable: a peer that forgets all of its past would sign it again. */
async function makeFolder(folder: string): Promise<void> {
  try {
    const first = await mkdir(folder, { recursive: true });
    if (first === undefined) return;
    const top = dirname(resolve(first));
    for (let made = dirname(resolve(folder)); made.length >= top.length; made = dirname(made)) {
      await syncFolder(made);
      if (made === top) break;
    }
  } catch (cause) {
    if (isDiskFull(cause)) throw writeError(folder, cause);
    throw new StoreError('STORE_UNREADABLE', `cannot use ${folder} as data folder: ${messagesOf(cause)}`, { cause });
  }
}
