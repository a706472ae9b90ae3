import { requireConfig } from '../frl-error.ts';

/** A named tensor inside the flat parameter vector; row-major, weights `[outputs, inputs]`. */
export interface TensorSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly length: number;
}

/** Where one dense layer keeps its weights (`[outputs, inputs]`) and biases. */
export interface DenseSpec {
  readonly inputs: number;
  readonly outputs: number;
  readonly weightOffset: number;
  readonly biasOffset: number;
}

/** One multilayer perceptron of the model: parameters `[start, end)` of the flat vector. */
export interface NetworkSpec {
  readonly layers: readonly DenseSpec[];
  readonly start: number;
  readonly end: number;
}

/** The shape of an actor-critic model; two models exchange weights only if their layouts are equal. */
export interface ModelLayout {
  readonly observationSize: number;
  readonly hidden: readonly number[];
  readonly parameterCount: number;
  readonly tensors: readonly TensorSpec[];
  readonly actor: NetworkSpec;
  readonly critic: NetworkSpec;
  /** Index of the actor's log standard deviation; it lies inside the actor's range. */
  readonly logStdOffset: number;
}

const DEFAULT_HIDDEN: readonly number[] = [32, 32];

/**
 * Actor and critic, each observation-32-32-1 (tanh between), separate parameters. Flat order: actor layers (weight,
 * bias), actor log-std, critic layers. 2 819 parameters at nine observations.
 */
export function createModelLayout(observationSize: number, hidden: readonly number[] = DEFAULT_HIDDEN): ModelLayout {
  requireConfig(
    [observationSize, ...hidden].every((size) => Number.isInteger(size) && size > 0),
    'layer sizes must be positive whole numbers',
    { observationSize, hidden: hidden.join('x') },
  );
  const tensors: TensorSpec[] = [];
  let offset = 0;
  const tensor = (name: string, shape: readonly number[]): number => {
    const length = shape.reduce((product, size) => product * size, 1);
    tensors.push({ name, shape, offset, length });
    offset += length;
    return offset - length;
  };
  const network = (name: string): { start: number; layers: DenseSpec[] } => {
    const start = offset;
    const sizes = [observationSize, ...hidden, 1];
    const layers = sizes.slice(1).map((outputs, index) => {
      const inputs = sizes[index] as number;
      const weightOffset = tensor(`${name}.${index}.weight`, [outputs, inputs]);
      return { inputs, outputs, weightOffset, biasOffset: tensor(`${name}.${index}.bias`, [outputs]) };
    });
    return { start, layers };
  };
  const actor = network('actor');
  const logStdOffset = tensor('actor.log_std', [1]);
  const actorEnd = offset;
  const critic = network('critic');
  return {
    observationSize,
    hidden,
    parameterCount: offset,
    tensors,
    actor: { ...actor, end: actorEnd },
    critic: { ...critic, end: offset },
    logStdOffset,
  };
}
