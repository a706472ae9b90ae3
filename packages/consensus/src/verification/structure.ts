import { BlockRejection } from '../application/rejection.ts';
import { blockHash, payloadHash } from '../chain/block.ts';
import { certificateHash } from '../chain/certificate.ts';
import { transactionsRoot } from '../chain/transactions.ts';
import type { Block, Hash } from '../chain/types.ts';
import { CodecError } from '../codec/index.ts';
import { ensure, type Subject } from './subject.ts';

/**
 * Whether header and body hash to `hash`: the Merkle root of the transactions, the certificate and the payload included.
 * A body that does not is nobody's block (protocol section 4): it says nothing about the block of that hash, nor about
 * its composer. False as well for what cannot be encoded.
 */
export function isBlockOf(block: Block, hash: Hash): boolean {
  try {
    return matches(block, hash);
  } catch (error) {
    if (error instanceof CodecError) return false;
    throw error;
  }
}

/**
 * Size and structure. The Merkle root of the transactions, which protocol section 5 names last, is compared here, with
 * the hashes of certificate and payload: whatever any later check finds is then the composer's own doing.
 */
export function checkStructure({ rules, block, blockHash: hash, blockBytes }: Subject): void {
  const { maxBlockBytes } = rules.genesis.limits;
  ensure(blockBytes <= maxBlockBytes, 'structure', 'BLOCK_TOO_LARGE', () => {
    return `the block has ${blockBytes} bytes, the chain allows ${maxBlockBytes}`;
  });
  ensure(Array.isArray(block.batches) && block.payload instanceof Uint8Array, 'structure', 'BLOCK_MALFORMED', () => {
    return 'the block has no list of batches or no payload bytes';
  });
  let matching: boolean;
  try {
    matching = matches(block, hash);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw new BlockRejection('structure', 'BLOCK_MALFORMED', error.message);
  }
  ensure(matching, 'structure', 'BLOCK_NOT_OF_ITS_HASH', () => `header and body do not hash to ${hash}`);
}

function matches({ header, parentCertificate, batches, payload }: Block, hash: Hash): boolean {
  return (
    blockHash(header) === hash &&
    header.certificateHash === certificateHash(parentCertificate) &&
    header.payloadHash === payloadHash(payload) &&
    header.transactionsRoot === transactionsRoot(batches)
  );
}
