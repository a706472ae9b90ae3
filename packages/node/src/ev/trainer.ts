import { Worker } from 'node:worker_threads';
import { type Attack, type EnvironmentConfig, poisonUpdates, streamRng } from '@wattmesh/frl';

/** One learning round of one EV: everything that its result follows from. */
export interface TrainingJob {
  readonly round: number;
  /** The global model to start from. */
  readonly weights: Float64Array;
  /** Adam's moments as the round before left them; null for fresh ones. */
  readonly optimizerState: Float64Array | null;
}

export interface TrainingResult {
  readonly weights: Float64Array;
  /** Adam's moments after the round. */
  readonly optimizerState: Float64Array;
  /** Mean training return of an episode, CAD. */
  readonly meanReturn: number;
  readonly tookMs: number;
}

export interface TrainerOptions {
  readonly observationSize: number;
  readonly hidden: readonly number[];
  readonly environment: EnvironmentConfig;
  readonly seed: string;
  readonly ev: number;
  readonly episodes: number;
}

/** Port: who trains. */
export interface Trainer {
  train(job: TrainingJob): Promise<TrainingResult>;
  stop(): Promise<void>;
}

/** Trains in a thread of its own, so that the peer answers while it learns. */
export class ThreadTrainer implements Trainer {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, PromiseWithResolvers<TrainingResult>>();
  #jobs = 0;

  constructor(options: TrainerOptions) {
    this.#worker = new Worker(new URL('./training-thread.ts', import.meta.url), { workerData: options });
    this.#worker.on('message', ({ id, ...answer }: { id: number } & (TrainingResult | { failure: string })) => {
      if ('failure' in answer) this.#waiting.get(id)?.reject(new Error(answer.failure));
      else this.#waiting.get(id)?.resolve(answer);
      this.#waiting.delete(id);
    });
    this.#worker.on('error', (error) => {
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    });
  }

  train(job: TrainingJob): Promise<TrainingResult> {
    this.#jobs += 1;
    const result = Promise.withResolvers<TrainingResult>();
    this.#waiting.set(this.#jobs, result);
    this.#worker.postMessage({ id: this.#jobs, ...job });
    return result.promise;
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
    for (const { reject } of this.#waiting.values()) reject(new Error('the trainer was stopped'));
    this.#waiting.clear();
  }
}

/** A member that poisons its updates, for experiments: honest training, another result. */
export class PoisoningTrainer implements Trainer {
  readonly #honest: Trainer;
  readonly #attack: Attack;
  readonly #seed: string;

  constructor(honest: Trainer, attack: Attack, seed: string) {
    this.#honest = honest;
    this.#attack = attack;
    this.#seed = seed;
  }

  async train(job: TrainingJob): Promise<TrainingResult> {
    const result = await this.#honest.train(job);
    const update = result.weights.map((value, k) => value - (job.weights[k] as number));
    const [poisoned] = poisonUpdates([update], [0], this.#attack, streamRng(this.#seed, 'poison', job.round));
    return { ...result, weights: job.weights.map((value, k) => value + ((poisoned as Float64Array)[k] as number)) };
  }

  stop(): Promise<void> {
    return this.#honest.stop();
  }
}
