import { expect, it } from 'vitest';
import { runCampaign } from './campaign.ts';

/** Of honest and of misbehaving members; 20,000 in all. */
const SEEDS = 10_000;
/** At three seeds in two seconds: a core that does nothing else does five a second. */
const LIMIT_MS = 7_200_000;

it.each([
  ['honest', SEEDS],
  ['attacked', SEEDS],
  ['wiped', SEEDS / 5],
] as const)(
  'keep every invariant when members are %s (%i seeds)',
  async (kind, count) => {
    const { passed, failures, heights, unfairness } = await runCampaign({
      kind,
      first: 1,
      count,
      say: console.log,
    });
    expect(failures.map(({ violation }) => violation)).toEqual([]);
    expect(unfairness).toBeNull();
    expect(passed).toBe(count);
    expect(heights).toBeGreaterThan(6 * count);
  },
  LIMIT_MS,
);
