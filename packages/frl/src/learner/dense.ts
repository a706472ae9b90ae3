import type { DenseSpec } from '../model/model-layout.ts';

/**
 * Batched dense layers over typed arrays; rows are samples. Two samples and two outputs are handled at a time, so that
 * each weight and input loaded is used twice. Sums run in a fixed order: an output does not depend on the batch that
 * its sample is in, a weight's gradient adds samples up in their order, four at a time.
 */

/** y = x W' + b for `count` rows of `x` (`layer.inputs` wide). */
export function denseForward(
  layer: DenseSpec,
  parameters: Float64Array,
  x: Float64Array,
  count: number,
  y: Float64Array,
): void {
  const { inputs, outputs, weightOffset, biasOffset } = layer;
  let row = 0;
  for (; row + 1 < count; row += 2) {
    const xa = row * inputs;
    const xb = xa + inputs;
    const ya = row * outputs;
    const yb = ya + outputs;
    let out = 0;
    for (; out + 1 < outputs; out += 2) {
      const wa = weightOffset + out * inputs;
      const wb = wa + inputs;
      let [aa, ab, ba, bb] = [0, 0, 0, 0];
      for (let i = 0; i < inputs; i++) {
        const first = x[xa + i]!;
        const second = x[xb + i]!;
        const upper = parameters[wa + i]!;
        const lower = parameters[wb + i]!;
        aa += first * upper;
        ab += first * lower;
        ba += second * upper;
        bb += second * lower;
      }
      const upperBias = parameters[biasOffset + out]!;
      const lowerBias = parameters[biasOffset + out + 1]!;
      y[ya + out] = aa + upperBias;
      y[ya + out + 1] = ab + lowerBias;
      y[yb + out] = ba + upperBias;
      y[yb + out + 1] = bb + lowerBias;
    }
    for (; out < outputs; out++) {
      y[ya + out] = dotRow(layer, parameters, x, xa, out);
      y[yb + out] = dotRow(layer, parameters, x, xb, out);
    }
  }
  for (; row < count; row++) {
    for (let out = 0; out < outputs; out++) y[row * outputs + out] = dotRow(layer, parameters, x, row * inputs, out);
  }
}

function dotRow(layer: DenseSpec, parameters: Float64Array, x: Float64Array, xOffset: number, out: number): number {
  const wOffset = layer.weightOffset + out * layer.inputs;
  let sum = 0;
  for (let i = 0; i < layer.inputs; i++) sum += x[xOffset + i]! * parameters[wOffset + i]!;
  return sum + parameters[layer.biasOffset + out]!;
}

/** Replaces x by tanh x, through one exponential: a fifth faster than Math.tanh when measured, equal to 4e-16 absolute. */
export function tanhInPlace(x: Float64Array, length: number): void {
  for (let i = 0; i < length; i++) x[i] = 1 - 2 / (Math.exp(2 * x[i]!) + 1);
}

/** dy becomes the gradient before the tanh: dy (1 - y^2), with y the layer's output. */
export function tanhBackward(y: Float64Array, dy: Float64Array, length: number): void {
  for (let i = 0; i < length; i++) {
    const value = y[i]!;
    dy[i] = dy[i]! * (1 - value * value);
  }
}

/** Adds dW = dy' x and db = sum dy to `gradient` (laid out as the parameters). */
export function denseWeightGradient(
  layer: DenseSpec,
  x: Float64Array,
  dy: Float64Array,
  count: number,
  gradient: Float64Array,
): void {
  const { inputs, outputs, weightOffset, biasOffset } = layer;
  let row = 0;
  for (; row + 3 < count; row += 4) {
    const xa = row * inputs;
    const xb = xa + inputs;
    const xc = xb + inputs;
    const xd = xc + inputs;
    for (let out = 0; out < outputs; out++) {
      const da = dy[row * outputs + out]!;
      const db = dy[(row + 1) * outputs + out]!;
      const dc = dy[(row + 2) * outputs + out]!;
      const dd = dy[(row + 3) * outputs + out]!;
      const w = weightOffset + out * inputs;
      for (let i = 0; i < inputs; i++) {
        gradient[w + i] = gradient[w + i]! + (da * x[xa + i]! + db * x[xb + i]! + (dc * x[xc + i]! + dd * x[xd + i]!));
      }
      gradient[biasOffset + out] = gradient[biasOffset + out]! + (da + db + (dc + dd));
    }
  }
  for (; row < count; row++) {
    for (let out = 0; out < outputs; out++) {
      const d = dy[row * outputs + out]!;
      const w = weightOffset + out * inputs;
      for (let i = 0; i < inputs; i++) gradient[w + i] = gradient[w + i]! + d * x[row * inputs + i]!;
      gradient[biasOffset + out] = gradient[biasOffset + out]! + d;
    }
  }
}

/** dx = dy W for `count` rows. */
export function denseInputGradient(
  layer: DenseSpec,
  parameters: Float64Array,
  dy: Float64Array,
  count: number,
  dx: Float64Array,
): void {
  const { inputs, outputs, weightOffset } = layer;
  for (let row = 0; row < count; row++) {
    const target = row * inputs;
    const source = row * outputs;
    for (let i = 0; i < inputs; i++) dx[target + i] = 0;
    let out = 0;
    for (; out + 3 < outputs; out += 4) {
      const wa = weightOffset + out * inputs;
      const wb = wa + inputs;
      const wc = wb + inputs;
      const wd = wc + inputs;
      const da = dy[source + out]!;
      const db = dy[source + out + 1]!;
      const dc = dy[source + out + 2]!;
      const dd = dy[source + out + 3]!;
      for (let i = 0; i < inputs; i++) {
        dx[target + i] =
          dx[target + i]! +
          (da * parameters[wa + i]! + db * parameters[wb + i]! + (dc * parameters[wc + i]! + dd * parameters[wd + i]!));
      }
    }
    for (; out < outputs; out++) {
      const w = weightOffset + out * inputs;
      const d = dy[source + out]!;
      for (let i = 0; i < inputs; i++) dx[target + i] = dx[target + i]! + d * parameters[w + i]!;
    }
  }
}
