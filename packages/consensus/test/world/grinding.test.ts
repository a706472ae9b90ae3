import { describe, expect, it } from 'vitest';
import { checkDraws } from './draw-monitor.ts';
import { grinder } from './grinder.ts';
import { worldOf } from './run.ts';
import { FAIR, type Weather, World, type WorldOptions } from './world.ts';

const DRAWS = 60;
const LOSSY: Weather = { ...FAIR, loss: 0.05, duplicate: 0.05, maxDelayMs: 60, straggler: 0.02 };

/** The last `colluders` of `members` grind together, for as long as it takes to draw some hundred times. */
function grind(seed: number, members: number, colluders: number, weather: Weather): World {
  const faults = Array.from({ length: colluders }, (_, k) => grinder(members - 1 - k));
  const options: WorldOptions = {
    ...worldOf(seed),
    seed: `grind/${seed}`,
    members,
    clock: 'ready',
    weather,
    slotPaceMs: 20,
    stormMs: 0,
    transactions: 0,
    faults,
  };
  const world = new World(options);
  world.storm();
  world.advanceUntil(120_000, () => world.monitors.draws.length >= DRAWS);
  return world;
}

describe('members who grind and withhold together', () => {
  it.each([
    [1, 4, 1, 'fair', FAIR],
    [2, 7, 2, 'fair', FAIR],
    [3, 4, 1, 'lossy', LOSSY],
  ])('win as often as their weights say, under seed %i: %i members, %i colluders, %s weather', (...row) => {
    const [seed, members, colluders, , weather] = row;
    const { draws: all } = grind(seed, members, colluders, weather).monitors;
    const draws = all.slice(0, DRAWS);
    expect(draws.length).toBe(DRAWS);
    checkDraws(draws, DRAWS);
  });
});
