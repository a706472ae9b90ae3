import { expect, it } from 'vitest';
import { runWorld, wipedWorldOf } from './run.ts';

const only = process.env.WIPE_SEED;
/** The first ones, and seed 85: there an honest member crashes after it has reported what the lost disk alone held besides. */
const seeds = only === undefined ? [...Array.from({ length: 60 }, (_, k) => k + 1), 85] : [Number(only)];
let lost = 0;

it.each(seeds)('a member that loses its disk keeps every invariant, under seed %i', (seed) => {
  const world = runWorld(wipedWorldOf(seed));
  lost += world.wipes;
  const { lostDisk } = wipedWorldOf(seed);
  // It is a member again: what it signs is counted.
  expect(world.nodes[lostDisk ?? -1]?.peer?.view.sittingOut).toBe(false);
});

it.skipIf(only !== undefined)('the worlds above did lose disks', () => {
  expect(lost).toBeGreaterThan(seeds.length / 2);
});
