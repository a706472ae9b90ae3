/** Proof of Energy Generation: announcements become a market, the market a bill and the weights of the next draw. */
export { createPoegApplication } from './application.ts';
export type { SettlementDescription } from './description.ts';
export {
  type Announcement,
  decodeMessage,
  encodeMessage,
  MAX_ENERGY_WH,
  messageKey,
  type PoegMessage,
  type Reading,
  signAnnouncement,
  signReading,
} from './messages.ts';
export { type OfflineRun, type OfflineSlot, offlineTotals } from './offline.ts';
export {
  decodePoegParameters,
  encodePoegParameters,
  type PoegParameters,
  PoegParametersError,
  type PoegParametersErrorCode,
  poegParametersOf,
  type ScoreBasis,
  validatePoegParameters,
} from './parameters.ts';
export { decodePayload, encodePayload, type SettlementPayload } from './payload.ts';
export type { SettlementResults, SlotBill } from './settlement.ts';
export { type AnnouncedBalance, type SlotMarket, singletonScoreWh, tieWeight } from './slot-market.ts';
export type { MemberTotals, PoegState, PoegTotals } from './state.ts';
