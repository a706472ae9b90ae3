import { createRequire } from 'node:module';
import { createModelLayout, initialWeights, streamRng } from '@wattmesh/frl';
import { describe, expect, it } from 'vitest';
import { chooseBackend } from '../../src/learning/backend.ts';

const layout = createModelLayout(9);
const weights = initialWeights(layout, streamRng(1, 'backend'));
const observations = Float32Array.from({ length: 9 }, (_, k) => k / 9);

/** The mean action that a backend gives for one observation. */
async function actionOn(name: Parameters<typeof chooseBackend>[0]): Promise<number> {
  const means = new Float64Array(1);
  const { model } = await chooseBackend(name, layout);
  model.predict(weights, observations, 1, means);
  return means[0] as number;
}

function nativeIsInstalled(): boolean {
  try {
    createRequire(import.meta.url).resolve('@tensorflow/tfjs-node');
    return true;
  } catch {
    return false;
  }
}

describe('the backend', () => {
  it('is the one that was asked for, and they agree', async () => {
    const exact = await actionOn('ts');
    expect(exact).not.toBe(0);
    for (const name of ['tfjs-cpu', 'tfjs-wasm'] as const) {
      expect(await chooseBackend(name, layout)).toMatchObject({ name, refused: [] });
      expect(Math.abs((await actionOn(name)) - exact)).toBeLessThan(1e-6);
    }
    expect((await chooseBackend('ts', layout)).model.backend).toBe('typed-array');
  });

  it.skipIf(nativeIsInstalled())(
    'tfjs-node is refused by name where it is not installed, and tfjs goes on to wasm',
    async () => {
      await expect(chooseBackend('tfjs-node', layout)).rejects.toMatchObject({
        code: 'FRL_BACKEND_UNAVAILABLE',
        message: expect.stringContaining('@tensorflow/tfjs-node: it is not installed'),
      });
      expect(await chooseBackend('tfjs', layout)).toMatchObject({
        name: 'tfjs-wasm',
        refused: [expect.stringContaining('tfjs-node: @tensorflow/tfjs-node: it is not installed')],
      });
    },
  );
});
