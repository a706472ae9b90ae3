import type { NetworkSpec } from '../model/model-layout.ts';
import { denseForward, denseInputGradient, denseWeightGradient, tanhBackward, tanhInPlace } from './dense.ts';

/** A perceptron with tanh between its layers, with buffers for `capacity` samples that grow on demand. */
export class Network {
  readonly spec: NetworkSpec;
  private capacity = 0;
  /** activations[0] is the input, activations[l + 1] the output of layer l. */
  private activations: Float64Array[] = [];
  private gradients: Float64Array[] = [];

  constructor(spec: NetworkSpec) {
    this.spec = spec;
  }

  /** Runs `count` rows of observations; returns the `count` outputs, valid until the next call. */
  forward(parameters: Float64Array, observations: ArrayLike<number>, count: number): Float64Array {
    this.reserve(count);
    const { layers } = this.spec;
    const input = this.activations[0]!;
    const length = count * layers[0]!.inputs;
    for (let i = 0; i < length; i++) input[i] = observations[i]!;
    layers.forEach((layer, index) => {
      const output = this.activations[index + 1]!;
      denseForward(layer, parameters, this.activations[index]!, count, output);
      if (index < layers.length - 1) tanhInPlace(output, count * layer.outputs);
    });
    return this.activations[layers.length]!;
  }

  /**
   * Adds to `gradient` (laid out as the parameters) what `outputGradient` (one per row of the last `forward`) means for
   * each parameter.
   */
  backward(parameters: Float64Array, outputGradient: Float64Array, count: number, gradient: Float64Array): void {
    const { layers } = this.spec;
    let dy = outputGradient;
    for (let index = layers.length - 1; index >= 0; index--) {
      const layer = layers[index]!;
      const x = this.activations[index]!;
      denseWeightGradient(layer, x, dy, count, gradient);
      if (index === 0) return;
      const dx = this.gradients[index]!;
      denseInputGradient(layer, parameters, dy, count, dx);
      tanhBackward(x, dx, count * layer.inputs);
      dy = dx;
    }
  }

  private reserve(count: number): void {
    if (count <= this.capacity) return;
    this.capacity = count;
    const { layers } = this.spec;
    const widths = [layers[0]!.inputs, ...layers.map((layer) => layer.outputs)];
    this.activations = widths.map((width) => new Float64Array(width * count));
    this.gradients = widths.map((width) => new Float64Array(width * count));
  }
}
