import { describe, expect, it } from 'vitest';
import { checkDraws, type Draw } from './draw-monitor.ts';
import { grinder } from './grinder.ts';
import { prosumers } from './poeg-life.ts';
import { worldOf } from './run.ts';
import { World } from './world.ts';
import { FAIR, type Weather, type WorldOptions } from './world-options.ts';

const DRAWS = 60;
/** Each choice costs a settlement. */
const LIMIT_MS = 240_000;
/** All have something to sell, so that all have weight in each draw. */
const SELLERS = prosumers((rng) => ({
  productionWh: BigInt(4_000 + rng.below(5_000)),
  consumptionWh: BigInt(rng.below(2_000)),
}));
const LOSSY: Weather = { ...FAIR, loss: 0.05, duplicate: 0.05, maxDelayMs: 60, straggler: 0.02 };

/** Draws until there are enough, with faults of some members. */
function drawsOf(seed: number, members: number, more: Partial<WorldOptions>): readonly Draw[] {
  const base = { ...worldOf(seed), seed: `grind/${seed}`, members, clock: 'ready', slotPaceMs: 20 } as const;
  const world = new World({ ...base, stormMs: 0, transactions: 0, ...more });
  world.storm();
  world.advanceUntil(120_000, () => world.monitors.draws.length >= DRAWS);
  return world.monitors.draws.slice(0, DRAWS);
}

describe('elections', () => {
  it.each([
    [1, 4, 1, 'fair', FAIR],
    [2, 7, 2, 'fair', FAIR],
    [3, 4, 1, 'lossy', LOSSY],
  ] as const)(
    'go by weight when members grind and withhold, under seed %i: %i members, %i colluders, %s',
    (...row) => {
      const [seed, members, colluders, , weather] = row;
      const ranks = Array.from({ length: colluders }, (_, k) => members - 1 - k);
      const draws = drawsOf(seed, members, { weather, life: SELLERS, faults: ranks.map(grinder) });
      expect(draws.every(({ shares }) => ranks.every((rank) => (shares[rank] ?? 0) > 0))).toBe(true);
      checkDraws(draws);
    },
    LIMIT_MS,
  );
});
