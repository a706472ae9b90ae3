import type { Outgoing, PeerEvent, PeerOutput } from '../peer/ports.ts';
import { decodeMessage, encodeMessage, type Message } from '../wire/messages.ts';
import type { PeerLike } from './types.ts';

/** Stands around a peer: `inbound` may change or swallow (null) an event, `outbound` what the peer answers. */
export function intercept(
  peer: PeerLike,
  hooks: {
    readonly inbound?: (event: PeerEvent) => PeerEvent | null;
    readonly outbound?: (output: PeerOutput, event: PeerEvent) => PeerOutput;
  },
): PeerLike {
  return {
    get view() {
      return peer.view;
    },
    get blobs() {
      return peer.blobs;
    },
    get history() {
      return peer.history;
    },
    handle(event) {
      const passed = hooks.inbound === undefined ? event : hooks.inbound(event);
      const output = passed === null ? NOTHING : peer.handle(passed);
      return hooks.outbound === undefined ? output : hooks.outbound(output, event);
    },
  };
}

/** A peer whose sends are replaced one by one; an empty list swallows a send. Another wrapper's garbage passes. */
export function mapSends(peer: PeerLike, map: (send: Outgoing, message: Message) => readonly Outgoing[]): PeerLike {
  return intercept(peer, {
    outbound: (output) => ({
      ...output,
      sends: output.sends.flatMap((send) => {
        const message = readable(send.bytes);
        return message === null ? [send] : map(send, message);
      }),
    }),
  });
}

/** The same send with another message. */
export function resent(send: Outgoing, message: Message): Outgoing {
  return { ...send, bytes: encodeMessage(message) };
}

/** The message of an event; null when it brings none that can be read. */
export function messageOf(event: PeerEvent): Message | null {
  return event.type === 'message' ? readable(event.bytes) : null;
}

function readable(bytes: Uint8Array): Message | null {
  try {
    return decodeMessage(bytes);
  } catch {
    return null;
  }
}

const NOTHING: PeerOutput = { writes: [], sends: [], timers: [], notices: [], verdict: 'ignore', code: 'SWALLOWED' };
