import type { Outgoing } from '../peer/ports.ts';
import { intercept } from './interception.ts';
import type { Misbehaviour } from './types.ts';

const TIMER = 'misbehaviour-delay/';

/** Sends everything late. */
export const delay: Misbehaviour = {
  name: 'delay',
  description: 'holds back each message for a while',
  parameters: { delayMs: { kind: 'integer', min: 1, max: 600_000, fallback: 1_000, what: 'for how long' } },
  wrap(peer, _kit, { delayMs }) {
    const held = new Map<string, readonly Outgoing[]>();
    let count = 0;
    return intercept(peer, {
      inbound: (event) => (event.type === 'timer' && event.id.startsWith(TIMER) ? null : event),
      outbound: (output, event) => {
        if (event.type === 'timer' && event.id.startsWith(TIMER)) {
          const sends = held.get(event.id) ?? [];
          held.delete(event.id);
          return { ...output, sends };
        }
        if (output.sends.length === 0) return output;
        count += 1;
        const id = `${TIMER}${count}`;
        held.set(id, output.sends);
        return { ...output, sends: [], timers: [...output.timers, { id, delayMs: Number(delayMs) }] };
      },
    });
  },
};
