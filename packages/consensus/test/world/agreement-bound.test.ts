import { describe, expect, it } from 'vitest';
import type { MisbehaviourChoice } from '../../src/misbehaviour/index.ts';
import { worldOf } from './run.ts';
import { InvariantViolation } from './violation.ts';
import { World } from './world.ts';
import { FAIR, type WorldOptions } from './world-options.ts';

/** Show each half of the honest members another block, and vote for both. */
const SPLIT: readonly MisbehaviourChoice[] = [
  { name: 'equivocate', parameters: { reach: 'split' } },
  { name: 'vouch', parameters: { reach: 'side' } },
];

/** `colluders` of `members` attack together, in fair weather, for a while; nothing is asked of liveness. */
function collude(seed: number, members: number, quorum: number, colluders: number): World {
  const misbehaving = Object.fromEntries(Array.from({ length: colluders }, (_, rank) => [rank, SPLIT]));
  const options: WorldOptions = {
    ...worldOf(seed),
    seed: `collude/${seed}`,
    members,
    quorum,
    clock: 'ready',
    weather: FAIR,
    stormMs: 6_000,
    transactions: 4,
    misbehaving,
  };
  const world = new World(options);
  world.storm();
  return world;
}

describe('agreement', () => {
  // b < 2q - n, and more than liveness tolerates: 2 of 5 with q = 4, 4 of 7 with q = 6.
  it.each([
    [4, 3, 1],
    [5, 4, 2],
    [7, 6, 4],
  ])('holds among %i members with quorum %i and %i colluders', (members, quorum, colluders) => {
    for (let seed = 1; seed <= 2; seed += 1) {
      const world = collude(seed, members, quorum, colluders);
      expect(colluders).toBeLessThan(2 * quorum - members);
      const chains = world.honest.map(({ disk }) => disk.commits.map(({ blockHash }) => blockHash));
      const longest = chains.reduce((a, b) => (b.length > a.length ? b : a));
      for (const chain of chains) expect(longest.slice(0, chain.length)).toEqual(chain);
    }
  });

  it('breaks among 4 members with quorum 3 and 2 = 2q - n colluders: the world is hostile enough', () => {
    const broken = Array.from({ length: 6 }, (_, k) => {
      try {
        collude(k + 1, 4, 3, 2);
        return null;
      } catch (error) {
        if (!(error instanceof InvariantViolation)) throw error;
        return error.message;
      }
    });
    expect(broken.filter((message) => message?.startsWith('1: two blocks at height')).length).toBeGreaterThan(0);
  });
});
