/** Proof of State of Charge: EVs trade by the hour, learn together by the day, and draw who aggregates by what they sold. */
export { createPosocApplication } from './application.ts';
export type { PosocDescription } from './description.ts';
export { hourTariff, offPriceMicro } from './hour-market.ts';
export {
  type FeePayment,
  type HourlyAction,
  type ModelUpdate,
  type PresentEv,
  signAction,
  signPayment,
  signUpdate,
  type UpdateHead,
} from './messages.ts';
export {
  type AggregationSetting,
  decodePosocParameters,
  encodePosocParameters,
  type FillMode,
  HOURS_PER_DAY,
  type LearningParameters,
  layoutOf,
  POSOC_ACCOUNTS,
  type PosocParameters,
  PosocParametersError,
  posocParametersOf,
  slotsPerDay,
} from './parameters.ts';
export { placeOfSlot, type SlotPlace } from './schedule.ts';
export type { EvTotals, HeldProfit, PosocState, Stay } from './state.ts';
export { finiteWeights } from './tensor.ts';
