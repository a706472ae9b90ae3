import type { PeerOptions } from '../../src/peer/ports.ts';

/** Of a peer whose slots end only when a test says so. */
export const UNHURRIED: PeerOptions = {
  timeouts: { proposeMs: 2_000, prevoteMs: 1_000, precommitMs: 1_000, stepMs: 500, collectMs: 1_000, resendMs: 1_000 },
  txPatienceMs: 1_500,
  minBlockIntervalMs: 0,
  slotPaceMs: 1e6,
  readyTimeoutMs: 1e6,
  statusMs: 1_000,
  syncTimeoutMs: 4_000,
  maxPoolTransactions: 1_000,
};
