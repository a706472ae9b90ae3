import type { Contribution } from '../application/types.ts';
import { blockHash as hashOf, payloadHash } from '../chain/block.ts';
import { certificateHash } from '../chain/certificate.ts';
import { evidenceRoot } from '../chain/evidence.ts';
import type { ChainHistory } from '../chain/history.ts';
import { ZERO_HASH } from '../chain/merkle.ts';
import { chainTimeOf } from '../chain/slots.ts';
import type { ChainRules, ChainState } from '../chain/state.ts';
import { transactionsRoot } from '../chain/transactions.ts';
import type {
  Block,
  BlockHeader,
  BlockKind,
  Certificate,
  EvidenceItem,
  Hash,
  MemberRank,
  TransactionBatch,
} from '../chain/types.ts';
import { combineSeed } from '../election/index.ts';
import { barredContributions } from '../evidence/index.ts';
import { executeBlock, hearingOf, UNKNOWN_PAST } from '../execution/execute-block.ts';
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
  /** Proofs to put into the block, within the chain's limits. Default none. */
  readonly evidence?: readonly EvidenceItem[];
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
export function composeBlock(
  rules: ChainRules,
  parent: ChainState,
  content: BlockContent,
  history: ChainHistory = UNKNOWN_PAST,
): ComposedBlock {
  const { kind, composer, composingRound, parentCertificate, batches, contributions, evidence = [] } = content;
  const chainTimeMs = chainTimeOf(parent, parentCertificate);
  const opensTerm = parent.election.seed === null && parentCertificate !== null;
  let payload: Uint8Array = new Uint8Array();
  if (kind === 'settlement') {
    const barred = barredContributions(hearingOf(rules, parent, parentCertificate, history), evidence);
    const header = { composer, composingRound, chainTimeMs };
    const context = settlementContext(rules, parent, parentCertificate, header, barred);
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
    evidenceRoot: evidenceRoot(evidence),
    stateRoot: ZERO_HASH,
  };
  const body = { parentCertificate, batches, payload, evidence };
  // The root covers nothing of the header but what stands in the draft, so the state can be computed first.
  const state = executeBlock(rules, parent, { header: draftHeader, ...body }, ZERO_HASH, history);
  const header = { ...draftHeader, stateRoot: stateRoot(rules, state) };
  const blockHash = hashOf(header);
  return { block: { header, ...body }, blockHash, state: { ...state, blockHash } };
}
