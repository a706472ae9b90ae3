import { mapSends, resent } from './interception.ts';
import type { Misbehaviour } from './types.ts';

/** Never votes, and takes its own vote out of every bundle. */
export const withholdVotes: Misbehaviour = {
  name: 'withhold-votes',
  description: 'sends no vote of its own to anybody',
  parameters: {},
  wrap: (peer, { rank }) =>
    mapSends(peer, (send, message) => {
      if (message.type !== 'votes') return [send];
      const votes = message.votes.filter(({ voter }) => voter !== rank);
      if (votes.length === message.votes.length) return [send];
      return votes.length === 0 ? [] : [resent(send, { type: 'votes', votes })];
    }),
};
