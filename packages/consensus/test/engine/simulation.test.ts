import { describe, expect, test } from 'vitest';
import { campaign, roughWorld, toleratedFaults } from './campaign.ts';
import { Simulation } from './simulation.ts';

const SEEDS = 40;

describe.each([4, 7])('%i engines, f of them Byzantine', (members) => {
  const { faults } = toleratedFaults(members);

  test.each(['silent', 'split', 'random'] as const)(
    '%s: safe under chaos, decided once the network is timely',
    (strategy) => {
      const { failures, coverage } = campaign(SEEDS, (seed) => roughWorld(seed, members, faults, strategy));
      expect(failures).toEqual([]);
      // A run without the faults that it is about would show nothing.
      expect(coverage.crashes).toBeGreaterThan(SEEDS);
      expect(coverage.lostMessages).toBeGreaterThan(SEEDS);
      expect(coverage.jumps).toBeGreaterThan(0);
      if (strategy === 'silent') return;
      expect(coverage.conflicts).toBeGreaterThan(SEEDS);
      expect(coverage.proposalsAgain).toBeGreaterThan(0);
      expect(coverage.fetches).toBeGreaterThan(0);
    },
  );

  test('all honest: a good network decides in round 0', () => {
    const { failures, coverage } = campaign(SEEDS, (seed) => ({
      ...roughWorld(seed, members, 0, 'silent'),
      timelyFromMs: 0,
    }));
    expect(failures).toEqual([]);
    expect(coverage.highestRound).toBe(0);
  });
});

describe.each([4, 7])(
  '%i engines, cut between two halves that the Byzantine members tell different stories',
  (members) => {
    const { quorum } = toleratedFaults(members);
    const attack = (seed: number, byzantine: number, strategy: 'split' | 'random') => ({
      ...roughWorld(seed, members, byzantine, strategy),
      timelyFromMs: 2000,
      lossBefore: 0,
      crashBefore: 0,
      cutBetweenSides: true,
      timeLimitMs: 10_000,
    });

    test.each(['split', 'random'] as const)('%s: 2q - n colluders break agreement', (strategy) => {
      const { brokenAgreements } = campaign(SEEDS, (seed) => attack(seed, 2 * quorum - members, strategy), false);
      expect(brokenAgreements).toBeGreaterThan(SEEDS / 10);
    });

    test.each(['split', 'random'] as const)('%s: one fewer never does', (strategy) => {
      const { failures } = campaign(SEEDS, (seed) => attack(seed, 2 * quorum - members - 1, strategy));
      expect(failures).toEqual([]);
    });
  },
);

test('a larger quorum buys agreement with liveness: n = 7, q = 6 is safe with 4 colluders', () => {
  const world = (seed: number) => ({ ...roughWorld(seed, 7, 4, seed % 4 < 2 ? 'split' : 'random'), quorum: 6 });
  const { failures, coverage } = campaign(SEEDS, (seed) => ({ ...world(seed), timeLimitMs: 10_000 }), false);
  expect(failures).toEqual([]);
  expect(coverage.conflicts).toBeGreaterThan(SEEDS);
});

test('no step writes to a state that it was given', () => {
  const { failures } = campaign(10, (seed) => ({ ...roughWorld(seed, 4, 1, 'random'), freeze: true }));
  expect(failures).toEqual([]);
});

test('one seed, one history', () => {
  const run = () => new Simulation(roughWorld(3, 7, 2, 'random')).run();
  expect(run()).toEqual(run());
});
