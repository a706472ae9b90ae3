/** The thread behind `ThreadTrainer`: one learner, one job after the other. */
import { parentPort, workerData } from 'node:worker_threads';
import { createModelLayout, createTypedArrayLearner, runLocalRound } from '@wattmesh/frl';
import type { TrainerOptions, TrainingJob } from './trainer.ts';

const { observationSize, hidden, environment, seed, ev, episodes } = workerData as TrainerOptions;
const learner = createTypedArrayLearner(createModelLayout(observationSize, hidden));

parentPort?.on('message', ({ id, round, weights }: TrainingJob & { id: number }) => {
  const startMs = performance.now();
  learner.setWeights(weights);
  const { meanReturn } = runLocalRound(learner, { environment, seed, ev, round, episodes });
  parentPort?.postMessage({
    id,
    weights: Float64Array.from(learner.weights),
    meanReturn,
    tookMs: performance.now() - startMs,
  });
});
