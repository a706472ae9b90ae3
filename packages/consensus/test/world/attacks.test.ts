import { describe, expect, it } from 'vitest';
import { checkDraws, DRAWS_PER_SEED, type Draw } from './draw-monitor.ts';
import { attackedWorldOf, runWorld } from './run.ts';

const only = process.env.ATTACK_SEED;
const seeds = only === undefined ? Array.from({ length: 250 }, (_, k) => k + 1) : [Number(only)];
/** Of all worlds of this file. */
const draws: Draw[] = [];

describe('the seeded world with misbehaving members', () => {
  it.each(seeds)('keeps every invariant under seed %i', (seed) => {
    const world = runWorld(attackedWorldOf(seed));
    draws.push(...world.monitors.draws.slice(0, DRAWS_PER_SEED));
    expect(world.monitors.height).toBeGreaterThan(6);
  });

  it.skipIf(only !== undefined)('elects by weight, over all seeds', () => {
    expect(draws.length).toBeGreaterThan(seeds.length);
    expect(() => checkDraws(draws, seeds.length * DRAWS_PER_SEED)).not.toThrow();
  });
});
