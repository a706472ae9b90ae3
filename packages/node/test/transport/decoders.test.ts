/** The transport's decoders under bytes that no peer of ours would send. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame, FRAME_HEADER_BYTES, FrameReader } from '../../src/transport/frame-codec.ts';
import { GossipWindow, TAG_BYTES } from '../../src/transport/gossip-window.ts';
import { InboundGuard } from '../../src/transport/inbound-guard.ts';
import { MessageIntake } from '../../src/transport/message-intake.ts';
import { PeerLedger } from '../../src/transport/peer-ledger.ts';
import { DEFAULT_LIMITS } from '../../src/transport/transport-limits.ts';
import {
  CHANNELS,
  type InboundMessage,
  MAX_FRAME_BYTES,
  MAX_GOSSIP_BYTES,
  TOPICS,
} from '../../src/transport/transport-port.ts';

const MAX_BYTES = 64;

describe('a stream of any bytes', () => {
  // Small lengths often, so that some frames are complete.
  const byte = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(80), fc.nat(255));
  const streams = fc.array(byte, { maxLength: 400 }).map((bytes) => Uint8Array.from(bytes));

  it('is cut into the frames that it announces up to the first that is too long, and never breaks the reader', () => {
    fc.assert(
      fc.property(streams, fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1 }), (stream, cuts) => {
        const reader = new FrameReader(MAX_BYTES);
        const got: Uint8Array[] = [];
        let isAlive = true;
        for (let offset = 0, turn = 0; offset < stream.length && isAlive; turn += 1) {
          const end = offset + (cuts[turn % cuts.length] ?? 1);
          isAlive = reader.push(stream.subarray(offset, end), (frame) => got.push(frame));
          offset = end;
        }
        const { frames, isWhole } = framesOf(stream);
        expect(got.map((frame) => [...frame])).toEqual(frames.map((frame) => [...frame]));
        expect(isAlive).toBe(isWhole);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  /** Written down apart from the reader: header by header over the whole stream. */
  function framesOf(stream: Uint8Array): { readonly frames: Uint8Array[]; readonly isWhole: boolean } {
    const frames: Uint8Array[] = [];
    let offset = 0;
    while (offset + FRAME_HEADER_BYTES <= stream.length) {
      const [a = 0, b = 0, c = 0, d = 0] = stream.subarray(offset, offset + FRAME_HEADER_BYTES);
      const length = ((a * 256 + b) * 256 + c) * 256 + d;
      if (length > MAX_BYTES) return { frames, isWhole: false };
      const end = offset + FRAME_HEADER_BYTES + length;
      if (end > stream.length) break;
      frames.push(stream.subarray(offset + FRAME_HEADER_BYTES, end));
      offset = end;
    }
    return { frames, isWhole: true };
  }

  it('makes the reader hold no more than one frame, whatever length a header announces', () => {
    const reader = new FrameReader(MAX_FRAME_BYTES.votes);
    const before = process.memoryUsage().arrayBuffers;
    expect(reader.push(Uint8Array.of(0xff, 0xff, 0xff, 0xff), () => {})).toBe(false);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(MAX_FRAME_BYTES.votes);
    expect(encodeFrame(new Uint8Array(3))).toHaveLength(FRAME_HEADER_BYTES + 3);
  });
});

describe('envelopes and frames of any kind from a known peer and an unknown one', () => {
  const PEER = 'peer';
  const ids = fc.constantFrom(PEER, PEER, PEER, 'stranger');
  const largest = new Uint8Array(TAG_BYTES + MAX_GOSSIP_BYTES);
  const tooLarge = new Uint8Array(largest.length + 1);
  const content = fc.oneof(
    { weight: 30, arbitrary: fc.uint8Array({ maxLength: 40 }) },
    { weight: 1, arbitrary: fc.constantFrom(largest, tooLarge) },
  );
  const arrivals = fc.array(
    fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({
          via: fc.constant('gossip' as const),
          from: ids,
          topic: fc.constantFrom(...TOPICS, 'nothing'),
          bytes: content,
        }),
      },
      {
        weight: 2,
        arbitrary: fc.record({
          via: fc.constant('direct' as const),
          from: ids,
          topic: fc.constantFrom(...CHANNELS),
          bytes: content,
        }),
      },
    ),
    { maxLength: 80 },
  );

  it('reach the handler only when size, topic and sender allow, and everything else is counted', () => {
    fc.assert(
      fc.property(
        arrivals,
        fc.constantFrom('accept' as const, 'ignore' as const, 'reject' as const),
        (all, verdict) => {
          let nowMs = 0;
          const ledger = new PeerLedger([PEER], [], 'self', () => nowMs);
          const window = new GossipWindow(60_000, 20, () => nowMs);
          const guard = new InboundGuard([PEER], DEFAULT_LIMITS, nowMs);
          const penalised: string[] = [];
          const intake = new MessageIntake(
            { guard, window, ledger },
            { nowMs: () => nowMs, log: () => {}, penalise: (peer) => penalised.push(peer) },
          );
          const delivered: InboundMessage[] = [];
          intake.setHandler((message) => {
            delivered.push(message);
            return verdict;
          });
          for (const { via, from, topic, bytes } of all) {
            nowMs += 1;
            if (via === 'direct') intake.direct(from, topic, bytes);
            else if (intake.admitGossip(from, topic, bytes.byteLength))
              intake.gossip(from, topic as (typeof TOPICS)[number], bytes);
            expect(window.size).toBeLessThanOrEqual(20);
          }
          for (const { via, from, topic, bytes } of delivered) {
            expect(from).toBe(PEER);
            expect(bytes.byteLength).toBeLessThanOrEqual(
              via === 'gossip' ? MAX_GOSSIP_BYTES : MAX_FRAME_BYTES[topic as 'votes'],
            );
            expect(via === 'gossip' ? TOPICS : CHANNELS).toContain(topic);
          }
          const [status] = ledger.statuses();
          const known = all.filter(({ from }) => from === PEER).length;
          const refusedUnseen = Object.entries(status?.droppedByCode ?? {})
            .filter(([code]) => code !== 'TRANSPORT_REJECTED')
            .reduce((sum, [, count]) => sum + count, 0);
          expect((status?.messagesIn ?? 0) + refusedUnseen).toBe(known);
          expect(delivered.length).toBeLessThanOrEqual(status?.messagesIn ?? 0);
          expect(penalised.every((peer) => peer === PEER)).toBe(true);
        },
      ),
      { seed: 1, numRuns: 60 },
    );
  });
});
