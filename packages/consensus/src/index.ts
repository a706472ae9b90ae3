/**
 * The chain: what peers sign, how they agree on it, and what it does to the ledger. Specification: `docs/architecture.md`.
 *
 * Guarantees, for `n` members, quorum `q` and `b` Byzantine ones:
 * - Agreement and validity while `b < 2q - n`; liveness while `b <= n - q` and messages arrive within some finite bound.
 * - A committed block passed every check of `verification/` on every honest voter; each check is decidable from the block
 *   and its parent's state alone.
 * - Who composes is drawn by score, from a seed that nobody knows before the scores are fixed (`election/`).
 * - What a block names by hash (model updates) is recomputed from the bytes by every voter (`posoc/`); certified blocks are
 *   taken at their word, so that bytes need not be kept for ever.
 * - Every asset is conserved to the unit (`ledger/`). Minting rules: `proof-score` (EPOS, 1 Wh of score = 1,000
 *   micro-EPOS) and `surplus` (energy credits, 1 Wh each). Burning rules: `retired` (energy credits) and `slashed` (EPOS).
 * - Who is provably at fault loses stake, weight and rewards on every peer (`evidence/`), by a proof of the last
 *   `evidenceBlocks` heights; a timeout certificate costs the round's proposer its place in the list and a small penalty.
 * - What `f + 1` voters of the embedded certificate report (announcements, overdue transactions) is in the block (`inclusion/`).
 *
 * Pure: no socket, disk, clock, timer or random source. `Peer` is a function of the events that it is told; whoever runs
 * it makes its writes durable before sending what follows them.
 *
 * Deviations from the thesis: weights and draws are integers; the draw comes from a threshold beacon, not from the miner;
 * candidates that fail are passed over by reading on in one list (eq. 3.24); agreement is Byzantine (2q - n), where the
 * thesis trusts the elected miner.
 *
 * Persists through its `StoreWrite`s: a journal of what must not be signed twice, and committed heights with their state.
 * Fails: hostile bytes are refused with a coded error and never throw out of `Peer.handle`; a stored state that cannot be
 * decoded throws from the constructor.
 */
export { createApplication } from './application/create-application.ts';
export * from './application/rejection.ts';
export type * from './application/types.ts';
export * from './chain/index.ts';
export * from './codec/index.ts';
export * from './composition/index.ts';
export * from './crypto/index.ts';
export * from './election/index.ts';
export * from './engine/index.ts';
export * from './evidence/index.ts';
export * from './execution/index.ts';
export * from './genesis/index.ts';
export * from './inclusion/index.ts';
export * from './ledger/index.ts';
export * from './misbehaviour/index.ts';
export { ChainMemory } from './peer/chain-memory.ts';
export { decodeJournalEntry, heightOf as heightOfLogRecord, type JournalEntry } from './peer/journal.ts';
export { Peer, type PeerView } from './peer/peer.ts';
export type * from './peer/ports.ts';
export {
  type Announcement,
  createPoegApplication,
  decodePoegParameters,
  encodePoegParameters,
  type OfflineRun,
  type OfflineSlot,
  offlineTotals,
  type PoegParameters,
  type PoegState,
  poegParametersOf,
  type Reading,
  type SettlementDescription,
  signAnnouncement,
  signReading,
  singletonScoreWh,
} from './poeg/index.ts';
export {
  type AggregationSetting,
  createPosocApplication,
  decodePosocParameters,
  type EvTotals,
  encodePosocParameters,
  type FillMode,
  finiteWeights,
  type HeldProfit,
  HOURS_PER_DAY,
  hourTariff,
  type LearningParameters,
  layoutOf,
  offPriceMicro,
  POSOC_ACCOUNTS,
  type PosocDescription,
  type PosocParameters,
  type PosocState,
  type PresentEv,
  placeOfSlot,
  posocParametersOf,
  type SlotPlace,
  type Stay,
  signAction,
  signPayment,
  signUpdate,
  slotsPerDay,
} from './posoc/index.ts';
export { type BlockVerdict, isBlockOf, verifyBlock } from './verification/index.ts';
export { decodeMessage, encodeMessage, type Message, type MessageType } from './wire/messages.ts';
