import { requireConfig } from '../frl-error.ts';

/** Proximal policy optimisation (Schulman et al. 2017), section 5. */
export interface PpoConfig {
  readonly learningRate: number;
  readonly epochs: number;
  /** Parts that the episodes of an update are dealt into, anew in each epoch; an episode is not divided. */
  readonly minibatches: number;
  /** Clip range of the probability ratio. */
  readonly clipRange: number;
  readonly gaeLambda: number;
  readonly gamma: number;
  readonly entropyCoefficient: number;
  /** Largest gradient norm, of actor and critic each. */
  readonly maxGradientNorm: number;
  readonly minLogStd: number;
  readonly maxLogStd: number;
}

export const DEFAULT_PPO: PpoConfig = {
  learningRate: 1e-3,
  epochs: 5,
  minibatches: 2,
  clipRange: 0.2,
  gaeLambda: 0.95,
  gamma: 1,
  entropyCoefficient: 1e-3,
  maxGradientNorm: 0.5,
  minLogStd: -2.5,
  maxLogStd: 0.3,
};

/** Defaults with changes. Throws `FRL_INVALID_CONFIG`. */
export function createPpoConfig(overrides: Partial<PpoConfig> = {}): PpoConfig {
  const config = { ...DEFAULT_PPO, ...overrides };
  requireConfig(
    config.learningRate > 0 && config.clipRange > 0 && config.maxGradientNorm > 0,
    'learningRate, clipRange and maxGradientNorm must be positive',
  );
  requireConfig(
    Number.isInteger(config.epochs) &&
      config.epochs > 0 &&
      Number.isInteger(config.minibatches) &&
      config.minibatches > 0,
    'epochs and minibatches must be positive whole numbers',
    { epochs: config.epochs, minibatches: config.minibatches },
  );
  requireConfig(
    config.gaeLambda >= 0 && config.gaeLambda <= 1 && config.gamma >= 0 && config.gamma <= 1,
    'gaeLambda and gamma must lie in [0, 1]',
  );
  requireConfig(config.minLogStd < config.maxLogStd, 'minLogStd must be below maxLogStd');
  return config;
}
