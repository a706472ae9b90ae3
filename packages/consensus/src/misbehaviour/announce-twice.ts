import type { Outgoing } from '../peer/ports.ts';
import { encodeMessage } from '../wire/messages.ts';
import { contradicting } from './announcements.ts';
import { mapSends } from './interception.ts';
import type { Misbehaviour } from './types.ts';

/** Signs two announcements, or two model updates, for one slot and lets everybody have both. */
export const announceTwice: Misbehaviour = {
  name: 'announce-twice',
  description: 'signs two different announcements for one slot',
  parameters: {},
  wrap(peer, kit) {
    const { rules, rank } = kit;
    const { genesis, chainId, application } = rules;
    return mapSends(peer, (send, message) => {
      if (message.type !== 'contribution' || send.type !== 'broadcast') return [send];
      const verdict = application.checkContribution(genesis, chainId, message.bytes, null);
      const isOwn = verdict.ok && verdict.contribution.author === rank && verdict.contribution.signedBy === 'member';
      const second = isOwn ? contradicting(kit, message.bytes) : null;
      if (second === null) return [send];
      const bytes = encodeMessage({ type: 'contribution', bytes: second });
      const more = genesis.members.flatMap(({ publicKey }, other): Outgoing[] =>
        other === rank ? [] : [{ type: 'send', to: publicKey, channel: 'sync', bytes }],
      );
      return [send, ...more];
    });
  },
};
