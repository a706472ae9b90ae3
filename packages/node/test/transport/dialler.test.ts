import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Dialler } from '../../src/transport/dialler.ts';
import type { TransportEvent } from '../../src/transport/transport-error.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A dialler whose dials fail until told otherwise, under a fake clock. */
function lab(self = 'a') {
  const state = { isReachable: false, isConnected: false, isArriving: false, backOffMs: 0 };
  const dials: { atMs: number; address: string }[] = [];
  const log: TransportEvent[] = [];
  const startMs = Date.now();
  const dialler = new Dialler(
    { firstDelayMs: 100, courtesyMs: 300, maxDelayMs: 1_000, dialTimeoutMs: 500 },
    {
      self,
      log: (event) => log.push(event),
      random: () => 1,
      isConnected: () => state.isConnected,
      isArriving: () => state.isArriving,
      backOffMs: () => state.backOffMs,
      dial: async (_, address) => {
        dials.push({ atMs: Date.now() - startMs, address });
        if (!state.isReachable) throw new Error('refused');
        state.isConnected = true;
      },
    },
  );
  return { dialler, state, dials, log };
}

describe('Dialler', () => {
  it('doubles its pauses up to the cap, and never gives up', async () => {
    const { dialler, dials, log } = lab();
    dialler.setAddress('b', 'x');
    dialler.start();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(dials.slice(0, 7).map(({ atMs }) => atMs)).toEqual([0, 100, 300, 700, 1_500, 2_500, 3_500]);
    expect(dials.length).toBeGreaterThan(55);
    // Logged at attempts 0, 1, 2, 4, 8, 16, 32.
    expect(log.map(({ code }) => code)).toEqual(Array.from({ length: 7 }, () => 'TRANSPORT_DIAL_FAILED'));
    dialler.stop();
  });

  it('rests while connected and begins at once when told that the connection is lost', async () => {
    const { dialler, state, dials } = lab();
    state.isReachable = true;
    dialler.setAddress('b', 'x');
    dialler.start();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(dials).toHaveLength(1);
    state.isConnected = false;
    dialler.wake('b');
    await vi.advanceTimersByTimeAsync(0);
    expect(dials).toHaveLength(2);
    dialler.stop();
  });

  it('does not hammer a peer that takes connections only to drop them', async () => {
    const { dialler, state, dials } = lab();
    state.isReachable = true;
    dialler.setAddress('b', 'x');
    dialler.start();
    for (let step = 0; step < 10_000; step++) {
      await vi.advanceTimersByTimeAsync(1);
      if (!state.isConnected) continue;
      state.isConnected = false;
      dialler.retry('b');
    }
    // 0, 100, 300, 700, 1,500, then every second.
    expect(dials).toHaveLength(13);
    dialler.stop();
  });

  it('lets the lower id go first', async () => {
    const { dialler, dials } = lab('z');
    dialler.setAddress('b', 'x');
    dialler.start();
    await vi.advanceTimersByTimeAsync(299);
    expect(dials).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(dials).toHaveLength(1);
    dialler.stop();
  });

  it('holds back while the peer is about to be connected from its side, and goes on if that fails', async () => {
    const { dialler, state, dials } = lab();
    state.isArriving = true;
    dialler.setAddress('b', 'x');
    dialler.start();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(dials).toEqual([]);
    state.isArriving = false;
    await vi.advanceTimersByTimeAsync(100);
    expect(dials).toHaveLength(1);
    dialler.stop();
  });

  it('tries a corrected address at once', async () => {
    const { dialler, dials } = lab();
    dialler.setAddress('b', 'wrong');
    dialler.start();
    await vi.advanceTimersByTimeAsync(5_000);
    const before = dials.length;
    dialler.setAddress('b', 'right');
    await vi.advanceTimersByTimeAsync(0);
    expect(dials.slice(before).map(({ address }) => address)).toEqual(['right']);
    expect(dialler.address('b')).toBe('right');
    dialler.stop();
  });

  it('waits for the end of a back-off', async () => {
    const { dialler, state, dials } = lab();
    state.backOffMs = 7_000;
    dialler.setAddress('b', 'x');
    dialler.start();
    await vi.advanceTimersByTimeAsync(6_999);
    expect(dials).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(dials).toHaveLength(1);
    dialler.stop();
  });

  it('stops for good, and leaves no timer', async () => {
    const { dialler, dials } = lab();
    dialler.setAddress('b', 'x');
    dialler.start();
    await vi.advanceTimersByTimeAsync(1_000);
    dialler.stop();
    const before = dials.length;
    dialler.wake('b');
    expect(vi.getTimerCount()).toBe(0);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(dials).toHaveLength(before);
  });
});
