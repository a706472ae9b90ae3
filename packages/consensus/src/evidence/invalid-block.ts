import { decodeBlock, encodeBlock } from '../chain/block.ts';
import { SignedDataError } from '../chain/errors.ts';
import { withoutNesting } from '../chain/evidence.ts';
import type { Block, EvidenceItem, Proposal } from '../chain/types.ts';
import { verifyProposalSignature } from '../chain/votes.ts';
import { CodecError } from '../codec/index.ts';
import { repeatChecks } from '../verification/verify-block.ts';
import { type Assessment, type Hearing, isInWindow, proven, unproven } from './finding.ts';

type InvalidBlock = Extract<EvidenceItem, { type: 'invalid-block' }>;

/** Accuses the composer of a block of which it has signed a proposal. */
export function invalidBlockOf(proposal: Proposal, block: Block): InvalidBlock {
  return {
    type: 'invalid-block',
    proposal,
    block: encodeBlock({ ...block, evidence: withoutNesting(block.evidence) }),
  };
}

/**
 * A block and its composer's own proposal of it. The checks are repeated on the state that the block should follow. What
 * rests on evidence that had to be left out (the state root, when the block accuses other blocks) is not held against it.
 */
export function assessInvalidBlock(hearing: Hearing, { proposal, block: bytes }: InvalidBlock): Assessment {
  const { rules, history } = hearing;
  if (!isInWindow(hearing, proposal.height)) {
    return unproven('EVIDENCE_OUT_OF_WINDOW', `it concerns height ${proposal.height}`);
  }
  let block: Block;
  try {
    block = decodeBlock(bytes);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return unproven('EVIDENCE_MALFORMED', error.message);
  }
  if (block.evidence.some(({ type }) => type === 'invalid-block')) {
    return unproven('EVIDENCE_MALFORMED', 'the accusations of the accused block must stand there as hashes');
  }
  const { height, composer } = block.header;
  if (height !== proposal.height || composer !== proposal.proposer) {
    return unproven('EVIDENCE_NOT_THE_COMPOSER', 'the proposal is not that of the composer of this block');
  }
  try {
    verifyProposalSignature(rules, proposal);
  } catch (error) {
    if (!(error instanceof SignedDataError)) throw error;
    return unproven('EVIDENCE_BAD_SIGNATURE', error.message);
  }
  const before = history.at(height - 1);
  const rejection = repeatChecks(rules, before.state, block, proposal.blockHash, bytes.length, history);
  if (rejection?.code === 'BLOCK_NOT_OF_ITS_HASH') {
    return unproven('EVIDENCE_NOT_THE_COMPOSER', 'these bytes are not the block that was proposed');
  }
  // A check that broke down says nothing about the block.
  if (rejection === null || rejection.code === 'BLOCK_CHECK_FAILED') {
    return unproven('EVIDENCE_BLOCK_IS_VALID', 'the block passes every check that can be repeated');
  }
  return proven({ kind: 'offence', member: composer, key: `block/${proposal.blockHash}`, term: null });
}
