import { type AggregationRule, aggregateModels, type ModelSubmission, tensorBytes } from '@wattmesh/frl';
import { type ApplicationRejectionCode, BlockRejection } from '../application/rejection.ts';
import type { Blobs } from '../application/types.ts';
import type { Hash } from '../chain/types.ts';
import { checkTensor } from './contributions.ts';
import type { UpdateHead } from './messages.ts';
import { type AggregationSetting, layoutOf, type PosocParameters } from './parameters.ts';
import { finiteWeights } from './tensor.ts';

/** The result of a learning round. */
export interface ModelResult {
  /** Learning rounds so far, this one included. */
  readonly round: number;
  readonly rule: AggregationSetting;
  /** False when too few updates were listed, or they have no finite aggregate: the model stays as it is. */
  readonly isAggregated: boolean;
  readonly hash: Hash;
}

/**
 * The model that the rule makes of exactly the listed updates (ascending rank), which come from `blobs` as the global model
 * does. The new model's bytes are added to `blobs`.
 * @throws BlockRejection when bytes are not there, or are no model.
 */
export function aggregate(
  parameters: PosocParameters,
  blobs: Blobs,
  globalHash: Hash,
  round: number,
  heads: readonly UpdateHead[],
): ModelResult {
  const { rule, minUpdates } = parameters.learning;
  const { parameterCount } = layoutOf(parameters.learning);
  const submissions = heads.map(({ rank, tensorHash }): ModelSubmission => {
    const tensor = bytesOf(blobs, tensorHash, `the update of member ${rank}`);
    const refusal = checkTensor(parameters, rank, tensorHash, tensor);
    if (refusal !== null) throw reject(refusal.code, refusal.reason);
    return { rank, weights: finiteWeights(tensor, parameterCount) as Float64Array };
  });
  const unchanged: ModelResult = { round, rule, isAggregated: false, hash: globalHash };
  if (submissions.length < minUpdates) return unchanged;
  const global = finiteWeights(bytesOf(blobs, globalHash, 'the global model'), parameterCount);
  if (global === null) throw reject('POSOC_UPDATE_WRONG_SIZE', 'the bytes held of the global model are no model');
  const { weights } = aggregateModels(global, submissions, ruleOf(rule));
  // Finite updates may still add up to infinity; a model that nobody could use must not replace one that works.
  if (!weights.every(Number.isFinite)) return unchanged;
  return { round, rule, isAggregated: true, hash: blobs.add(tensorBytes(weights)) };
}

function ruleOf({ name, f }: AggregationSetting): AggregationRule {
  return name === 'trim' || name === 'krum' || name === 'multikrum' ? { name, f } : { name };
}

function bytesOf(blobs: Blobs, hash: Hash, what: string): Uint8Array {
  const found = blobs.get(hash);
  if (found === null) throw reject('POSOC_BYTES_UNAVAILABLE', `${what}, ${hash}, is not here`);
  return found;
}

function reject(code: ApplicationRejectionCode, message: string): BlockRejection {
  return new BlockRejection('settlement', code, message);
}
