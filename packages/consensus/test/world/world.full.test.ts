import { expect, it } from 'vitest';
import { runCampaign } from './campaign.ts';

const SEEDS = 20_000;
/** At three seeds a second, which a single slow core can do. */
const LIMIT_MS = 7_200_000;

it(
  `${SEEDS} seeds keep every invariant`,
  async () => {
    const { passed, failures, heights } = await runCampaign({ first: 1, count: SEEDS, say: console.log });
    expect(failures.map(({ violation }) => violation)).toEqual([]);
    expect(passed).toBe(SEEDS);
    expect(heights).toBeGreaterThan(6 * SEEDS);
  },
  LIMIT_MS,
);
