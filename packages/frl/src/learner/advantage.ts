import type { Rollout } from './rollout.ts';

export interface AdvantageEstimate {
  readonly advantages: Float64Array;
  /** Advantage plus value: what the critic learns. */
  readonly returns: Float64Array;
}

/**
 * Generalised advantage estimation (Schulman et al. 2016) within each episode; the value after departure is 0.
 * Advantages are then normalised over all valid slots of the agent, returns are not.
 */
export function estimateAdvantages(rollout: Rollout, gamma: number, lambda: number): AdvantageEstimate {
  const { count, episodeStart, values, rewards } = rollout;
  const advantages = new Float64Array(count);
  const returns = new Float64Array(count);
  for (let episode = 0; episode + 1 < episodeStart.length; episode++) {
    let accumulated = 0;
    let nextValue = 0;
    for (let i = episodeStart[episode + 1]! - 1; i >= episodeStart[episode]!; i--) {
      const surprise = rewards[i]! + gamma * nextValue - values[i]!;
      accumulated = surprise + gamma * lambda * accumulated;
      nextValue = values[i]!;
      advantages[i] = accumulated;
      returns[i] = accumulated + values[i]!;
    }
  }
  normalise(advantages);
  return { advantages, returns };
}

function normalise(values: Float64Array): void {
  let sum = 0;
  for (const value of values) sum += value;
  const mean = sum / values.length;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  const scale = 1 / (Math.sqrt(squares / values.length) + 1e-8);
  for (let i = 0; i < values.length; i++) values[i] = (values[i]! - mean) * scale;
}
