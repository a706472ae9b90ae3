import { yamux } from '@chainsafe/libp2p-yamux';
import type { StreamMuxerFactory } from '@libp2p/interface';
import { TransportError } from './transport-error.ts';

/** What this layer needs to know of the library's streams, whose exported type leaves it out. */
export interface WindowedStream {
  readonly state: number;
  readonly recvWindow: number;
  readonly recvWindowCapacity: number;
  sendWindowUpdate(): void;
}

/** `StreamState.Established` of the library: the handshake frames are over, which are window updates as well. */
const ESTABLISHED = 3;

/**
 * The multiplexer with fewer window updates: it opens a stream's window again when half of it is used up, as yamux's own
 * reference implementation does, instead of after every frame. One frame in two would otherwise be such an update, each
 * encrypted, written and read for itself.
 */
export function thriftyYamux(): () => StreamMuxerFactory {
  const create = yamux();
  return () => {
    const factory = create();
    const createMuxer = factory.createStreamMuxer.bind(factory);
    factory.createStreamMuxer = (connection) => {
      const muxer = createMuxer(connection);
      interceptStreams(muxer);
      return muxer;
    };
    return factory;
  };
}

/** @throws TransportError TRANSPORT_MUXER_INCOMPATIBLE */
export function interceptStreams(muxer: object): void {
  const entry = muxer as { _newStream?: (...details: unknown[]) => WindowedStream };
  const open = entry._newStream?.bind(muxer);
  if (open === undefined)
    throw new TransportError(
      'TRANSPORT_MUXER_INCOMPATIBLE',
      'the streams of the installed @chainsafe/libp2p-yamux cannot be told when to update their window; use version 8',
    );
  entry._newStream = (...details) => {
    const stream = open(...details);
    const update = stream.sendWindowUpdate.bind(stream);
    stream.sendWindowUpdate = () => {
      if (stream.state !== ESTABLISHED || stream.recvWindowCapacity * 2 <= stream.recvWindow) update();
    };
    return stream;
  };
}
