import type { Blobs } from '../application/types.ts';
import { decodeBlock, encodeBlock } from '../chain/block.ts';
import { SignedDataError } from '../chain/errors.ts';
import { withoutNesting } from '../chain/evidence.ts';
import type { ChainState } from '../chain/state.ts';
import type { Block, EvidenceItem, Proposal } from '../chain/types.ts';
import { verifyProposalSignature } from '../chain/votes.ts';
import { CodecError } from '../codec/index.ts';
import { sha256 } from '../crypto/index.ts';
import { repeatChecks } from '../verification/verify-block.ts';
import { type Assessment, type Hearing, isInWindow, proven, unproven } from './finding.ts';

type InvalidBlock = Extract<EvidenceItem, { type: 'invalid-block' }>;

/**
 * Accuses the composer of a block of which it has signed a proposal. `blobs`: the bytes that the block names by hash, where
 * only they show what is wrong with it.
 */
export function invalidBlockOf(proposal: Proposal, block: Block, blobs: readonly Uint8Array[] = []): InvalidBlock {
  return {
    type: 'invalid-block',
    proposal,
    block: encodeBlock({ ...block, evidence: withoutNesting(block.evidence) }),
    blobs,
  };
}

/**
 * A block and its composer's own proposal of it. The checks are repeated on the state that the block should follow. What
 * rests on evidence that had to be left out (the state root, when the block accuses other blocks) is not held against it.
 */
export function assessInvalidBlock(hearing: Hearing, { proposal, block: bytes, blobs }: InvalidBlock): Assessment {
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
  const shown = blobsOf(hearing, before.state, block, blobs);
  if (shown === 'superfluous') return unproven('EVIDENCE_MALFORMED', 'it holds bytes that the block does not name');
  const { blobs: _, ...blind } = rules;
  const judging = shown === null ? blind : { ...blind, blobs: shown };
  const rejection = repeatChecks(judging, before.state, block, proposal.blockHash, bytes.length, history);
  if (rejection?.code === 'BLOCK_NOT_OF_ITS_HASH') {
    return unproven('EVIDENCE_NOT_THE_COMPOSER', 'these bytes are not the block that was proposed');
  }
  // A check that broke down says nothing about the block.
  if (rejection === null || rejection.code === 'BLOCK_CHECK_FAILED') {
    return unproven('EVIDENCE_BLOCK_IS_VALID', 'the block passes every check that can be repeated');
  }
  return proven({ kind: 'offence', member: composer, key: `block/${proposal.blockHash}`, term: null });
}

/**
 * The bytes that the block names, from the proof itself: what a peer happens to hold must decide nothing. Null unless all
 * of them are there, so that nobody is convicted of what is only missing.
 */
function blobsOf(
  { rules }: Hearing,
  before: ChainState,
  block: Block,
  shown: readonly Uint8Array[],
): Blobs | null | 'superfluous' {
  if (shown.length === 0) return null;
  const isSettlement = block.header.kind === 'settlement' && before.phase === 'closed';
  const needed = isSettlement
    ? (rules.application.neededBlobs?.(rules.genesis, before.slot, before.app, block.payload) ?? [])
    : [];
  const byHash = new Map(shown.map((bytes) => [sha256(bytes), bytes]));
  if (byHash.size !== shown.length || [...byHash.keys()].some((hash) => !needed.includes(hash))) return 'superfluous';
  if (needed.some((hash) => !byHash.has(hash))) return null;
  return { get: (hash) => byHash.get(hash) ?? null, add: sha256 };
}
