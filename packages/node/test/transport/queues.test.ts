import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame, FrameReader } from '../../src/transport/frame-codec.ts';
import { InboundGuard } from '../../src/transport/inbound-guard.ts';
import { SendQueue } from '../../src/transport/send-queue.ts';
import { TokenBucket } from '../../src/transport/token-bucket.ts';
import { DEFAULT_LIMITS } from '../../src/transport/transport-limits.ts';

const MAX_BYTES = 300;

describe('frames', () => {
  it('survive any way of being cut into chunks', () => {
    const messages = fc.array(fc.uint8Array({ maxLength: MAX_BYTES }), { maxLength: 12 });
    fc.assert(
      fc.property(messages, fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }), (sent, cuts) => {
        const wire = Buffer.concat(sent.map(encodeFrame));
        const reader = new FrameReader(MAX_BYTES);
        const got: number[][] = [];
        for (let offset = 0, turn = 0; offset < wire.length; turn++) {
          const end = offset + (cuts[turn % cuts.length] ?? 1);
          expect(reader.push(wire.subarray(offset, end), (message) => got.push([...message]))).toBe(true);
          offset = end;
        }
        expect(got).toEqual(sent.map((message) => [...message]));
      }),
    );
  });

  it('begin with their length in 4 bytes, big-endian', () => {
    expect([...encodeFrame(new Uint8Array(258)).subarray(0, 5)]).toEqual([0, 0, 1, 2, 0]);
  });

  it('stop at one that is too long, after those before it, without waiting for its bytes', () => {
    const reader = new FrameReader(3);
    const got: number[][] = [];
    const wire = Buffer.concat([encodeFrame(new Uint8Array([1, 2, 3])), Uint8Array.of(0, 0, 0, 4)]);
    expect(reader.push(wire, (message) => got.push([...message]))).toBe(false);
    expect(got).toEqual([[1, 2, 3]]);
  });

  it('do not share memory with the chunk they came in', () => {
    const chunk = encodeFrame(Uint8Array.of(7, 7));
    const got: Uint8Array[] = [];
    new FrameReader(10).push(chunk, (message) => got.push(message));
    chunk.fill(0);
    expect([...(got[0] ?? [])]).toEqual([7, 7]);
  });
});

describe('SendQueue', () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 60 });

  it('that drops its oldest keeps the longest tail that fits, in order', () => {
    fc.assert(
      fc.property(sizes, (lengths) => {
        const queue = new SendQueue(100, 'drop-oldest');
        const dropped = lengths.reduce((sum, length) => sum + queue.push(new Uint8Array(length)).dropped, 0);
        const kept: number[] = [];
        for (let next = queue.shift(); next !== undefined; next = queue.shift()) kept.push(next.byteLength);
        expect(kept).toEqual(lengths.slice(dropped));
        const total = (from: number): number => lengths.slice(from).reduce((sum, length) => sum + length, 0);
        expect(total(dropped)).toBeLessThanOrEqual(100);
        if (dropped > 0) expect(total(dropped - 1)).toBeGreaterThan(100);
      }),
    );
  });

  it('that refuses never drops what it took', () => {
    fc.assert(
      fc.property(sizes, (lengths) => {
        const queue = new SendQueue(100, 'refuse');
        const taken = lengths.filter((length) => queue.push(new Uint8Array(length)).queued);
        expect(queue.bytes).toBe(taken.reduce((sum, length) => sum + length, 0));
        expect(queue.bytes).toBeLessThanOrEqual(100);
        expect(queue.clear()).toBe(taken.length);
        expect([queue.bytes, queue.length]).toEqual([0, 0]);
      }),
    );
  });

  it('says once that there is room again, at half full, and only after a refusal', () => {
    const queue = new SendQueue(100, 'refuse');
    queue.push(new Uint8Array(60));
    queue.push(new Uint8Array(40));
    queue.shift();
    expect(queue.takeDrained()).toBe(false);
    expect(queue.push(new Uint8Array(61))).toEqual({ queued: false, dropped: 1 });
    expect(queue.takeDrained()).toBe(true);
    expect(queue.takeDrained()).toBe(false);
  });
});

describe('TokenBucket', () => {
  it('never gives more than its burst and its rate allow, in any window', () => {
    const steps = fc.array(
      fc.record({ waitMs: fc.integer({ min: 0, max: 500 }), count: fc.integer({ min: 1, max: 5 }) }),
      {
        maxLength: 80,
      },
    );
    fc.assert(
      fc.property(steps, (asked) => {
        const bucket = new TokenBucket(10, 4, 0);
        let nowMs = 0;
        let given = 0;
        for (const { waitMs, count } of asked) {
          nowMs += waitMs;
          if (bucket.take(count, nowMs)) given += count;
          expect(given).toBeLessThanOrEqual(10 + (nowMs / 1000) * 4 + 1e-9);
        }
      }),
    );
  });

  it('is not drained by a clock that steps back, nor filled by its return', () => {
    const bucket = new TokenBucket(2, 1, 10_000);
    expect(bucket.take(1, 0)).toBe(true);
    expect(bucket.take(1, 0)).toBe(true);
    expect(bucket.take(1, 0)).toBe(false);
    expect(bucket.take(1, 1_000)).toBe(true);
  });
});

describe('InboundGuard', () => {
  const lane = { messagesPerSecond: 1, burstMessages: 2, bytesPerSecond: 10, burstBytes: 100 };
  const limits = {
    ...DEFAULT_LIMITS,
    lanes: { ...DEFAULT_LIMITS.lanes, votes: lane },
    patiencePoints: 10,
    patiencePerSecond: 1,
    backOffMs: 5_000,
  };

  it('limits messages and bytes by peer and lane', () => {
    const guard = new InboundGuard(['a', 'b'], limits, 0);
    expect([1, 2, 3].map(() => guard.admit('a', 'votes', 10, 0))).toEqual([true, true, false]);
    expect(guard.admit('b', 'votes', 10, 0)).toBe(true);
    expect(guard.admit('b', 'votes', 91, 0)).toBe(false);
    expect(guard.admit('a', 'request', 10, 0)).toBe(true);
    expect(guard.admit('a', 'votes', 10, 1_000)).toBe(true);
    expect(guard.admit('stranger', 'votes', 1, 0)).toBe(false);
  });

  it('forgives slowly, loses patience once, and starts afresh after the back-off', () => {
    const guard = new InboundGuard(['a'], limits, 0);
    expect(guard.charge('a', 10, 0)).toBe(false);
    expect(guard.charge('a', 3, 3_000)).toBe(false);
    expect(guard.charge('a', 1, 3_000)).toBe(true);
    expect(guard.backOffMs('a', 3_000)).toBe(5_000);
    expect(guard.charge('a', 100, 4_000)).toBe(false);
    expect(guard.backOffMs('a', 7_999)).toBe(1);
    expect(guard.backOffMs('a', 8_000)).toBe(0);
    expect(guard.charge('a', 10, 8_000)).toBe(false);
    expect(guard.backOffMs('a', -1_000_000)).toBe(5_000);
    expect(guard.charge('stranger', 100, 0)).toBe(false);
  });
});
