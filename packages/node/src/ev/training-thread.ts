/** The thread behind `ThreadTrainer`: one learner, one job after the other. Nothing is kept from one to the next. */
import { parentPort, workerData } from 'node:worker_threads';
import { createModelLayout, createTypedArrayLearner, runLocalRound } from '@wattmesh/frl';
import type { TrainerOptions, TrainingJob } from './trainer.ts';

const { observationSize, hidden, environment, seed, ev, episodes } = workerData as TrainerOptions;
const layout = createModelLayout(observationSize, hidden);
const learner = createTypedArrayLearner(layout);
const freshMoments = Float64Array.from(learner.optimizerState);

parentPort?.on('message', ({ id, round, weights, optimizerState }: TrainingJob & { id: number }) => {
  const startMs = performance.now();
  try {
    learner.setWeights(weights);
    learner.setOptimizerState(optimizerState ?? freshMoments);
    const { meanReturn } = runLocalRound(learner, { environment, seed, ev, round, episodes });
    // A global model that poisoned updates have ruined can make a round fail: the next one starts from another.
    if (!learner.weights.every(Number.isFinite)) throw new Error(`round ${round} has no finite result`);
    parentPort?.postMessage({
      id,
      weights: Float64Array.from(learner.weights),
      optimizerState: Float64Array.from(learner.optimizerState),
      meanReturn,
      tookMs: performance.now() - startMs,
    });
  } catch (error) {
    parentPort?.postMessage({ id, failure: (error as Error).message });
  }
});
