import { FrlError } from '../frl-error.ts';
import { decodeSafetensors, encodeSafetensors, type NamedTensor } from '../model/safetensors.ts';

/** All that a run needs to go on: it draws from streams named by round, so no generator state is kept. */
export interface TrainingCheckpoint {
  /** Rounds completed. */
  readonly round: number;
  /** Of the configuration that the run belongs to. */
  readonly fingerprint: string;
  /** One model, or in local training one per EV. */
  readonly models: readonly Float64Array[];
  /** Adam's state, one per learner. */
  readonly optimizerStates: readonly Float64Array[];
}

/** A checkpoint as a safetensors file; round and fingerprint stand in its metadata. */
export function encodeCheckpoint(checkpoint: TrainingCheckpoint): Uint8Array {
  const named = (prefix: string, vectors: readonly Float64Array[]): NamedTensor[] =>
    vectors.map((values, index) => ({ name: `${prefix}.${index}`, shape: [values.length], values }));
  return encodeSafetensors({
    tensors: [...named('model', checkpoint.models), ...named('optimizer', checkpoint.optimizerStates)],
    metadata: { round: String(checkpoint.round), fingerprint: checkpoint.fingerprint },
  });
}

/** Reads it back. Throws the errors of `decodeSafetensors`, and `FRL_CHECKPOINT_MISMATCH` if it is another kind of file. */
export function decodeCheckpoint(bytes: Uint8Array): TrainingCheckpoint {
  const { tensors, metadata } = decodeSafetensors(bytes);
  const round = Number(metadata.round);
  const { fingerprint } = metadata;
  const vectors = (prefix: string): Float64Array[] =>
    tensors.filter(({ name }) => name.startsWith(`${prefix}.`)).map(({ values }) => values);
  const [models, optimizerStates] = [vectors('model'), vectors('optimizer')];
  if (
    !Number.isSafeInteger(round) ||
    round < 0 ||
    !fingerprint ||
    models.length + optimizerStates.length !== tensors.length
  ) {
    throw new FrlError('FRL_CHECKPOINT_MISMATCH', 'this safetensors file is not a training checkpoint', {
      round: String(metadata.round),
      tensors: tensors.length,
    });
  }
  return { round, fingerprint, models, optimizerStates };
}
