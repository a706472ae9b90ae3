import { describe, expect, it } from 'vitest';
import { attackedWorldOf, runWorld } from './run.ts';

const only = process.env.ATTACK_SEED;
const seeds = only === undefined ? Array.from({ length: 250 }, (_, k) => k + 1) : [Number(only)];

describe('the seeded world with misbehaving members', () => {
  it.each(seeds)('keeps every invariant under seed %i', (seed) => {
    const world = runWorld(attackedWorldOf(seed));
    expect(world.monitors.height).toBeGreaterThan(6);
  });
});
