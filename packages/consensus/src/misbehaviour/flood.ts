import type { Outgoing } from '../peer/ports.ts';
import { encodeMessage } from '../wire/messages.ts';
import { intercept } from './interception.ts';
import type { Misbehaviour } from './types.ts';

const TIMER = 'misbehaviour-flood';

/** Keeps the others busy: requests for blocks, and bytes that are no message. */
export const flood: Misbehaviour = {
  name: 'flood',
  description: 'sends more than anybody can use, part of it garbage',
  parameters: {
    perBurst: { kind: 'integer', min: 1, max: 10_000, fallback: 20, what: 'messages to each member in a burst' },
    everyMs: { kind: 'integer', min: 1, max: 600_000, fallback: 200, what: 'distance of the bursts' },
  },
  wrap(peer, { rules, rank }, { perBurst, everyMs }) {
    let count = 0;
    const timer = { id: TIMER, delayMs: Number(everyMs) };
    const burst = (): Outgoing[] =>
      Array.from({ length: Number(perBurst) }).flatMap((_, k) => {
        count += 1;
        const garbage = Uint8Array.of(255, count & 0xff, (count >> 8) & 0xff);
        const bytes = k % 2 === 0 ? encodeMessage({ type: 'get-blocks', from: 1, count: 64 }) : garbage;
        return rules.genesis.members.flatMap(({ publicKey }, other): Outgoing[] =>
          other === rank ? [] : [{ type: 'send', to: publicKey, channel: 'request', bytes }],
        );
      });
    return intercept(peer, {
      inbound: (event) => (event.type === 'timer' && event.id === TIMER ? null : event),
      outbound: (output, event) => {
        if (event.type === 'start') return { ...output, timers: [...output.timers, timer] };
        if (event.type !== 'timer' || event.id !== TIMER) return output;
        return { ...output, sends: burst(), timers: [timer] };
      },
    });
  },
};
