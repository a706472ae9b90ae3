/** How a measured figure is judged against one that an independent prototype printed. */

/** A figure of the prototype. `sd` over its seeds; undefined where none is printed. */
export interface Reference {
  readonly mean: number;
  readonly sd?: number;
  readonly seeds: number;
}

export interface Judgement {
  readonly mean: number;
  /** Sample sd; 0 for a single seed. */
  readonly sd: number;
  readonly tolerance: number;
  readonly passes: boolean;
}

/** Below this sd a figure has a fixed tolerance, above it one that follows from the scatter. */
const STEADY_SD = 1.5;
const STEADY_TOLERANCE = 3;
const SEEDS_THAT_TELL_A_SPREAD = 3;

/**
 * Passes within 3 points where the prototype's sd is at most 1.5, otherwise within two combined standard errors. Where
 * the prototype prints no sd, nobody knows which of the two holds, and the wider one counts: ours stands in for its sd as
 * soon as three seeds tell it, since a cell that scatters by nine points here cannot be presumed steady there.
 */
export function judge(measured: readonly number[], reference: Reference): Judgement {
  const { mean, sd } = statistics(measured);
  const ownSpread = measured.length >= SEEDS_THAT_TELL_A_SPREAD ? sd : 0;
  const referenceSd = reference.sd ?? ownSpread;
  const standardError = Math.sqrt(referenceSd ** 2 / reference.seeds + sd ** 2 / measured.length);
  const scattered = referenceSd <= STEADY_SD ? STEADY_TOLERANCE : 2 * standardError;
  const tolerance = reference.sd === undefined ? Math.max(STEADY_TOLERANCE, scattered) : scattered;
  return { mean, sd, tolerance, passes: Math.abs(mean - reference.mean) <= tolerance };
}

/** The stricter reading: a spread that is not printed is a small one. */
export function judgeStrictly(measured: readonly number[], reference: Reference): Judgement {
  return judge(measured, { ...reference, sd: reference.sd ?? 0 });
}

export function statistics(sample: readonly number[]): { mean: number; sd: number } {
  const mean = sample.reduce((sum, value) => sum + value, 0) / sample.length;
  const squares = sample.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, sd: sample.length > 1 ? Math.sqrt(squares / (sample.length - 1)) : 0 };
}
