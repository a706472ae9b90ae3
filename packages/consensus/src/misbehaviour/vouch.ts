import { decodeBlock } from '../chain/block.ts';
import type { Outgoing } from '../peer/ports.ts';
import { encodeMessage, type Message } from '../wire/messages.ts';
import { ownFreshBlock } from './forgery.ts';
import { intercept, messageOf } from './interception.ts';
import { ownVote } from './own-votes.ts';
import { isOnSide } from './sides.ts';
import type { Misbehaviour } from './types.ts';

/**
 * Votes for every block of its accomplices, valid or not, also for two in one round; to each half of the members for the
 * block that this half was shown.
 */
export const vouch: Misbehaviour = {
  name: 'vouch',
  description: 'votes for whatever its accomplices propose, to whoever was shown it',
  parameters: {
    reach: { kind: 'choice', values: ['all', 'side'], fallback: 'all', what: 'who gets these votes' },
  },
  wrap(peer, kit, { reach }) {
    const vouched = new Set<string>();
    const { members } = kit.rules.genesis;
    const votesFor = (message: Message, nowMs: number): Outgoing[] => {
      if (message.type !== 'proposal' || !kit.accomplices.includes(message.proposal.proposer)) return [];
      const { height, round, blockHash } = message.proposal;
      if (vouched.has(`${blockHash}/${round}`)) return [];
      vouched.add(`${blockHash}/${round}`);
      const block = decodeBlock(message.block);
      return (['prevote', 'precommit'] as const).flatMap((type) => {
        const vote = ownVote(kit, { type, height, round, timestampMs: nowMs }, blockHash, block);
        const bytes = encodeMessage({ type: 'votes', votes: [vote] });
        return members.flatMap(({ publicKey }, rank): Outgoing[] => {
          if (rank === kit.rank || (reach === 'side' && !isOnSide(blockHash, rank))) return [];
          return [{ type: 'send', to: publicKey, channel: 'votes', bytes }];
        });
      });
    };
    return intercept(peer, {
      outbound: (output, event) => {
        const received = messageOf(event);
        const sent = output.sends.map(({ bytes }) => messageOf({ ...NO_SENDER, nowMs: event.nowMs, bytes }));
        const own = sent.filter((message) => message !== null && ownFreshBlock(kit, message) !== null) as Message[];
        const more = [...(received === null ? [] : [received]), ...own].flatMap((one) => votesFor(one, event.nowMs));
        // Its honest votes would contradict these where it matters.
        const quiet = reach !== 'side' ? output.sends : output.sends.filter(({ bytes }) => !isOwnVote(bytes, kit.rank));
        return { ...output, sends: [...quiet, ...more] };
      },
    });
  },
};

const NO_SENDER = { type: 'message', from: null, sender: '' } as const;

function isOwnVote(bytes: Uint8Array, rank: number): boolean {
  const message = messageOf({ ...NO_SENDER, nowMs: 0, bytes });
  return message?.type === 'votes' && message.votes.some(({ voter }) => voter === rank);
}
