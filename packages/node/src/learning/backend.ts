import util from 'node:util';
import {
  type ActorCritic,
  loadTfjsActorCritic,
  type ModelLayout,
  type TfjsBackend,
  TypedArrayActorCritic,
} from '@wattmesh/frl';
import type { BACKENDS } from './settings.ts';

export type BackendName = (typeof BACKENDS)[number];

/** What computes a learner's gradients, and how it was chosen. */
export interface ChosenBackend {
  readonly model: ActorCritic;
  /** The exact one, by which a resumed run asks for it: never `tfjs`. */
  readonly name: Exclude<BackendName, 'tfjs'>;
  /** Why the ones that were preferred could not be had. */
  readonly refused: readonly string[];
}

/**
 * The numerical core by name: `ts` is plain typed arrays in float64; `tfjs` the first of tfjs-node, tfjs-wasm and
 * tfjs-cpu that starts and multiplies correctly; `tfjs-...` that one or none. @throws FrlError FRL_BACKEND_UNAVAILABLE
 */
export async function chooseBackend(name: BackendName, layout: ModelLayout): Promise<ChosenBackend> {
  if (name === 'ts') return { model: new TypedArrayActorCritic(layout), name, refused: [] };
  const preference = name === 'tfjs' ? {} : { preference: [name.slice('tfjs-'.length) as TfjsBackend] };
  const { model, backend, refused } = await loadTfjsActorCritic(layout, { ...preference, loadNative });
  return { model, name: `tfjs-${backend}`, refused: refused.map((one) => `tfjs-${one.backend}: ${one.reason}`) };
}

/**
 * Imports `@tensorflow/tfjs-node`, which is no dependency: whoever wants it installs it with its native library
 * (docs/learning.md).
 */
async function loadNative(): Promise<void> {
  // tfjs-node 4.22 calls functions that Node 23 has removed.
  const legacy = util as unknown as Record<string, unknown>;
  legacy.isNullOrUndefined ??= (value: unknown): boolean => value === null || value === undefined;
  legacy.isArray ??= Array.isArray;
  // Not a literal: it is not there when types are checked.
  const name = '@tensorflow/tfjs-node';
  try {
    await import(name);
  } catch (cause) {
    const reason = (cause as { code?: string }).code === 'ERR_MODULE_NOT_FOUND' ? 'it is not installed' : String(cause);
    throw new Error(`${name}: ${reason.split('\n')[0]}`, { cause });
  }
}
