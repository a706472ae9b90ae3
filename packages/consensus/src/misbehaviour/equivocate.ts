import { blockHash as hashOf } from '../chain/block.ts';
import type { Block, EvidenceItem } from '../chain/types.ts';
import type { Outgoing } from '../peer/ports.ts';
import { consistent, ownFreshBlock, type ProposalMessage, proposalFor, resealed } from './forgery.ts';
import { mapSends, resent } from './interception.ts';
import { isOnSide } from './sides.ts';
import type { Misbehaviour, MisbehaviourKit, PeerLike } from './types.ts';

/**
 * Proposes two valid blocks in one round. `echo`: the first to everybody, the second to half of the members as well.
 * `split`: one to each half, and both to its accomplices (see `vouch`).
 */
export const equivocate: Misbehaviour = {
  name: 'equivocate',
  description: 'proposes two different blocks in one round',
  parameters: {
    reach: { kind: 'choice', values: ['echo', 'split'], fallback: 'echo', what: 'who gets which of the two' },
  },
  wrap(peer, kit, { reach }) {
    const twins = new Map<string, ProposalMessage>();
    const { members } = kit.rules.genesis;
    return mapSends(peer, (send, message) => {
      const own = ownFreshBlock(kit, message);
      if (own === null) return [send];
      const { blockHash } = own.proposal;
      const twin = twins.get(blockHash) ?? proposalFor(kit, twinOf(peer, kit, own.block, blockHash));
      twins.set(blockHash, twin);
      const second = twin.proposal.blockHash;
      const to = (rank: number, what: Outgoing): Outgoing => {
        const { publicKey } = members[rank] as (typeof members)[number];
        return { type: 'send', to: publicKey, channel: 'sync', bytes: what.bytes };
      };
      const twinSend = resent(send, twin);
      const others = [...members.keys()].filter((rank) => rank !== kit.rank);
      if (reach !== 'split')
        return [send, ...others.filter((rank) => isOnSide(second, rank)).map((rank) => to(rank, twinSend))];
      return others.flatMap((rank) => {
        if (kit.accomplices.includes(rank)) return [to(rank, send), to(rank, twinSend)];
        return [to(rank, isOnSide(blockHash, rank) ? send : twinSend)];
      });
    });
  },
};

/** Another valid block at the same place, for the other side: it carries an accusation that proves nothing. */
function twinOf(peer: PeerLike, kit: MisbehaviourKit, block: Block, blockHash: string): Block {
  for (let height = 0; ; height += 1) {
    const votes = [{ voter: kit.rank, timestampMs: 0, signature: '00'.repeat(64) }];
    const idle: EvidenceItem = { type: 'timeout', height, round: 0, votes };
    const twin = consistent(peer, kit, resealed({ ...block, evidence: [...block.evidence.slice(0, 15), idle] }));
    if (isOnSide(hashOf(twin.header), 0) !== isOnSide(blockHash, 0)) return twin;
  }
}
