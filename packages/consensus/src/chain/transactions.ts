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

export const batchCodec: Codec<TransactionBatch> = checked(
  struct<TransactionBatch>({ ...batchFields, signature: signatureCodec }),
  nonceRule,
);

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
  return taggedHash('batch', encodeBatch(batch));
}

/** Identity of operation `k` of a batch. */
export function transactionId(batch: Hash, k: number): Hash {
  return taggedHash('transaction-id', fromHex(batch), encode(u32, k));
}

/** Merkle leaves of a block's transactions: their ids in order, 32 bytes each. */
export function transactionLeaves(batches: readonly TransactionBatch[]): readonly Uint8Array[] {
  return batches.flatMap((batch) => {
    const of = fromHex(batchHash(batch));
    return batch.operations.map((_, k) => taggedHashBytes('transaction-id', of, encode(u32, k)));
  });
}

/** Merkle root over the transactions of all batches, in order; commits to every byte of the batches. */
export function transactionsRoot(batches: readonly TransactionBatch[]): Hash {
  return merkleRoot(transactionLeaves(batches));
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
    digest = taggedHash('transaction', encodeBatch(batch).subarray(0, -SIGNATURE_BYTES));
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
