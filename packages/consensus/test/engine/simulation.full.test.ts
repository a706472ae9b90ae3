import { describe, expect, test } from 'vitest';
import { campaign, roughWorld, toleratedFaults } from './campaign.ts';

const SEEDS = 2000;

describe.each([4, 7, 10])('%i engines, f of them Byzantine', (members) => {
  test.each(['silent', 'split', 'random'] as const)('%s', (strategy) => {
    const { failures, coverage } = campaign(SEEDS, (seed) =>
      roughWorld(seed, members, toleratedFaults(members).faults, strategy),
    );
    expect(failures).toEqual([]);
    if (strategy !== 'silent') expect(coverage.relocks).toBeGreaterThan(0);
  });
});
