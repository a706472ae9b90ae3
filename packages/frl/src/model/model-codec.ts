import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { FrlError } from '../frl-error.ts';
import { createModelLayout, type ModelLayout } from './model-layout.ts';
import { decodeSafetensors, encodeSafetensors } from './safetensors.ts';

/** Hash of bytes; SHA-256 unless the caller brings a faster one with the same output. */
export type HashFunction = (bytes: Uint8Array) => Uint8Array;

/** A model as safetensors. `weights` in the layout's flat order. */
export function encodeModel(
  layout: ModelLayout,
  weights: Float64Array,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const tensors = layout.tensors.map(({ name, shape, offset, length }) => ({
    name,
    shape,
    values: weights.subarray(offset, offset + length),
  }));
  return encodeSafetensors({ tensors, metadata });
}

/**
 * The weights of a model that was sent as bytes. Beyond `decodeSafetensors`' checks, names, order and shapes must be
 * those of `layout` (`FRL_MODEL_WRONG_SHAPE`), so a decoded model can always be aggregated.
 */
export function decodeModel(layout: ModelLayout, bytes: Uint8Array): Float64Array {
  const { tensors } = decodeSafetensors(bytes);
  const weights = new Float64Array(layout.parameterCount);
  if (tensors.length !== layout.tensors.length) {
    throw new FrlError('FRL_MODEL_WRONG_SHAPE', `model has ${tensors.length} tensors, not ${layout.tensors.length}`, {
      expected: layout.tensors.length,
      found: tensors.length,
    });
  }
  layout.tensors.forEach((expected, index) => {
    const tensor = tensors[index];
    const matches = tensor?.name === expected.name && String(tensor.shape) === String(expected.shape);
    if (!tensor || !matches) {
      throw new FrlError(
        'FRL_MODEL_WRONG_SHAPE',
        `tensor ${index} must be ${expected.name} [${expected.shape}], found ${tensor?.name} [${tensor?.shape}]`,
        { index, expected: expected.name, found: String(tensor?.name) },
      );
    }
    weights.set(tensor.values, expected.offset);
  });
  return weights;
}

/** A model whose layout the reader does not know beforehand. */
export interface ModelFile {
  readonly layout: ModelLayout;
  readonly weights: Float64Array;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads a model of any size: the layout follows from the shapes of the actor's layers, and all else must agree with it.
 * Throws what `decodeModel` throws.
 */
export function readModelFile(bytes: Uint8Array): ModelFile {
  const { tensors, metadata } = decodeSafetensors(bytes);
  const sizes = tensors.flatMap(({ name, shape }) => (/^actor\.\d+\.weight$/.test(name) ? [shape] : []));
  const [observationSize, ...hidden] = sizes.map((shape) => shape[1] ?? 0);
  if (observationSize === undefined || sizes.some((shape) => shape.length !== 2 || !shape.every((size) => size > 0))) {
    throw new FrlError(
      'FRL_MODEL_WRONG_SHAPE',
      'the file holds no actor: tensors actor.0.weight, actor.1.weight, ...',
      {
        tensors: tensors.map(({ name }) => name).join(', '),
      },
    );
  }
  const layout = createModelLayout(observationSize, hidden);
  return { layout, weights: decodeModel(layout, bytes), metadata };
}

/** Little-endian Float64 bytes of the flat weights: what peers hash. */
export function tensorBytes(weights: Float64Array): Uint8Array {
  const bytes = new Uint8Array(weights.length * 8);
  const view = new DataView(bytes.buffer);
  weights.forEach((value, index) => {
    view.setFloat64(8 * index, value, true);
  });
  return bytes;
}

/** Hex hash over the tensor bytes; names, shapes and metadata do not enter. */
export function modelHash(weights: Float64Array, hash: HashFunction = sha256): string {
  return bytesToHex(hash(tensorBytes(weights)));
}
