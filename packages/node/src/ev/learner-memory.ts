import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeCheckpoint, encodeCheckpoint } from '@wattmesh/frl';
import { LearningError } from '../learning/errors.ts';

/** Adam's moments around a round: it began with `before` and left `after`. */
export interface RememberedRound {
  readonly round: number;
  readonly before: Float64Array;
  readonly after: Float64Array;
}

/** Port: what a learner knows besides the global model, over restarts. */
export interface LearnerMemory {
  /** Null when nothing is remembered. Rejects when there is something that cannot be used. */
  load(): Promise<RememberedRound | null>;
  /** Resolves when a restarted peer would find it. */
  save(round: RememberedRound): Promise<void>;
}

/** Remembers nothing. */
export const NO_MEMORY: LearnerMemory = { load: async () => null, save: async () => undefined };

const FILE = 'learner.safetensors';

/** A file in the peer's data folder. It belongs to one member of one chain, and to one size of model. */
export class LearnerFile implements LearnerMemory {
  readonly #path: string;
  readonly #owner: string;
  readonly #length: number;

  /** `owner` names chain and member; `parameterCount` is the model's. */
  constructor(dataFolder: string, owner: string, parameterCount: number) {
    this.#path = join(dataFolder, FILE);
    this.#owner = owner;
    // First and second moment of each parameter, and the number of steps.
    this.#length = 2 * parameterCount + 1;
  }

  /** @throws FrlError FRL_MODEL_... when the file is damaged, LearningError EV_LEARNER_MISMATCH when it is another learner's */
  async load(): Promise<RememberedRound | null> {
    const bytes = await readFile(this.#path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    });
    if (bytes === null) return null;
    const { round, fingerprint, models, optimizerStates } = decodeCheckpoint(bytes);
    const [before, after] = optimizerStates;
    const isOurs = fingerprint === this.#owner && models.length === 0 && optimizerStates.length === 2;
    if (!isOurs || before?.length !== this.#length || after?.length !== this.#length)
      throw new LearningError(
        'EV_LEARNER_MISMATCH',
        `${this.#path} is of ${fingerprint}, this learner is ${this.#owner} with ${this.#length} numbers; it starts afresh`,
      );
    return { round, before, after };
  }

  async save({ round, before, after }: RememberedRound): Promise<void> {
    const bytes = encodeCheckpoint({ round, fingerprint: this.#owner, models: [], optimizerStates: [before, after] });
    const file = await open(`${this.#path}.new`, 'w');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${this.#path}.new`, this.#path);
  }
}
