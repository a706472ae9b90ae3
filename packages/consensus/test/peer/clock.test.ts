import { expect, test } from 'vitest';
import { Peer } from '../../src/peer/peer.ts';
import type { PeerOptions } from '../../src/peer/ports.ts';
import { PoegChain, WORKED4 } from '../fixtures/poeg-chain.ts';

const OPTIONS: PeerOptions = {
  timeouts: { proposeMs: 2_000, prevoteMs: 1_000, precommitMs: 1_000, stepMs: 500, collectMs: 1_000, resendMs: 1_000 },
  txPatienceMs: 1_500,
  minBlockIntervalMs: 0,
  slotPaceMs: 100,
  readyTimeoutMs: 5_000,
  statusMs: 1_000,
  syncTimeoutMs: 4_000,
  maxPoolTransactions: 1_000,
};

test('a peer whose clock was set back or forward has itself woken again by the clock as it is', () => {
  const chain = new PoegChain(WORKED4);
  const [signer] = chain.network.signers;
  const reader = { block: () => null, state: () => null };
  const modules = { signer: signer!, source: null, reader };
  const peer = new Peer(chain.rules, OPTIONS, modules, { head: null, journal: [], silentThrough: 0 });
  const wakeUpsAt = (nowMs: number, event: { type: 'start' } | { type: 'timer'; id: string }): number[] =>
    peer
      .handle({ ...event, nowMs })
      .timers.filter(({ id }) => id.startsWith('slot/'))
      .map(({ delayMs }) => delayMs);
  expect(wakeUpsAt(10_000, { type: 'start' })).toEqual([100, 5_000]);
  // Set back by four seconds: the timer of the old clock would find that nothing is due, and nothing would follow it.
  expect(wakeUpsAt(6_000, { type: 'timer', id: 'status' })).toEqual([4_100, 9_000]);
  expect(wakeUpsAt(13_000, { type: 'timer', id: 'status' })).toEqual([2_000]);
});

test('a heartbeat in the moment in which the slot may end does what the timer that it replaces would have done', () => {
  const chain = new PoegChain(WORKED4);
  const modules = { signer: chain.network.signers[0]!, source: null, reader: { block: () => null, state: () => null } };
  const begins = (id: string): boolean => {
    const peer = new Peer(chain.rules, OPTIONS, modules, { head: null, journal: [], silentThrough: 0 });
    peer.handle({ type: 'start', nowMs: 10_000 });
    const { timers, notices } = peer.handle({ type: 'timer', id, nowMs: 10_000 + OPTIONS.readyTimeoutMs });
    return timers.some((timer) => timer.id === 'engine/propose/1/0') || notices.some(({ type }) => type === 'composed');
  };
  expect(begins('slot/0/1')).toBe(true);
  expect(begins('status')).toBe(true);
});
