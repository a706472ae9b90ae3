import { BlockRejection } from '../application/rejection.ts';
import type { Contribution } from '../application/types.ts';
import { decodeBlock, encodeBlock, blockHash as hashOf, payloadHash } from '../chain/block.ts';
import { certificateHash } from '../chain/certificate.ts';
import { evidenceRoot } from '../chain/evidence.ts';
import { transactionsRoot } from '../chain/transactions.ts';
import type { Block, BlockHeader, Proposal } from '../chain/types.ts';
import { signProposal } from '../chain/votes.ts';
import { type ComposedBlock, composeBlock } from '../composition/compose-block.ts';
import { executeBlock, stateRoot } from '../execution/index.ts';
import { decodePayload } from '../poeg/payload.ts';
import type { Message } from '../wire/messages.ts';
import type { MisbehaviourKit, PeerLike } from './types.ts';

export type ProposalMessage = Extract<Message, { type: 'proposal' }>;

/** The block with a header that commits to its (changed) body. */
export function resealed(block: Block, change: Partial<BlockHeader> = {}): Block {
  return {
    ...block,
    header: {
      ...block.header,
      certificateHash: certificateHash(block.parentCertificate),
      transactionsRoot: transactionsRoot(block.batches),
      payloadHash: payloadHash(block.payload),
      evidenceRoot: evidenceRoot(block.evidence),
      ...change,
    },
  };
}

/** A proposal of `block` in its composing round, signed by this member. */
export function proposalFor({ rules, rank, signer }: MisbehaviourKit, block: Block): ProposalMessage {
  const { height, composingRound } = block.header;
  const unsigned = { height, round: composingRound, blockHash: hashOf(block.header), polRound: -1, proposer: rank };
  return {
    type: 'proposal',
    proposal: signProposal(rules.chainId, unsigned, signer),
    block: encodeBlock(block),
    polVotes: [],
  };
}

/** The fresh block that this member proposes with a message; null for everything else. */
export function ownFreshBlock(kit: MisbehaviourKit, message: Message): { block: Block; proposal: Proposal } | null {
  if (message.type !== 'proposal') return null;
  const { proposal } = message;
  if (proposal.proposer !== kit.rank || proposal.polRound !== -1) return null;
  return { block: decodeBlock(message.block), proposal };
}

/** The block with the state root that follows from it where its word is taken; as it is where it cannot be executed. */
export function consistent(peer: PeerLike, { rules }: MisbehaviourKit, changed: Block): Block {
  try {
    const after = executeBlock(rules, peer.view.state, changed, hashOf(changed.header), peer.history);
    return resealed(changed, { stateRoot: stateRoot(rules, after) });
  } catch (error) {
    if (error instanceof BlockRejection) return changed;
    throw error;
  }
}

/** Composes this member's PoEG block anew, with a part of its content replaced. */
export function recomposed(
  peer: PeerLike,
  { rules }: MisbehaviourKit,
  block: Block,
  omit: (key: string) => boolean,
): ComposedBlock {
  const { header, parentCertificate } = block;
  const { state } = peer.view;
  const contributions = header.kind === 'settlement' ? contributionsOf(rules, block.payload) : [];
  const content = {
    kind: header.kind,
    composer: header.composer,
    composingRound: header.composingRound,
    parentCertificate,
    batches: block.batches,
    contributions: contributions.filter(({ key }) => !omit(key)),
    evidence: block.evidence,
  };
  return composeBlock(rules, state, content, peer.history);
}

function contributionsOf(
  { application, genesis, chainId }: MisbehaviourKit['rules'],
  payload: Uint8Array,
): Contribution[] {
  const { announcements, readings } = decodePayload(payload);
  return [...announcements, ...readings].flatMap((bytes) => {
    const verdict = application.checkContribution(genesis, chainId, bytes, null);
    return verdict.ok ? [verdict.contribution] : [];
  });
}
