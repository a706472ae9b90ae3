import type * as TensorFlow from '@tensorflow/tfjs';
import { FrlError } from '../../frl-error.ts';
import type { ModelLayout } from '../../model/model-layout.ts';
import type { ActorCritic } from '../actor-critic.ts';
import { TfjsActorCritic } from './tfjs-actor-critic.ts';

export type TfjsBackend = 'node' | 'wasm' | 'cpu';

export interface TfjsOptions {
  /** Backends in order of preference; default node, wasm, cpu. */
  readonly preference?: readonly TfjsBackend[];
  /**
   * Imports `@tensorflow/tfjs-node`, which registers itself as backend `tensorflow`. It comes in as a port because it
   * loads a native library and, on Node 23 and later, needs `util.isNullOrUndefined` restored first: neither is for a
   * pure package. Without it `node` counts as unavailable.
   */
  readonly loadNative?: () => Promise<unknown>;
}

/** The backend that was chosen, and why those before it were not: for the log. */
export interface TfjsChoice {
  readonly model: ActorCritic;
  readonly backend: TfjsBackend;
  readonly refused: readonly { readonly backend: TfjsBackend; readonly reason: string }[];
}

/**
 * An actor-critic on the first tfjs backend that starts and multiplies correctly. tfjs is imported here and nowhere
 * else, so a process that learns on typed arrays never loads it. tfjs keeps one backend per process: loading a second
 * one switches models that were made before. Throws `FRL_BACKEND_UNAVAILABLE` when none works.
 */
export async function loadTfjsActorCritic(layout: ModelLayout, options: TfjsOptions = {}): Promise<TfjsChoice> {
  const tf = await import('@tensorflow/tfjs');
  // Without its debug checks, and without the advice that it prints to the console of every Node process.
  tf.enableProdMode();
  const refused: { backend: TfjsBackend; reason: string }[] = [];
  for (const backend of options.preference ?? (['node', 'wasm', 'cpu'] as const)) {
    try {
      await startBackend(tf, backend, options.loadNative);
      return { model: new TfjsActorCritic(tf, `tfjs-${backend}`, layout), backend, refused };
    } catch (error) {
      refused.push({ backend, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  const reasons = refused.map(({ backend, reason }) => `${backend}: ${reason}`).join('; ');
  throw new FrlError('FRL_BACKEND_UNAVAILABLE', `no tfjs backend works (${reasons})`, { reasons });
}

async function startBackend(
  tf: typeof TensorFlow,
  backend: TfjsBackend,
  loadNative: TfjsOptions['loadNative'],
): Promise<void> {
  if (backend === 'node') {
    if (!loadNative) throw new Error('no loader for @tensorflow/tfjs-node was given');
    await loadNative();
  }
  if (backend === 'wasm') await import('@tensorflow/tfjs-backend-wasm');
  const name = backend === 'node' ? 'tensorflow' : backend;
  if (!(await tf.setBackend(name))) throw new Error(`backend ${name} did not start`);
  await tf.ready();
  const product = tf.tidy(() => tf.matMul(tf.tensor2d([[1, 2]]), tf.tensor2d([[3], [4]])).dataSync()[0]);
  if (product !== 11) throw new Error(`backend ${name} multiplies wrongly: 1*3 + 2*4 = ${product}`);
}
