/** The thread behind `ThreadTrainer`: one learner, one job after the other. */
import { parentPort, workerData } from 'node:worker_threads';
import { createModelLayout, createTypedArrayLearner, runLocalRound } from '@wattmesh/frl';
import type { TrainerOptions, TrainingJob } from './trainer.ts';

const { observationSize, hidden, environment, seed, ev, episodes } = workerData as TrainerOptions;
const learner = createTypedArrayLearner(createModelLayout(observationSize, hidden));

parentPort?.on('message', ({ id, round, weights }: TrainingJob & { id: number }) => {
  const startMs = performance.now();
  const optimizerState = Float64Array.from(learner.optimizerState);
  try {
    learner.setWeights(weights);
    const { meanReturn } = runLocalRound(learner, { environment, seed, ev, round, episodes });
    if (!learner.weights.every(Number.isFinite)) throw new Error(`round ${round} has no finite result`);
    const tookMs = performance.now() - startMs;
    parentPort?.postMessage({ id, weights: Float64Array.from(learner.weights), meanReturn, tookMs });
  } catch (error) {
    // A global model that poisoned updates have ruined can make a round fail: the next one starts from another.
    learner.setOptimizerState(optimizerState);
    parentPort?.postMessage({ id, failure: (error as Error).message });
  }
});
