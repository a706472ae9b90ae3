import { describe, expect, it } from 'vitest';
import { checkDraws, type Draw } from './draw-monitor.ts';
import { runWorld, worldOf } from './run.ts';
import { FAIR, type WorldOptions } from './world-options.ts';

const only = process.env.WORLD_SEED;
const seeds = only === undefined ? Array.from({ length: 250 }, (_, k) => k + 1) : [Number(only)];
/** Of all worlds of this file. */
const draws: Draw[] = [];

describe('the seeded world', () => {
  it.each(seeds)('keeps every invariant under seed %i', (seed) => {
    const world = runWorld(worldOf(seed));
    draws.push(...world.monitors.draws);
    // Two slots at least after the storm, a closing block and a settlement each.
    expect(world.monitors.height).toBeGreaterThanOrEqual(4);
  });

  it.skipIf(only !== undefined)('elects by weight, over all seeds', () => {
    expect(draws.length).toBeGreaterThan(seeds.length);
    expect(() => checkDraws(draws)).not.toThrow();
  });

  it('gives the same trace for the same seed, and another for another', () => {
    const first = runWorld(worldOf(7)).trace;
    expect(runWorld(worldOf(7)).trace).toBe(first);
    expect(runWorld(worldOf(8)).trace).not.toBe(first);
  });

  it('makes blocks without any round change in fair weather', () => {
    const options: WorldOptions = { ...worldOf(1), weather: FAIR, clock: 'ready', stormMs: 3_000 };
    const world = runWorld(options);
    expect(world.nodes.every(({ disk }) => disk.commits.length > 10)).toBe(true);
  });
});
