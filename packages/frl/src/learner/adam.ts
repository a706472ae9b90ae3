/** Adam (Kingma and Ba 2015) with beta 0.9 / 0.999, epsilon 1e-8. Its moments stay with the EV that trained. */
export class Adam {
  readonly learningRate: number;
  /** First moments, second moments, step count: `2 n + 1` numbers, all that a checkpoint needs. */
  readonly state: Float64Array;
  private readonly count: number;

  constructor(count: number, learningRate: number) {
    this.count = count;
    this.learningRate = learningRate;
    this.state = new Float64Array(2 * count + 1);
  }

  /** Moves `parameters` one step down `gradient`. */
  step(parameters: Float64Array, gradient: Float64Array): void {
    const { state, count } = this;
    const steps = state[2 * count]! + 1;
    state[2 * count] = steps;
    const firstCorrection = 1 / (1 - 0.9 ** steps);
    const secondCorrection = 1 / (1 - 0.999 ** steps);
    for (let i = 0; i < count; i++) {
      const slope = gradient[i]!;
      const first = 0.9 * state[i]! + 0.1 * slope;
      const second = 0.999 * state[count + i]! + 0.001 * slope * slope;
      state[i] = first;
      state[count + i] = second;
      parameters[i] =
        parameters[i]! - (this.learningRate * first * firstCorrection) / (Math.sqrt(second * secondCorrection) + 1e-8);
    }
  }
}
