import type { Rng } from './rng.ts';
import { FAIR, type Weather } from './world-options.ts';

/** A peer as misfortunes see it. */
interface Victim {
  readonly rank: number;
  /** What jumps have added to its clock's skew. */
  jumpMs: number;
}

interface MisfortunePorts<V extends Victim> {
  readonly rng: Rng;
  readonly victims: readonly V[];
  weather(): Weather;
  at(delayMs: number, run: () => void): void;
  crash(victim: V): void;
  /** Starts a peer again that is still down. */
  revive(victim: V): void;
}

/** What befalls the peers of a world until the weather is fair: crashes, a network in two parts, clocks that jump. */
export class Misfortunes<V extends Victim> {
  readonly #ports: MisfortunePorts<V>;
  #cut: ReadonlySet<number> = new Set();

  constructor(ports: MisfortunePorts<V>) {
    this.#ports = ports;
  }

  start(): void {
    this.#scheduleCrash();
    this.#scheduleCut();
    this.#scheduleJump();
  }

  /** What has befallen the peers is over, but for those that are down. */
  end(): void {
    this.#cut = new Set();
    for (const victim of this.#ports.victims) victim.jumpMs = 0;
  }

  /** Whether nothing can pass between two peers. */
  isCut(a: number, b: number): boolean {
    return this.#cut.has(a) !== this.#cut.has(b);
  }

  #scheduleCrash(): void {
    const { rng, victims, weather, at, crash, revive } = this.#ports;
    const { crashesPerSecond, maxDownMs } = weather();
    this.#next(crashesPerSecond, () => {
      const victim = rng.pick(victims);
      crash(victim);
      at(rng.below(maxDownMs) + 1, () => revive(victim));
      this.#scheduleCrash();
    });
  }

  #scheduleCut(): void {
    const { rng, victims, weather, at } = this.#ports;
    const { partitionsPerSecond, maxPartitionMs } = weather();
    this.#next(partitionsPerSecond, () => {
      this.#cut = new Set(victims.map(({ rank }) => rank).filter(() => rng.chance(0.5)));
      at(rng.below(maxPartitionMs) + 1, () => {
        this.#cut = new Set();
        this.#scheduleCut();
      });
    });
  }

  #scheduleJump(): void {
    const { rng, victims, weather } = this.#ports;
    const { jumpsPerSecond, maxJumpMs } = weather();
    this.#next(jumpsPerSecond, () => {
      rng.pick(victims).jumpMs = Math.round((rng.unit() * 2 - 1) * maxJumpMs);
      this.#scheduleJump();
    });
  }

  /** After a time of which nothing is known but its mean, unless the weather has turned fair by then. */
  #next(perSecond: number, strike: () => void): void {
    const { rng, weather, at } = this.#ports;
    if (perSecond === 0) return;
    at(Math.round((-Math.log(1 - rng.unit()) * 1_000) / perSecond), () => {
      if (weather() !== FAIR) strike();
    });
  }
}
