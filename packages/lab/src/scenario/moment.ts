import { durationText } from './quantities.ts';

/** When something happens: after the network has come up (ms), or when a height or slot is reached. */
export type Moment =
  | { readonly unit: 'time'; readonly value: number }
  | { readonly unit: 'height'; readonly value: number }
  | { readonly unit: 'slot'; readonly value: number };

export type MomentUnit = Moment['unit'];

/** How far a run has come. */
export interface Progress {
  readonly elapsedMs: number;
  /** Largest height and slot that any peer has. */
  readonly height: number;
  readonly slot: number;
}

/** From the scenario's `at`: milliseconds, `{height}` or `{slot}`. */
export function momentOf(at: number | { readonly height: number } | { readonly slot: number }): Moment {
  if (typeof at === 'number') return { unit: 'time', value: at };
  return 'height' in at ? { unit: 'height', value: at.height } : { unit: 'slot', value: at.slot };
}

/** From the scenario's `for`: the same, as a distance. */
export function distanceOf(lasting: number | { readonly heights: number } | { readonly slots: number }): Moment {
  if (typeof lasting === 'number') return { unit: 'time', value: lasting };
  return 'heights' in lasting ? { unit: 'height', value: lasting.heights } : { unit: 'slot', value: lasting.slots };
}

export function hasCome(moment: Moment, progress: Progress): boolean {
  return valueIn(moment.unit, progress) >= moment.value;
}

/** The moment that is `distance` after where the run is now. */
export function after(distance: Moment, progress: Progress): Moment {
  return { unit: distance.unit, value: valueIn(distance.unit, progress) + distance.value };
}

export function momentText({ unit, value }: Moment): string {
  return unit === 'time' ? durationText(value) : `${unit} ${value}`;
}

function valueIn(unit: MomentUnit, { elapsedMs, height, slot }: Progress): number {
  return unit === 'time' ? elapsedMs : unit === 'height' ? height : slot;
}
