import { describe, expect, it } from 'vitest';
import { checkDraws, type Draw } from './draw-monitor.ts';
import { attackedWorldOf, runWorld } from './run.ts';

const only = process.env.ATTACK_SEED;
const seeds = only === undefined ? Array.from({ length: 250 }, (_, k) => k + 1) : [Number(only)];
/** Of all worlds of this file. */
const draws: Draw[] = [];

describe('the seeded world with misbehaving members', () => {
  it.each(seeds)('keeps every invariant under seed %i', (seed) => {
    const world = runWorld(attackedWorldOf(seed));
    draws.push(...world.monitors.draws);
    expect(world.monitors.height).toBeGreaterThan(6);
  });

  it.skipIf(only !== undefined)('elects by weight, over all seeds', () => {
    expect(draws.length).toBeGreaterThan(seeds.length);
    expect(() => checkDraws(draws)).not.toThrow();
  });
});
