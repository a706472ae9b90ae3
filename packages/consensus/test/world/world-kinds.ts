import { attackedWorldOf, wipedWorldOf, worldOf } from './run.ts';
import type { WorldOptions } from './world-options.ts';

/** Worlds of honest members, with as many misbehaving ones as liveness allows, or with one of these that loses its disk. */
export type WorldKind = 'honest' | 'attacked' | 'wiped';

export const WORLD_OF_KIND: Readonly<Record<WorldKind, (seed: number) => WorldOptions>> = {
  honest: worldOf,
  attacked: attackedWorldOf,
  wiped: wipedWorldOf,
};
