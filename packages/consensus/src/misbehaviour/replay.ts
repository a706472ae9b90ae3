import { intercept } from './interception.ts';
import type { Misbehaviour } from './types.ts';

/** Received messages of which one is sent again with each answer. */
const REMEMBERED = 256;

/** Sends what others have signed again, long after. */
export const replay: Misbehaviour = {
  name: 'replay',
  description: 'sends old messages of others again',
  parameters: { every: { kind: 'integer', min: 1, max: 10_000, fallback: 5, what: 'one message in so many events' } },
  wrap(peer, _kit, { every }) {
    const heard: Uint8Array[] = [];
    let events = 0;
    return intercept(peer, {
      outbound: (output, event) => {
        events += 1;
        if (event.type === 'message') heard[events % REMEMBERED] = event.bytes;
        const known = heard.filter((bytes) => bytes !== undefined);
        const bytes = known[(events * 7) % Math.max(1, known.length)];
        if (events % Number(every) !== 0 || bytes === undefined) return output;
        const send = { type: 'broadcast', topic: 'bundles', bytes, resend: true } as const;
        return { ...output, sends: [...output.sends, send] };
      },
    });
  },
};
