import { BlockRejection } from '../application/rejection.ts';
import { blockHash, payloadHash } from '../chain/block.ts';
import { certificateHash } from '../chain/certificate.ts';
import { evidenceBytes, evidenceRoot, maxEvidenceBytes } from '../chain/evidence.ts';
import { MAX_SMALL_EVIDENCE_BYTES } from '../chain/limits.ts';
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
export function checkStructure({ rules, block, blockHash: hash, blockBytes, inProof }: Subject): void {
  const { maxBlockBytes } = rules.genesis.limits;
  const { batches, payload, evidence } = block;
  const hasBody = Array.isArray(batches) && payload instanceof Uint8Array && Array.isArray(evidence);
  ensure(hasBody, 'structure', 'BLOCK_MALFORMED', () => 'the block has no list of batches or evidence, or no payload');
  const accusations = malformed(() => evidenceBytes(evidence));
  ensure(blockBytes - accusations <= maxBlockBytes, 'structure', 'BLOCK_TOO_LARGE', () => {
    return `the block has ${blockBytes - accusations} bytes without evidence, the chain allows ${maxBlockBytes}`;
  });
  const small = malformed(() => evidenceBytes(evidence.filter(({ type }) => type !== 'invalid-block')));
  const fits = small <= MAX_SMALL_EVIDENCE_BYTES && accusations <= maxEvidenceBytes(rules.genesis);
  ensure(
    fits,
    'structure',
    'BLOCK_TOO_MUCH_EVIDENCE',
    () => `${accusations} bytes of evidence, ${small} without blocks`,
  );
  const nests = evidence.some(({ type }) => type === (inProof ? 'invalid-block' : 'omitted'));
  ensure(!nests, 'structure', 'BLOCK_NESTED_EVIDENCE', () => 'evidence is left out in proofs, and nowhere else');
  ensure(
    malformed(() => matches(block, hash)),
    'structure',
    'BLOCK_NOT_OF_ITS_HASH',
    () => `header and body do not hash to ${hash}`,
  );
}

/** What `run` returns, where an encoding that fails rejects the block. */
function malformed<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw new BlockRejection('structure', 'BLOCK_MALFORMED', error.message);
  }
}

function matches({ header, parentCertificate, batches, payload, evidence }: Block, hash: Hash): boolean {
  return (
    blockHash(header) === hash &&
    header.certificateHash === certificateHash(parentCertificate) &&
    header.payloadHash === payloadHash(payload) &&
    header.transactionsRoot === transactionsRoot(batches) &&
    header.evidenceRoot === evidenceRoot(evidence)
  );
}
