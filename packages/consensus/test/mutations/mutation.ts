import type { WorldKind } from '../world/world-kinds.ts';

export interface Edit {
  /** Relative to the folder of packages. */
  readonly file: string;
  /** Stands in the file exactly once: when the source has moved on, the table fails instead of testing nothing. */
  readonly find: string;
  readonly replace: string;
}

/** A small, named breakage of a source file, and what must notice it. */
export interface Mutation extends Edit {
  readonly name: string;
  /** What the broken program would do. */
  readonly breaks: string;
  /** Where the same mistake stands in a second file. */
  readonly also?: Edit;
  readonly catcher: Catcher;
}

export function editsOf(mutation: Mutation): readonly Edit[] {
  return mutation.also === undefined ? [mutation] : [mutation, mutation.also];
}

/** Who must fail under the mutation and succeed without it. */
export type Catcher =
  /**
   * The first of the world's seeds 1 to `upTo` that breaks, and what it must say. A range, because every change of what
   * peers say to each other makes other worlds of the same seeds.
   */
  | { readonly type: 'seeds'; readonly kind: WorldKind; readonly upTo: number; readonly says: RegExp }
  /** A test, by file (relative to the folder of packages) and by a part of its full name. */
  | { readonly type: 'test'; readonly file: string; readonly name: string };

export function seeds(upTo: number, says: RegExp): Catcher {
  return { type: 'seeds', kind: 'honest', upTo, says };
}

/** Worlds in which members misbehave. */
export function attackedSeeds(upTo: number, says: RegExp): Catcher {
  return { type: 'seeds', kind: 'attacked', upTo, says };
}

/** Worlds in which a member loses its disk. */
export function wipedSeeds(upTo: number, says: RegExp): Catcher {
  return { type: 'seeds', kind: 'wiped', upTo, says };
}

export function test(file: string, name: string): Catcher {
  return { type: 'test', file: `consensus/test/${file}`, name };
}
