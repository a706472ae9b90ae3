import type { Runtime } from '../runtime/runtime.ts';
import type { PlannedFault } from '../scenario/plan-timeline.ts';
import type { Controls } from './controls.ts';

export interface FaultContext {
  readonly runtime: Runtime;
  readonly controls: Controls;
}

/** A fault that has begun. */
export interface ActiveFault {
  /** What was observed that shows that it takes effect, in words; null when nothing was seen yet. */
  prove(): Promise<string | null>;
  /** Undoes it and resolves when it is undone; absent for what is over at once. */
  end?(): Promise<void>;
}

/** Begins a fault on the given peers. @throws when it cannot be done as the network is now (a restart of what is down) */
export type FaultDriver = (
  context: FaultContext,
  fault: PlannedFault,
  peers: readonly string[],
) => Promise<ActiveFault>;

/** The key of a peer, by which others know it. */
export function keyOf({ network, names }: Runtime, name: string): string {
  return network.members[names.indexOf(name)]?.publicKey ?? '';
}

/** @throws Error when a peer is not in the state that a fault needs */
export async function expectState(runtime: Runtime, name: string, wanted: 'up' | 'down' | 'paused'): Promise<void> {
  const state = await runtime.stateOf(name);
  if (state !== wanted) throw new Error(`${name} is ${state}, not ${wanted}`);
}
