import { describe, expect, it } from 'vitest';
import { POEG_LIFE } from './poeg-life.ts';
import { runWorld, worldOf } from './run.ts';
import type { WorldLife } from './world-options.ts';

const DAMAGED = 1;
const seeds = Array.from({ length: 16 }, (_, k) => k + 1);

/** Members whose forecasts change with every start: who signs a slot's announcement again signs another one. */
function forgetfulLife(): WorldLife {
  let starts = 0;
  return {
    ...POEG_LIFE,
    source(chain, seed, rank) {
      starts += 1;
      return POEG_LIFE.source(chain, `${seed}/${starts}`, rank);
    },
  };
}

describe('a member whose journal loses entries in every crash', () => {
  it.each(seeds)('signs no second announcement for a slot, and the world goes on, under seed %i', (seed) => {
    const options = worldOf(seed);
    const weather = { ...options.weather, crashesPerSecond: 4, maxDownMs: 200, loss: 0.02 };
    const world = runWorld({ ...options, weather, life: forgetfulLife(), rottingDisk: DAMAGED });
    expect(world.monitors.height).toBeGreaterThan(6);
  });
});
