import type { Contribution } from '../application/types.ts';
import { blockHash as hashOf, payloadHash } from '../chain/block.ts';
import { certificateHash } from '../chain/certificate.ts';
import { ZERO_HASH } from '../chain/merkle.ts';
import { chainTimeOf } from '../chain/slots.ts';
import type { ChainRules, ChainState } from '../chain/state.ts';
import { transactionsRoot } from '../chain/transactions.ts';
import type { Block, BlockHeader, BlockKind, Certificate, Hash, MemberRank, TransactionBatch } from '../chain/types.ts';
import { combineSeed } from '../election/index.ts';
import { executeBlock } from '../execution/execute-block.ts';
import { settlementContext } from '../execution/settlement.ts';
import { stateRoot } from '../execution/state-root.ts';

export interface BlockContent {
  readonly kind: BlockKind;
  readonly composer: MemberRank;
  readonly composingRound: number;
  /** A verified certificate of the parent; null at height 1. */
  readonly parentCertificate: Certificate | null;
  /** Executable in this order (see `selectBatches`); none in a settlement. */
  readonly batches: readonly TransactionBatch[];
  /** What this peer holds for the slot that closes; what cannot be used is left out. Ignored unless it is a settlement. */
  readonly contributions: readonly Contribution[];
}

export interface ComposedBlock {
  readonly block: Block;
  readonly blockHash: Hash;
  /** The state after the block. */
  readonly state: ChainState;
}

/**
 * Composes and executes the block of `composer` on top of `parent`. The result passes `verifyBlock` when it is the
 * composer's turn and the kind has its place.
 *
 * @throws BlockRejection when a batch cannot be executed.
 * @throws ElectionError when the block opens a term and the certificate does not carry the beacon's shares.
 */
export function composeBlock(rules: ChainRules, parent: ChainState, content: BlockContent): ComposedBlock {
  const { kind, composer, composingRound, parentCertificate, batches, contributions } = content;
  const chainTimeMs = chainTimeOf(parent, parentCertificate);
  const opensTerm = parent.election.seed === null && parentCertificate !== null;
  let payload: Uint8Array = new Uint8Array();
  if (kind === 'settlement') {
    const context = settlementContext(rules, parent, parentCertificate, { composer, composingRound, chainTimeMs });
    payload = rules.application.prepare(context, contributions);
  }
  const draftHeader: BlockHeader = {
    chainId: rules.chainId,
    height: parent.height + 1,
    parentHash: parent.blockHash,
    term: parent.term,
    slot: parent.slot,
    kind,
    composer,
    composingRound,
    chainTimeMs,
    certificateHash: certificateHash(parentCertificate),
    seedSignature: opensTerm ? combineSeed(rules, parentCertificate).signature : null,
    transactionsRoot: transactionsRoot(batches),
    payloadHash: payloadHash(payload),
    stateRoot: ZERO_HASH,
  };
  const body = { parentCertificate, batches, payload };
  // The root covers nothing of the header but what stands in the draft, so the state can be computed first.
  const state = executeBlock(rules, parent, { header: draftHeader, ...body }, ZERO_HASH);
  const header = { ...draftHeader, stateRoot: stateRoot(rules, state) };
  const blockHash = hashOf(header);
  return { block: { header, ...body }, blockHash, state: { ...state, blockHash } };
}
