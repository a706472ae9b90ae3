import { mapSends } from './interception.ts';
import type { Misbehaviour } from './types.ts';

/** Collects votes in its turn and keeps them to itself. */
export const withholdBundles: Misbehaviour = {
  name: 'withhold-bundles',
  description: 'passes no bundle of votes on',
  parameters: {},
  wrap: (peer) =>
    mapSends(peer, (send, message) => (message.type === 'votes' && message.votes.length > 1 ? [] : [send])),
};
