import { encodeMessage } from '../wire/messages.ts';
import { intercept, messageOf } from './interception.ts';
import type { Misbehaviour } from './types.ts';

/** Hears nothing of one member: neither its transactions nor its announcements get into this member's blocks or reports. */
export const censor: Misbehaviour = {
  name: 'censor',
  description: 'ignores the transactions and announcements of one member',
  parameters: {
    victim: { kind: 'integer', min: 0, max: 1_023, fallback: 0, what: 'rank of the member that is censored' },
  },
  wrap(peer, { rules }, { victim }) {
    const { genesis, chainId, application } = rules;
    const key = genesis.members[Number(victim)]?.publicKey;
    return intercept(peer, {
      inbound: (event) => {
        const message = messageOf(event);
        if (message?.type === 'batch' && message.batch.sender === key) return null;
        if (message?.type === 'batches' && event.type === 'message') {
          const batches = message.batches.filter(({ sender }) => sender !== key);
          if (batches.length === message.batches.length) return event;
          return batches.length === 0 ? null : { ...event, bytes: encodeMessage({ type: 'batches', batches }) };
        }
        if (message?.type !== 'contribution') return event;
        const verdict = application.checkContribution(genesis, chainId, message.bytes, null);
        return verdict.ok && verdict.contribution.author === victim ? null : event;
      },
    });
  },
};
