import {
  type Codec,
  CodecError,
  checked,
  decode,
  encode,
  enumeration,
  fromHex,
  list,
  recurringHex,
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
import type { Hash, Hex, Operation, TransactionBatch } from './types.ts';
import { SIGNATURE_BYTES, signatureCodec } from './votes.ts';

export type UnsignedBatch = Omit<TransactionBatch, 'signature'>;

/** Compressed secp256k1 public key. */
export const publicKeyCodec: Codec<string> = recurringHex(33);
/** The chain's id in each of its batches. */
const chainIdCodec: Codec<string> = recurringHex(32);

const operationCodec: Codec<Operation> = union<Operation>({
  transfer: struct({ asset: enumeration(['epos', 'upos', 'credit']), to: publicKeyCodec, amount: u64 }),
  stake: struct({ amount: u64 }),
  unstake: struct({ amount: u64 }),
  retire: struct({ amountWh: u64 }),
});

const batchFields = {
  chainId: chainIdCodec,
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

/**
 * A decoded batch with the bytes that it came in and its hash, each of which is asked for several times on its way into a
 * block. Copies of it, with other content, do not carry them along.
 */
class DecodedBatch implements TransactionBatch {
  readonly chainId: Hash;
  readonly sender: Hex;
  readonly firstNonce: number;
  readonly operations: readonly Operation[];
  readonly signature: Hex;
  readonly #bytes: Uint8Array;
  #hash: Hash | null = null;

  constructor({ chainId, sender, firstNonce, operations, signature }: TransactionBatch, bytes: Uint8Array) {
    this.chainId = chainId;
    this.sender = sender;
    this.firstNonce = firstNonce;
    this.operations = operations;
    this.signature = signature;
    this.#bytes = bytes;
  }

  static bytesOf(batch: TransactionBatch): Uint8Array | undefined {
    return #bytes in batch ? batch.#bytes : undefined;
  }

  static hashOf(batch: TransactionBatch): Hash | undefined {
    if (!(#bytes in batch)) return undefined;
    batch.#hash ??= taggedHash('batch', batch.#bytes);
    return batch.#hash;
  }
}

/** The same for batches that were made here. */
const encoded = new WeakMap<TransactionBatch, Uint8Array>();
const hashes = new WeakMap<TransactionBatch, Hash>();

/** What was decoded is hashed by the bytes that it came in, which are its only encoding; they must not be written to. */
export const batchCodec: Codec<TransactionBatch> = {
  minBytes: layout.minBytes,
  write: (writer, batch) => layout.write(writer, batch),
  read: (reader) => {
    const start = reader.position;
    const batch = layout.read(reader);
    return new DecodedBatch(batch, reader.bytes.subarray(start, reader.position));
  },
};

/** Length of a batch's encoding. @throws CodecError */
export function batchLength(batch: TransactionBatch): number {
  return bytesOf(batch).length;
}

function bytesOf(batch: TransactionBatch): Uint8Array {
  const known = DecodedBatch.bytesOf(batch) ?? encoded.get(batch);
  if (known !== undefined) return known;
  const bytes = encodeBatch(batch);
  encoded.set(batch, bytes);
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
  const known = DecodedBatch.hashOf(batch) ?? hashes.get(batch);
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
  let bytes: Uint8Array;
  try {
    bytes = bytesOf(batch);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw new SignedDataError('TRANSACTION_MALFORMED', error.message);
  }
  if (batch.chainId !== rules.chainId) {
    throw new SignedDataError('TRANSACTION_WRONG_CHAIN', `the batch is for chain ${batch.chainId}`);
  }
  // The signature comes last in the layout: what precedes it is what `batchDigest` encodes.
  const digest = taggedHashBytes('transaction', bytes.subarray(0, -SIGNATURE_BYTES));
  if (!rules.signatures.verify(bytes.subarray(-SIGNATURE_BYTES), digest, fromHex(batch.sender))) {
    throw new SignedDataError('TRANSACTION_BAD_SIGNATURE', `${batch.sender} did not sign the batch`);
  }
}
