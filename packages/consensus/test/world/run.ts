import type { MisbehaviourChoice } from '../../src/misbehaviour/index.ts';
import { Rng } from './rng.ts';
import { World } from './world.ts';
import type { Weather, WorldOptions } from './world-options.ts';

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
    jumpsPerSecond: 0,
    maxJumpMs: 0,
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

const ATTACKS: readonly MisbehaviourChoice[] = [
  { name: 'refuse' },
  ...[
    'wrong-trade',
    'flow-not-optimal',
    'inflated-reward',
    'wrong-election',
    'wrong-state-root',
    'left-out-announcement',
    'overspent-transaction',
    'forged-signature',
  ].map((kind) => ({ name: 'invalid-block', parameters: { kind } })),
  { name: 'equivocate' },
  { name: 'equivocate', parameters: { reach: 'split' } },
  { name: 'double-vote' },
  { name: 'vouch' },
  { name: 'withhold-votes' },
  { name: 'withhold-bundles' },
  { name: 'withhold-bundles', parameters: { told: 1 } },
  { name: 'censor' },
  { name: 'delay', parameters: { delayMs: 300 } },
  { name: 'replay' },
  { name: 'flood', parameters: { perBurst: 4, everyMs: 500 } },
  { name: 'overstate' },
  { name: 'announce-twice' },
];

/** The world of a seed in which as many members misbehave as liveness allows, each in one or two ways; clocks jump as well. */
export function attackedWorldOf(seed: number): WorldOptions {
  const options = worldOf(seed);
  const rng = new Rng(`attack/${seed}`);
  const faulty = Math.floor((options.members - 1) / 3);
  const ranks = new Set<number>();
  while (ranks.size < faulty) ranks.add(rng.below(options.members));
  const choose = () => Array.from({ length: 1 + rng.below(2) }, () => rng.pick(ATTACKS));
  const misbehaving = Object.fromEntries([...ranks].map((rank) => [rank, choose()]));
  const weather = { ...options.weather, jumpsPerSecond: rng.pick([0, 0.5]), maxJumpMs: rng.pick([100, 3_000]) };
  return { ...options, seed: `attack/${seed}`, weather, misbehaving };
}

/**
 * The world of a seed in which a member crashes often and loses its disk in half of the crashes; where liveness allows it,
 * another one misbehaves.
 */
export function wipedWorldOf(seed: number): WorldOptions {
  const options = attackedWorldOf(seed);
  const rng = new Rng(`wipe/${seed}`);
  const [lostDisk = 0, ...others] = Object.keys(options.misbehaving ?? {}).map(Number);
  const misbehaving = Object.fromEntries(others.map((rank) => [rank, options.misbehaving?.[rank] ?? []]));
  const weather = { ...options.weather, crashesPerSecond: rng.pick([1.5, 4]), maxDownMs: rng.pick([50, 200, 1_000]) };
  return { ...options, seed: `wipe/${seed}`, weather, misbehaving, lostDisk };
}

export function runWorld(options: WorldOptions): World {
  const world = new World(options);
  try {
    world.storm();
    const slot = Math.max(...world.honest.map(({ peer }) => peer?.view.state.slot ?? 0)) + 2;
    // A few blocks at least, or nothing was tested.
    world.calm(60_000, () => world.isAtRest(slot) && world.monitors.height > 6);
    for (const { disk } of world.honest) world.monitors.checkAcknowledged(disk.commits);
    return world;
  } catch (error) {
    const [, prefix = 'world', seed = options.seed] = /^(attack|wipe)\/(.*)$/.exec(options.seed) ?? [];
    const kind = prefix.toUpperCase();
    const replay = `${kind}_SEED=${seed} npx vitest run packages/consensus/test/world`;
    throw new Error(`world ${options.seed}: ${(error as Error).message}\nreplay with: ${replay}`, { cause: error });
  }
}
