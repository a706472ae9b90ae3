import { Rng } from './rng.ts';
import { type Weather, World, type WorldOptions } from './world.ts';

/** Draws a world from a seed: its size, clock and weather. `WORLD_SEED=<n> npx vitest run packages/consensus/test/world` replays one. */
export function worldOf(seed: number): WorldOptions {
  const rng = new Rng(`world/${seed}`);
  const weather: Weather = {
    loss: rng.pick([0, 0.02, 0.1, 0.25]),
    duplicate: rng.pick([0, 0.05, 0.2]),
    minDelayMs: 1,
    maxDelayMs: rng.pick([20, 60, 200]),
    straggler: rng.pick([0, 0.02, 0.1]),
    maxDiskMs: rng.pick([2, 10, 60]),
    crashesPerSecond: rng.pick([0, 0.3, 1.5]),
    maxDownMs: rng.pick([200, 2_000]),
    partitionsPerSecond: rng.pick([0, 0.2]),
    maxPartitionMs: 2_000,
    maxSkewMs: rng.pick([0, 50, 400]),
  };
  return {
    seed: String(seed),
    members: rng.pick([4, 4, 5, 7]),
    clock: rng.pick(['wall', 'ready']),
    slotMs: 1_500,
    weather,
    stormMs: 4_000,
    transactions: 8,
  };
}

export function runWorld(options: WorldOptions): World {
  const world = new World(options);
  try {
    world.storm();
    const slot = Math.max(...world.nodes.map(({ peer }) => peer?.view.state.slot ?? 0)) + 2;
    // A few blocks at least, or nothing was tested.
    world.calm(60_000, () => world.isAtRest(slot) && world.monitors.height > 6);
    for (const { disk } of world.nodes) world.monitors.checkAcknowledged(disk.commits);
    return world;
  } catch (error) {
    const replay = `WORLD_SEED=${options.seed} npx vitest run packages/consensus/test/world`;
    throw new Error(`world ${options.seed}: ${(error as Error).message}\nreplay with: ${replay}`, { cause: error });
  }
}
