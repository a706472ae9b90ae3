import { mapSends } from './interception.ts';
import type { Misbehaviour } from './types.ts';

/** Does not propose when it is its turn. */
export const refuse: Misbehaviour = {
  name: 'refuse',
  description: 'proposes nothing in its turn',
  parameters: {},
  wrap: (peer, { rank }) =>
    mapSends(peer, (send, message) =>
      message.type === 'proposal' && message.proposal.proposer === rank ? [] : [send],
    ),
};
