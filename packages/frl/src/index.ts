/**
 * Federated reinforcement learning for EVs that trade with one another, and the arithmetic of Proof of State of Charge.
 *
 * What it guarantees
 * - Pure: no disk, sockets, clock or ambient randomness. Randomness comes from `Rng` streams that are named by seed, EV
 *   and round; the same configuration gives the same bytes on one machine, resumed or not.
 * - What peers compare (aggregation, model hash, everything in `chain/`) uses integers, or +, -, *, / and the correctly
 *   rounded square root in one fixed order: the same bits on every machine. Training itself uses exponentials and is
 *   reproducible on one machine only; nobody has to agree on it.
 * - An action is always feasible: requests are projected onto power limit and SOC band, never refused or penalised.
 * - In `chain/`, energy and money are conserved to the unit by every clearing rule and every reward split.
 *
 * How it deviates from the thesis (chapter 4)
 * - Range anxiety is a penalty (eq. 4.14 prints it as a reward); the service fee is charged on |A|, not on A.
 * - delta is clamped to [deltaFloor, 1]; prices that violate on > mid > off are drawn again (eq. 4.2-4.4).
 * - Headroom counts once, at departure (4.1, not 4.17); discharge is D = -A (Algorithm 4, line 12, stores the sign).
 * - The learner also observes time and hours left; `observeTime: false` gives the printed six-variable state.
 * - Negative scores weigh nothing in the draw (4.18); losses pay no mining fee (4.20).
 *
 * What it persists: nothing. Models and checkpoints are safetensors bytes that the caller keeps.
 *
 * How it fails: `FrlError` with a `code` and details. An update that is malformed is refused by name before it can
 * enter an aggregate; it never changes one silently.
 */

export { announcedActionWh } from './chain/announced-action.ts';
export { apportion, floorDivide, PPM } from './chain/integer-arithmetic.ts';
export type { IntegerBattery } from './chain/integer-battery.ts';
export {
  advanceBatteryWh,
  defaultIntegerBattery,
  projectActionWh,
  validateIntegerBattery,
} from './chain/integer-battery.ts';
export type { IntegerFilledSlot, IntegerSlotFill } from './chain/integer-market.ts';
export { clearIntegerAuction, clearIntegerPool } from './chain/integer-market.ts';
export type { MiningReward, MiningRewardInput } from './chain/integer-mining-reward.ts';
export { releaseEscrow, settledProfitMicro, splitMiningReward } from './chain/integer-mining-reward.ts';
export type { IntegerScoreInput } from './chain/integer-score.ts';
export {
  advanceIntegerScoreLedger,
  integerProofScore,
  integerSelectionWeights,
  slotScorePpmWh,
} from './chain/integer-score.ts';
export type {
  IntegerPriceTriple,
  IntegerSlotPrices,
  IntegerSlotTariff,
  IntegerTariff,
} from './chain/integer-tariff.ts';
export {
  defaultIntegerTariff,
  integerDeltaPpm,
  integerPriceTriple,
  integerSlotPrices,
  integerSlotTariff,
  validateIntegerTariff,
} from './chain/integer-tariff.ts';
export { BatchEnvironment } from './environment/batch-environment.ts';
export type { BatteryConfig } from './environment/battery.ts';
export { advanceBattery, projectAction } from './environment/battery.ts';
export type { DayBatch, Stay } from './environment/day-batch.ts';
export { allocateDays, sampleDays, sampleLotDay, sampleStay, setDay } from './environment/day-batch.ts';
export type { DayMetrics, MeanAndError } from './environment/day-metrics.ts';
export { allDayMetrics, dayMetrics, summariseMetric } from './environment/day-metrics.ts';
export { DayTotals } from './environment/day-totals.ts';
export type {
  ClampedNormal,
  EnvironmentConfig,
  EnvironmentOverrides,
  ObservationConfig,
  StayConfig,
} from './environment/environment-config.ts';
export { createEnvironmentConfig, ENVIRONMENT_PRESETS } from './environment/environment-config.ts';
export type { Ev2GymMetrics, Ev2GymOptions } from './environment/ev2gym-metrics.ts';
export { ev2GymMetrics } from './environment/ev2gym-metrics.ts';
export type { SlotView } from './environment/observation.ts';
export { observationSize, observe, writeObservation } from './environment/observation.ts';
export type { OracleOptions, OracleSolution } from './environment/oracle.ts';
export { solveOracle } from './environment/oracle.ts';
export type {
  Calendar,
  Period,
  PriceDistribution,
  PriceTriple,
  SlotPrices,
  TariffConfig,
} from './environment/tariff.ts';
export {
  deltaOf,
  PERIODS,
  PRICE_DISTRIBUTIONS,
  periodOfHour,
  SLOTS_PER_DAY,
  samplePriceTriple,
  slotPrices,
} from './environment/tariff.ts';
export type { AggregatedModel, ModelSubmission } from './federation/aggregate-models.ts';
export { aggregateModels, combineUpdates, validateSubmission } from './federation/aggregate-models.ts';
export type { AggregationRule, Combination } from './federation/aggregation/rule.ts';
export type { Attack } from './federation/attack.ts';
export { poisonUpdates } from './federation/attack.ts';
export type { FrlErrorCode, FrlErrorDetails } from './frl-error.ts';
export { FrlError } from './frl-error.ts';
export type { ActorCritic, LossAndGradient, LossConfig, Minibatch } from './learner/actor-critic.ts';
export type { Learner, UpdateReport } from './learner/learner.ts';
export { createLearner, createTypedArrayLearner } from './learner/learner.ts';
export type { PpoConfig } from './learner/ppo-config.ts';
export { createPpoConfig, DEFAULT_PPO } from './learner/ppo-config.ts';
export type { Rollout } from './learner/rollout.ts';
export { collectRollout } from './learner/rollout.ts';
export type { TfjsBackend, TfjsChoice, TfjsOptions } from './learner/tfjs/load-tfjs.ts';
export { loadTfjsActorCritic } from './learner/tfjs/load-tfjs.ts';
export { TypedArrayActorCritic } from './learner/typed-array-actor-critic.ts';
export type { AuctionResult, Order, Trade } from './market/double-auction.ts';
export { clearDoubleAuction } from './market/double-auction.ts';
export type { FilledSlot, FillRule, SlotFill } from './market/fill.ts';
export { fillSlot } from './market/fill.ts';
export { initialWeights } from './model/initial-weights.ts';
export type { HashFunction, ModelFile } from './model/model-codec.ts';
export { decodeModel, encodeModel, modelHash, readModelFile, tensorBytes } from './model/model-codec.ts';
export type { ModelLayout, TensorSpec } from './model/model-layout.ts';
export { createModelLayout } from './model/model-layout.ts';
export { idlePolicy } from './policy/idle-policy.ts';
export { createLearnedPolicy } from './policy/learned-policy.ts';
export { createOraclePolicy } from './policy/oracle-policy.ts';
export type { Policy } from './policy/policy.ts';
export { playOut } from './policy/policy.ts';
export { createRandomPolicy } from './policy/random-policy.ts';
export { createReplayPolicy } from './policy/replay-policy.ts';
export { rulePolicy } from './policy/rule-policy.ts';
export { uncontrolledPolicy } from './policy/uncontrolled-policy.ts';
export type { ScoredSlot } from './posoc/misprinted-score.ts';
export { misprintedScores } from './posoc/misprinted-score.ts';
export type { PosocPreset } from './posoc/posoc-presets.ts';
export { POSOC_PRESETS } from './posoc/posoc-presets.ts';
export type { ScoreMode } from './posoc/proof-score.ts';
export { advanceScoreLedger, proofScore } from './posoc/proof-score.ts';
export type { SelectionOptions } from './posoc/selection.ts';
export { drawWinner, randomBeacon, selectionWeights } from './posoc/selection.ts';
export type { Rng } from './rng.ts';
export { createXoshiro128, streamRng } from './rng.ts';
export type { Evaluation, EvaluationOptions, EvaluationSummary } from './training/evaluation.ts';
export { createEvaluation, createEvaluationOfDays } from './training/evaluation.ts';
export type { LocalRoundInput, LocalRoundReport } from './training/local-round.ts';
export { runLocalRound } from './training/local-round.ts';
export type { LotDay } from './training/lot-day.ts';
export { playLotDay } from './training/lot-day.ts';
export type { EvaluationPoint, RefusedUpdate, RoundProgress, TrainingOptions } from './training/train.ts';
export { train, trainingLayout } from './training/train.ts';
export type { TrainingCheckpoint } from './training/training-checkpoint.ts';
export { decodeCheckpoint, encodeCheckpoint } from './training/training-checkpoint.ts';
export type { TrainingConfig } from './training/training-config.ts';
export { trainingFingerprint, validateTrainingConfig } from './training/training-config.ts';
