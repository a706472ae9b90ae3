import { isLastSlotOfTerm } from '../chain/slots.ts';
import type { Block, Hash, Vote, VoteType } from '../chain/types.ts';
import { signVote } from '../chain/votes.ts';
import { beaconMessage } from '../election/index.ts';
import type { MisbehaviourKit } from './types.ts';

/** A signed vote of this member, whatever it has voted before; `block` is what a precommit votes for. */
export function ownVote(
  { rules, rank, signer }: MisbehaviourKit,
  at: { readonly type: VoteType; readonly height: number; readonly round: number; readonly timestampMs: number },
  blockHash: Hash | null,
  block: Block | null,
): Vote {
  const isExtended = at.type === 'precommit' && blockHash !== null;
  const seeds =
    block !== null && block.header.kind === 'settlement' && isLastSlotOfTerm(rules.genesis, block.header.slot);
  const beaconShare =
    seeds && blockHash !== null
      ? signer.signBeaconShare(beaconMessage(rules.chainId, block.header.term + 1, blockHash))
      : null;
  const extension = isExtended ? { beaconShare, held: '', overdue: [] } : null;
  return signVote(rules.chainId, { ...at, blockHash, extension, voter: rank }, signer);
}
