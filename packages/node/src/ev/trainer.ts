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

/**
 * Trains in a thread of its own, so that the peer answers while it learns. A thread that dies (its memory is used up) fails
 * the rounds that it was given, and the next round gets a new one.
 */
export class ThreadTrainer implements Trainer {
  readonly #options: TrainerOptions;
  readonly #thread: URL;
  readonly #waiting = new Map<number, PromiseWithResolvers<TrainingResult>>();
  #worker: Worker | null;
  #jobs = 0;
  #isStopped = false;

  /** `thread` is for tests: the program that answers to jobs. */
  constructor(options: TrainerOptions, thread = new URL('./training-thread.ts', import.meta.url)) {
    this.#options = options;
    this.#thread = thread;
    // Already here, so that the first round need not wait for the thread to come up.
    this.#worker = this.#start();
  }

  async train(job: TrainingJob): Promise<TrainingResult> {
    if (this.#isStopped) throw new Error('the trainer was stopped');
    this.#worker ??= this.#start();
    this.#jobs += 1;
    this.#worker.postMessage({ id: this.#jobs, ...job });
    const result = Promise.withResolvers<TrainingResult>();
    this.#waiting.set(this.#jobs, result);
    return result.promise;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    const worker = this.#worker;
    this.#worker = null;
    await worker?.terminate();
    this.#rejectAll(new Error('the trainer was stopped'));
  }

  #start(): Worker {
    const worker = new Worker(this.#thread, { workerData: this.#options });
    worker.on('message', ({ id, ...answer }: { id: number } & (TrainingResult | { failure: string })) => {
      if ('failure' in answer) this.#waiting.get(id)?.reject(new Error(answer.failure));
      else this.#waiting.get(id)?.resolve(answer);
      this.#waiting.delete(id);
    });
    const lost = (error: Error): void => {
      // An error is followed by the exit, by when the next thread may be at work; and `stop` sees to its own.
      if (this.#worker !== worker) return;
      this.#worker = null;
      this.#rejectAll(error);
    };
    worker.on('error', lost);
    worker.on('exit', (code) => lost(new Error(`the training thread ended with exit code ${code}`)));
    return worker;
  }

  #rejectAll(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
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
