import {
  decodeNumber,
  encodeNumbers,
  hashKey,
  heightKey,
  heightOfKey,
  keysOf,
  META,
  transactionKey,
} from './chain-layout.ts';
import { StoreError } from './errors.ts';
import { type ChainDatabase, corrupt, readSealed, sealed } from './level-folder.ts';

/** What the store needs to know of a chain to check its own contents; the consensus package provides it. */
export interface StoreCodec {
  readonly chainId: string;
  /** Heights that evidence may concern: the states of these and of some more are kept. */
  readonly evidenceBlocks: number;
  /** Links of a block. Throws when the bytes are not a block, or when its header does not commit to its body. */
  describeBlock(bytes: Uint8Array): {
    readonly hash: string;
    readonly parentHash: string;
    readonly height: number;
    readonly stateRoot: string;
  };
  /** Ids of a block's transactions, in order. Throws when the bytes are not a block. */
  transactionIds(bytes: Uint8Array): readonly string[];
  /** Hash and height that a certificate certifies. Throws when it is malformed. */
  describeCertificate(bytes: Uint8Array): { readonly blockHash: string; readonly height: number };
  /** Merkle root of an encoded state. Throws when it is malformed. */
  stateRoot(bytes: Uint8Array): string;
}

const FORMAT = 'wattmesh-store-1';

/**
 * Whether the database is new; else it must be of this chain and format.
 * @throws StoreError STORE_FORMAT, STORE_OTHER_CHAIN, STORE_CORRUPT
 */
export async function checkIdentity(
  db: ChainDatabase,
  path: string,
  codec: StoreCodec,
  repaired: string | null,
): Promise<boolean> {
  const format = readSealed(db, META.format);
  if (format === undefined) {
    const [any] = await db.keys({ limit: 1 }).all();
    if (any === undefined) return true;
    if (repaired !== null) throw corrupt(path, `${repaired}; the repair lost its identity`, null);
    throw new StoreError('STORE_FORMAT', `${path} holds a database that was not written by this program`);
  }
  if (asText(format) !== FORMAT)
    throw new StoreError(
      'STORE_FORMAT',
      `the store in ${path} has format ${asText(format)}, this program reads ${FORMAT}`,
    );
  const chain = readSealed(db, META.chain);
  if (chain === undefined || asText(chain) !== codec.chainId)
    throw new StoreError(
      'STORE_OTHER_CHAIN',
      `the store in ${path} belongs to chain ${chain === undefined ? '(none)' : asText(chain).slice(0, 12)}, this peer to ${codec.chainId.slice(0, 12)}; use another data folder`,
    );
  return false;
}

export async function writeIdentity(db: ChainDatabase, codec: StoreCodec): Promise<void> {
  await db.batch(
    [
      { type: 'put', key: META.format, value: sealed(new TextEncoder().encode(FORMAT)) },
      { type: 'put', key: META.chain, value: sealed(new TextEncoder().encode(codec.chainId)) },
    ],
    { sync: true },
  );
}

/** The highest height of which anything says that it was committed. */
export async function recordedHeight(db: ChainDatabase): Promise<number> {
  const [last] = await db.keys({ ...keysOf('block'), reverse: true, limit: 1 }).all();
  const highest = last === undefined ? 0 : heightOfKey(last);
  try {
    return Math.max(highest, decodeNumber(readSealed(db, META.head) ?? encodeNumbers(0)) || 0);
  } catch {
    return highest;
  }
}

/**
 * Walks the chain from its first block: bytes, links, certificates, and the state after the last one. Returns the last
 * height up to which everything checks out.
 */
export function lastIntactHeight(db: ChainDatabase, codec: StoreCodec, recorded: number, repairs: string[]): number {
  let parent = codec.chainId;
  let intact = 0;
  const roots: string[] = [''];
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
  const withBlocks = intact;
  let firstProblem: string | null = null;
  for (; intact > 0; intact -= 1) {
    const problem = checkState(db, codec, intact, roots[intact] as string);
    if (problem === null) break;
    firstProblem ??= problem;
  }
  if (firstProblem !== null) repairs.push(`height ${withBlocks}: ${firstProblem}; cut off at height ${intact}`);
  return intact;
}

function checkHeight(
  db: ChainDatabase,
  codec: StoreCodec,
  height: number,
  parent: string,
): { hash: string; stateRoot: string } | string {
  try {
    const bytes = readSealed(db, heightKey('block', height));
    if (bytes === undefined) return 'the block is missing';
    const certificateBytes = readSealed(db, heightKey('certificate', height));
    if (certificateBytes === undefined) return 'the certificate is missing';
    const block = codec.describeBlock(bytes);
    const certificate = codec.describeCertificate(certificateBytes);
    if (block.height !== height || block.parentHash !== parent) return 'the block does not follow its parent';
    if (certificate.height !== height || certificate.blockHash !== block.hash)
      return 'the certificate is for another block';
    return block;
  } catch (error) {
    return (error as Error).message;
  }
}

function checkState(db: ChainDatabase, codec: StoreCodec, height: number, root: string): string | null {
  try {
    const state = readSealed(db, heightKey('state', height));
    if (state === undefined) return 'the state is missing';
    return codec.stateRoot(state) === root ? null : 'the state is not the one that the header names';
  } catch (error) {
    return (error as Error).message;
  }
}

/** Removes everything above `head` in one batch; the peers have the blocks. */
export async function truncate(db: ChainDatabase, head: number): Promise<void> {
  const batch = db.batch();
  for (const kind of ['block', 'certificate', 'state'] as const)
    for await (const key of db.keys({ gte: heightKey(kind, head + 1), lt: keysOf(kind).lt })) batch.del(key);
  // What cannot be read goes too: an index entry only ever points at a block.
  for (const kind of ['hash', 'transaction'] as const)
    for await (const [key, value] of db.iterator(keysOf(kind)))
      if (!(decodeNumber(value.subarray(4)) <= head)) batch.del(key);
  batch.put(META.head, sealed(encodeNumbers(head)));
  await batch.write({ sync: true });
}

/** Writes the index entries of every block anew: a repair may have lost some. */
export async function rebuildIndex(db: ChainDatabase, codec: StoreCodec, head: number): Promise<void> {
  for (let height = 1; height <= head; height += 1) {
    const bytes = readSealed(db, heightKey('block', height));
    if (bytes === undefined) throw new StoreError('STORE_CORRUPT', `the block at height ${height} vanished`);
    const batch = db.batch();
    putIndex(batch, height, codec.describeBlock(bytes).hash, codec.transactionIds(bytes));
    await batch.write({ sync: height === head });
  }
}

export function putIndex(
  batch: ReturnType<ChainDatabase['batch']>,
  height: number,
  blockHash: string,
  transactionIds: readonly string[],
): void {
  batch.put(hashKey(blockHash), sealed(encodeNumbers(height)));
  for (const [index, id] of transactionIds.entries())
    batch.put(transactionKey(id), sealed(encodeNumbers(height, index)));
}

function asText(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
