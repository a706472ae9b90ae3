import type { Outgoing } from '../peer/ports.ts';
import { mapSends } from './interception.ts';
import type { Misbehaviour } from './types.ts';

/** Collects votes in its turn and keeps them to itself, or between itself and a few. */
export const withholdBundles: Misbehaviour = {
  name: 'withhold-bundles',
  description: 'passes no bundle of votes on',
  parameters: {
    told: {
      kind: 'integer',
      min: 0,
      max: 1_023,
      fallback: 0,
      what: 'how many of the other members get them all the same',
    },
  },
  wrap(peer, { rules, rank }, { told }) {
    const confidants = rules.genesis.members.filter((_, other) => other !== rank).slice(0, Number(told));
    return mapSends(peer, (send, message) => {
      if (message.type !== 'votes' || message.votes.length <= 1) return [send];
      const { bytes } = send;
      return confidants.map(({ publicKey }): Outgoing => ({ type: 'send', to: publicKey, channel: 'sync', bytes }));
    });
  },
};
