import {
  type Codec,
  CodecError,
  checked,
  decode,
  encode,
  enumeration,
  fromHex,
  hash,
  hex,
  list,
  struct,
  toHex,
  u32,
  u53,
  u64,
  union,
} from '../codec/index.ts';
import { type DigestSigner, taggedHash, taggedHashBytes } from '../crypto/index.ts';
import { SignedDataError } from './errors.ts';
import { MAX_BATCH_OPERATIONS } from './limits.ts';
import { merkleRoot } from './merkle.ts';
import type { ChainRules } from './state.ts';
import type { Hash, Operation, TransactionBatch } from './types.ts';
import { SIGNATURE_BYTES, signatureCodec } from './votes.ts';

export type UnsignedBatch = Omit<TransactionBatch, 'signature'>;

/** Compressed secp256k1 public key. */
export const publicKeyCodec: Codec<string> = hex(33);

const operationCodec: Codec<Operation> = union<Operation>({
  transfer: struct({ asset: enumeration(['epos', 'upos', 'credit']), to: publicKeyCodec, amount: u64 }),
  stake: struct({ amount: u64 }),
  unstake: struct({ amount: u64 }),
  retire: struct({ amountWh: u64 }),
});

const batchFields = {
  chainId: hash,
  sender: publicKeyCodec,
  firstNonce: u53,
  // At least one: an empty batch would be bytes in a block that its transactions root says nothing about.
  operations: list(operationCodec, MAX_BATCH_OPERATIONS, 1),
};

function nonceRule({ firstNonce, operations }: UnsignedBatch): string | null {
  return Number.isSafeInteger(firstNonce + operations.length) ? null : 'the nonces run past 2^53-1';
}

const unsignedBatchCodec: Codec<UnsignedBatch> = checked(struct<UnsignedBatch>(batchFields), nonceRule);

const layout: Codec<TransactionBatch> = checked(
  struct<TransactionBatch>({ ...batchFields, signature: signatureCodec }),
  nonceRule,
);

/** Bytes that batches were decoded from, and hashes: each is asked for several times on a batch's way into a block. */
const decodedFrom = new WeakMap<TransactionBatch, Uint8Array>();
const hashes = new WeakMap<TransactionBatch, Hash>();

/** What was decoded is hashed by the bytes that it came in, which are its only encoding; they must not be written to. */
export const batchCodec: Codec<TransactionBatch> = {
  minBytes: layout.minBytes,
  write: (writer, batch) => layout.write(writer, batch),
  read: (reader) => {
    const start = reader.position;
    const batch = layout.read(reader);
    decodedFrom.set(batch, reader.bytes.subarray(start, reader.position));
    return batch;
  },
};

/** Length of a batch's encoding. @throws CodecError */
export function batchLength(batch: TransactionBatch): number {
  return bytesOf(batch).length;
}

function bytesOf(batch: TransactionBatch): Uint8Array {
  const known = decodedFrom.get(batch);
  if (known !== undefined) return known;
  const bytes = encodeBatch(batch);
  decodedFrom.set(batch, bytes);
  return bytes;
}

/** @throws CodecError */
export function encodeBatch(batch: TransactionBatch): Uint8Array {
  return encode(batchCodec, batch);
}

/** @throws CodecError */
export function decodeBatch(bytes: Uint8Array): TransactionBatch {
  return decode(batchCodec, bytes);
}

/**
 * What the sender signs; the batch names its chain.
 * @throws CodecError
 */
export function batchDigest(batch: UnsignedBatch): Hash {
  return taggedHash('transaction', encode(unsignedBatchCodec, batch));
}

/** Identity of a batch: covers every byte, the signature included. */
export function batchHash(batch: TransactionBatch): Hash {
  const known = hashes.get(batch);
  if (known !== undefined) return known;
  const hashed = taggedHash('batch', bytesOf(batch));
  hashes.set(batch, hashed);
  return hashed;
}

/** Identity of operation `k` of a batch. */
export function transactionId(batch: Hash, k: number): Hash {
  return taggedHash('transaction-id', fromHex(batch), encode(u32, k));
}

/** Merkle leaves of a block's transactions: their ids in order, 32 bytes each. */
export function transactionLeaves(batches: readonly TransactionBatch[]): readonly Uint8Array[] {
  const known = leavesOf.get(batches);
  if (known !== undefined) return known;
  const leaves: Uint8Array[] = [];
  for (const batch of batches) {
    const of = fromHex(batchHash(batch));
    for (let k = 0; k < batch.operations.length; k += 1)
      leaves.push(taggedHashBytes('transaction-id', of, encode(u32, k)));
  }
  leavesOf.set(batches, leaves);
  return leaves;
}

/** Merkle root over the transactions of all batches, in order; commits to every byte of the batches. */
export function transactionsRoot(batches: readonly TransactionBatch[]): Hash {
  const known = roots.get(batches);
  if (known !== undefined) return known;
  const root = merkleRoot(transactionLeaves(batches));
  roots.set(batches, root);
  return root;
}

/** Of one list: a block is compared with its root, judged and committed, and its transactions stay the same. */
const leavesOf = new WeakMap<readonly TransactionBatch[], readonly Uint8Array[]>();
const roots = new WeakMap<readonly TransactionBatch[], Hash>();

/** Ids of the transactions of all batches, in order. */
export function transactionIds(batches: readonly TransactionBatch[]): readonly Hash[] {
  return transactionLeaves(batches).map(toHex);
}

/**
 * Signs operations with consecutive nonces as one batch of the signer's account.
 * @throws CodecError when there are no operations, too many, or one is out of range.
 */
export function signBatch(
  content: { readonly chainId: Hash; readonly firstNonce: number; readonly operations: readonly Operation[] },
  signer: DigestSigner,
): TransactionBatch {
  const { chainId, firstNonce, operations } = content;
  const unsigned: UnsignedBatch = { chainId, sender: signer.publicKey, firstNonce, operations };
  return { ...unsigned, signature: signer.sign(batchDigest(unsigned)) };
}

/**
 * Checks that a batch is well formed, of this chain and signed by its sender.
 * @throws SignedDataError with a TRANSACTION_ code.
 */
export function verifyBatchSignature(rules: Pick<ChainRules, 'chainId' | 'signatures'>, batch: TransactionBatch): void {
  let digest: Hash;
  try {
    // The signature comes last in the layout: what precedes it is what `batchDigest` encodes.
    digest = taggedHash('transaction', bytesOf(batch).subarray(0, -SIGNATURE_BYTES));
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw new SignedDataError('TRANSACTION_MALFORMED', error.message);
  }
  if (batch.chainId !== rules.chainId) {
    throw new SignedDataError('TRANSACTION_WRONG_CHAIN', `the batch is for chain ${batch.chainId}`);
  }
  if (!rules.signatures.verify(fromHex(batch.signature), fromHex(digest), fromHex(batch.sender))) {
    throw new SignedDataError('TRANSACTION_BAD_SIGNATURE', `${batch.sender} did not sign the batch`);
  }
}
