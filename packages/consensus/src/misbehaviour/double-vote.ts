import type { Vote } from '../chain/types.ts';
import type { Outgoing } from '../peer/ports.ts';
import { encodeMessage } from '../wire/messages.ts';
import { mapSends } from './interception.ts';
import { ownVote } from './own-votes.ts';
import type { Misbehaviour } from './types.ts';

/** Votes for a block, and for nil in the same place. */
export const doubleVote: Misbehaviour = {
  name: 'double-vote',
  description: 'adds a vote for nil to each of its votes for a block',
  parameters: {},
  wrap(peer, kit) {
    const doubled = new Set<string>();
    return mapSends(peer, (send, message) => {
      if (message.type !== 'votes') return [send];
      const more: Outgoing[] = [];
      for (const vote of message.votes) {
        if (vote.voter !== kit.rank || vote.blockHash === null || doubled.has(placeOf(vote))) continue;
        doubled.add(placeOf(vote));
        const { type, height, round, timestampMs } = vote;
        const votes = [ownVote(kit, { type, height, round, timestampMs }, null, null)];
        // The honest vote goes to the proposer only: everybody must be able to compare.
        for (const one of [votes, [vote]])
          more.push({
            type: 'broadcast',
            topic: 'bundles',
            bytes: encodeMessage({ type: 'votes', votes: one }),
            resend: false,
          });
      }
      return [send, ...more];
    });
  },
};

function placeOf({ type, height, round }: Vote): string {
  return `${type}/${height}/${round}`;
}
