import type { Connection, Libp2p, Stream } from '@libp2p/interface';
import { encodeFrame, FRAME_HEADER_BYTES, FrameReader } from './frame-codec.ts';
import { memberOfPeerId } from './member-id.ts';
import type { PeerLedger } from './peer-ledger.ts';
import { SendQueue } from './send-queue.ts';
import type { TransportLog } from './transport-error.ts';
import type { TransportLimits } from './transport-limits.ts';
import { CHANNELS, type Channel, MAX_FRAME_BYTES } from './transport-port.ts';

/** Larger writes are cut, so that a vote on the same connection waits for one chunk and not for a whole block range. */
const WRITE_CHUNK_BYTES = 65_536;
/** Above yamux's largest receive window: a paused stream fills its window and then stalls, instead of being reset. */
const PAUSED_READ_BYTES = 17_825_792;
const REOPEN_DELAY_MS = 250;
const OPEN_TIMEOUT_MS = 5_000;

interface Outbox {
  readonly member: string;
  readonly channel: Channel;
  /** Of frames, ready to be written. */
  readonly queue: SendQueue;
  stream: Stream | null;
  pumping: boolean;
}

/** What the streams need from the transport around them. */
export interface DirectStreamsShell {
  readonly ledger: PeerLedger;
  readonly log: TransportLog;
  /** The open connection to use for a peer, if there is one. */
  connectionTo(member: string): Connection | undefined;
  onFrame(from: string, channel: Channel, message: Uint8Array): void;
  onOversize(from: string): void;
  onDrain(member: string, channel: Channel): void;
}

/**
 * One long-lived stream per (peer, channel) and direction, opened on first use and again after a failure.
 *
 * A message that was being written when its stream failed is dropped and counted, not sent twice. While the answers on
 * `sync` pile up towards a peer, nothing more is read of what it asks.
 */
export class DirectStreams {
  readonly #chainId: string;
  readonly #limits: TransportLimits;
  readonly #shell: DirectStreamsShell;
  readonly #outboxes = new Map<string, Outbox>();
  readonly #inbound = new Map<string, Stream>();
  readonly #abort = new AbortController();

  constructor(chainId: string, limits: TransportLimits, shell: DirectStreamsShell) {
    this.#chainId = chainId;
    this.#limits = limits;
    this.#shell = shell;
    for (const member of shell.ledger.ids()) {
      for (const channel of CHANNELS) {
        const queue = new SendQueue(limits.queueBytes[channel], channel === 'votes' ? 'drop-oldest' : 'refuse');
        this.#outboxes.set(key(member, channel), { member, channel, queue, stream: null, pumping: false });
      }
    }
  }

  /** Serves inbound streams. Two at a time per connection: a peer may reopen one before we notice that it is gone. */
  async register(libp2p: Libp2p): Promise<void> {
    for (const channel of CHANNELS) {
      await libp2p.handle(this.#protocol(channel), (stream, connection) => this.#accept(channel, stream, connection), {
        maxInboundStreams: 2,
        maxOutboundStreams: 2,
      });
    }
  }

  /** @returns whether the message is queued. The caller has checked its size. */
  send(member: string, channel: Channel, message: Uint8Array): boolean {
    const outbox = this.#outboxes.get(key(member, channel));
    if (outbox === undefined || this.#shell.connectionTo(member) === undefined) {
      this.#shell.ledger.dropped(member, 'TRANSPORT_NOT_CONNECTED');
      return false;
    }
    // Framed now: the frame is the copy that keeps the queue apart from what the caller does with its bytes.
    const { queued, dropped } = outbox.queue.push(encodeFrame(message));
    if (dropped > 0) this.#shell.ledger.dropped(member, 'TRANSPORT_QUEUE_FULL', dropped);
    this.#throttleReading(member);
    if (!outbox.pumping) void this.#pump(outbox);
    return queued;
  }

  /** Drops what waits for a peer that went away. */
  detach(member: string): void {
    for (const channel of CHANNELS) {
      const outbox = this.#outboxes.get(key(member, channel));
      const lost = outbox?.queue.clear() ?? 0;
      if (lost > 0) this.#shell.ledger.dropped(member, 'TRANSPORT_NOT_CONNECTED', lost);
    }
  }

  stop(): void {
    this.#abort.abort();
    for (const outbox of this.#outboxes.values()) outbox.queue.clear();
  }

  #protocol(channel: Channel): string {
    return `/wattmesh/${this.#chainId}/${channel}/1`;
  }

  async #pump(outbox: Outbox): Promise<void> {
    outbox.pumping = true;
    const { member, queue } = outbox;
    while (queue.length > 0 && !this.#abort.signal.aborted) {
      const connection = this.#shell.connectionTo(member);
      if (connection === undefined) {
        this.detach(member);
        break;
      }
      const stream = await this.#open(outbox, connection);
      if (stream === null) {
        await pause(REOPEN_DELAY_MS, this.#abort.signal);
        continue;
      }
      const { frames, sizes } = takeBatch(queue);
      try {
        await write(stream, frames);
        for (const size of sizes) this.#shell.ledger.sent(member, size);
      } catch (error) {
        outbox.stream = null;
        this.#shell.ledger.dropped(member, 'TRANSPORT_STREAM_FAILED', sizes.length);
        this.#shell.log({ code: 'TRANSPORT_STREAM_FAILED', member, detail: String(error) });
      }
      this.#throttleReading(member);
      if (queue.takeDrained()) this.#shell.onDrain(member, outbox.channel);
    }
    outbox.pumping = false;
  }

  async #open(outbox: Outbox, connection: Connection): Promise<Stream | null> {
    if (outbox.stream?.writeStatus === 'writable' && connection.streams.includes(outbox.stream)) return outbox.stream;
    try {
      const signal = AbortSignal.any([this.#abort.signal, AbortSignal.timeout(OPEN_TIMEOUT_MS)]);
      const stream = await connection.newStream(this.#protocol(outbox.channel), { signal });
      // The other side only reads; anything it writes here is discarded instead of buffered.
      stream.addEventListener('message', () => {});
      outbox.stream = stream;
      return stream;
    } catch (error) {
      outbox.stream = null;
      if (!this.#abort.signal.aborted && connection.status === 'open') {
        this.#shell.log({ code: 'TRANSPORT_STREAM_FAILED', member: outbox.member, detail: String(error) });
      }
      return null;
    }
  }

  #accept(channel: Channel, stream: Stream, connection: Connection): void {
    const member = memberOfPeerId(connection.remotePeer);
    if (member === null || !this.#shell.ledger.knows(member)) {
      stream.abort(new Error('not a member'));
      return;
    }
    const name = key(member, channel);
    // The newest stream is the one that the peer writes to.
    this.#inbound.get(name)?.abort(new Error('replaced by a newer stream'));
    this.#inbound.set(name, stream);
    stream.maxReadBufferLength = PAUSED_READ_BYTES;
    const reader = new FrameReader(MAX_FRAME_BYTES[channel]);
    stream.addEventListener('message', ({ data }) => {
      for (const chunk of data instanceof Uint8Array ? [data] : data) {
        if (reader.push(chunk, (message) => this.#shell.onFrame(member, channel, message))) continue;
        stream.abort(new Error('frame too large'));
        this.#shell.onOversize(member);
        return;
      }
    });
    stream.addEventListener('close', () => {
      if (this.#inbound.get(name) === stream) this.#inbound.delete(name);
    });
    this.#throttleReading(member);
  }

  #throttleReading(member: string): void {
    const queued = this.#outboxes.get(key(member, 'sync'))?.queue.bytes ?? 0;
    const limit = this.#limits.queueBytes.sync;
    for (const channel of ['sync', 'request'] as const) {
      const stream = this.#inbound.get(key(member, channel));
      if (stream === undefined) continue;
      if (queued * 2 > limit && stream.readStatus === 'readable') stream.pause();
      else if (queued * 4 <= limit && stream.readStatus === 'paused') stream.resume();
    }
  }
}

function key(member: string, channel: Channel): string {
  return `${channel}:${member}`;
}

/** Small messages share one write, up to a chunk: fewer encryptions and system calls. */
function takeBatch(queue: SendQueue): { frames: Uint8Array; sizes: number[] } {
  const frames: Uint8Array[] = [];
  const sizes: number[] = [];
  let total = 0;
  do {
    const frame = queue.shift();
    if (frame === undefined) break;
    frames.push(frame);
    sizes.push(frame.byteLength - FRAME_HEADER_BYTES);
    total += frame.byteLength;
  } while (total < WRITE_CHUNK_BYTES);
  const only = frames[0];
  return { frames: frames.length === 1 && only !== undefined ? only : Buffer.concat(frames, total), sizes };
}

async function write(stream: Stream, bytes: Uint8Array): Promise<void> {
  for (let offset = 0; offset < bytes.byteLength; offset += WRITE_CHUNK_BYTES) {
    stream.send(bytes.subarray(offset, offset + WRITE_CHUNK_BYTES));
    // Not `stream.onDrain()`: libp2p 3.3 resolves one promise for all later calls, which would let the buffer grow.
    while (stream.writableNeedsDrain && stream.status === 'open') await nextDrain(stream);
  }
  if (stream.status !== 'open') throw new Error(`stream is ${stream.status}`);
}

function nextDrain(stream: Stream): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.removeEventListener('drain', done);
      stream.removeEventListener('close', done);
      resolve();
    };
    stream.addEventListener('drain', done);
    stream.addEventListener('close', done);
  });
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}
