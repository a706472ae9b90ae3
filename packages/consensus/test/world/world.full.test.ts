import { expect, it } from 'vitest';
import { runCampaign } from './campaign.ts';

/** Of each kind; 20,000 in all. */
const SEEDS = 10_000;
/** At three seeds in two seconds: a core that does nothing else does five a second. */
const LIMIT_MS = 7_200_000;

it.each(['honest', 'attacked'] as const)(
  `${SEEDS} seeds keep every invariant when members are %s`,
  async (kind) => {
    const { passed, failures, heights, unfairness } = await runCampaign({
      kind,
      first: 1,
      count: SEEDS,
      say: console.log,
    });
    expect(failures.map(({ violation }) => violation)).toEqual([]);
    expect(unfairness).toBeNull();
    expect(passed).toBe(SEEDS);
    expect(heights).toBeGreaterThan(6 * SEEDS);
  },
  LIMIT_MS,
);
