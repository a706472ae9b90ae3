import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '@wattmesh/consensus';
import { decodeCheckpoint, encodeCheckpoint, FrlError, type TrainingCheckpoint } from '@wattmesh/frl';
import { z } from 'zod';
import { LearningError } from './errors.ts';
import { trainingSettingsSchema } from './settings.ts';

const pointSchema = z.strictObject({
  round: z.int().min(1),
  ev: z.int().min(0),
  shapedGain: z.number(),
  objectiveGain: z.number(),
  regret: z.number(),
  cash: z.number(),
  settled: z.number(),
});
/** One evaluation: of the model that EV `ev` uses, in its world. Gains as shares, money in CAD a day. */
export type CurvePoint = z.infer<typeof pointSchema>;

const returnsSchema = z.strictObject({ round: z.int().min(1), mean: z.number(), least: z.number(), most: z.number() });
/** Mean training return of a day of each learner in one round (CAD, with exploration): over learners. */
export type RoundReturns = z.infer<typeof returnsSchema>;

const sessionSchema = z.strictObject({
  fromRound: z.int().min(0),
  toRound: z.int().min(0),
  elapsedMs: z.number().min(0),
  commit: z.string().nullable(),
  host: z.record(z.string(), z.union([z.string(), z.number()])),
});
/** One stretch of work on a run, from its start or a resumption to where it stopped. */
export type TrainingSession = z.infer<typeof sessionSchema>;

const stateSchema = z.strictObject({
  format: z.literal('wattmesh-training'),
  version: z.literal(1),
  settings: trainingSettingsSchema,
  /** Hash of all that decides the course of training. */
  fingerprint: z.string(),
  /** Rounds completed. */
  round: z.int().min(0),
  /** Models and Adam's moments of every learner; the name is that of a file beside this one. */
  checkpoint: z.strictObject({
    file: z.string().regex(/^checkpoint-\d+\.safetensors$/),
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
  }),
  /** Every draw of round r comes from streams named by seed, purpose, EV and r: their state is their name. */
  random: z.strictObject({ generator: z.literal('xoshiro128**'), seed: z.string(), nextRound: z.int().min(1) }),
  modelHash: z.string(),
  curve: z.array(pointSchema),
  returns: z.array(returnsSchema),
  refusedUpdates: z.int().min(0),
  sessions: z.array(sessionSchema),
});
/** All of a run that is not in the checkpoint's tensors. */
export type TrainingState = z.infer<typeof stateSchema>;

const STATE = 'state.json';

/** What a checkpoint holds. */
export interface SavedTraining {
  readonly state: TrainingState;
  readonly checkpoint: TrainingCheckpoint;
}

/** A run's folder: `state.json`, the last checkpoint, and at the end model, result, curve. */
export class TrainingFolder {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** A folder for a new run. @throws LearningError TRAIN_FOLDER_IN_USE, TRAIN_FOLDER_UNWRITABLE */
  static async create(path: string): Promise<TrainingFolder> {
    await mkdir(path, { recursive: true }).catch((cause: Error) => {
      throw new LearningError('TRAIN_FOLDER_UNWRITABLE', `cannot make the folder ${path}: ${cause.message}`, { cause });
    });
    const there = await readdir(path);
    if (there.length > 0)
      throw new LearningError(
        'TRAIN_FOLDER_IN_USE',
        there.includes(STATE)
          ? `${path} holds a run; go on with --resume ${path}, or name another folder with --out`
          : `${path} is not empty; name another folder with --out`,
      );
    return new TrainingFolder(path);
  }

  /** The folder of a run that has been started. Says nothing about its contents before `read`. */
  static at(path: string): TrainingFolder {
    return new TrainingFolder(path);
  }

  /**
   * Reads state and checkpoint and checks that both are what was written.
   * @throws LearningError TRAIN_NO_CHECKPOINT, TRAIN_CHECKPOINT_CORRUPT, TRAIN_CHECKPOINT_MISMATCH
   */
  async read(): Promise<SavedTraining> {
    const text = await this.#read(STATE, 'TRAIN_NO_CHECKPOINT');
    const state = this.#parse(text.toString('utf8'));
    const { file, sha256: expected } = state.checkpoint;
    const bytes = await this.#read(file, 'TRAIN_CHECKPOINT_CORRUPT');
    const found = sha256(bytes);
    if (found !== expected)
      throw this.#corrupt(file, `its SHA-256 is ${found.slice(0, 16)}..., ${STATE} says ${expected.slice(0, 16)}...`);
    try {
      const checkpoint = decodeCheckpoint(bytes);
      if (checkpoint.round !== state.round || checkpoint.fingerprint !== state.fingerprint)
        throw new LearningError(
          'TRAIN_CHECKPOINT_MISMATCH',
          `${join(this.path, file)} is of round ${checkpoint.round} of run ${checkpoint.fingerprint.slice(0, 12)}, ${STATE} of round ${state.round} of run ${state.fingerprint.slice(0, 12)}`,
        );
      return { state, checkpoint };
    } catch (cause) {
      if (!(cause instanceof FrlError)) throw cause;
      throw this.#corrupt(file, cause.message, cause);
    }
  }

  /** Replaces the last checkpoint. A power cut in between leaves the old one whole. @throws LearningError TRAIN_FOLDER_UNWRITABLE */
  async save(state: Omit<TrainingState, 'checkpoint'>, checkpoint: TrainingCheckpoint): Promise<void> {
    const bytes = encodeCheckpoint(checkpoint);
    const file = `checkpoint-${checkpoint.round}.safetensors`;
    await this.write(file, bytes);
    const whole: TrainingState = { ...state, checkpoint: { file, sha256: sha256(bytes) } };
    await this.write(STATE, `${JSON.stringify(whole)}\n`);
    for (const name of await readdir(this.path))
      if (/^checkpoint-\d+\.safetensors$/.test(name) && name !== file) await rm(join(this.path, name));
  }

  /** Writes a file in one piece: whoever reads it sees the old or the new one. @throws LearningError TRAIN_FOLDER_UNWRITABLE */
  async write(name: string, contents: Uint8Array | string): Promise<string> {
    const path = join(this.path, name);
    try {
      const file = await open(`${path}.new`, 'w');
      try {
        await file.writeFile(contents);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(`${path}.new`, path);
    } catch (cause) {
      throw new LearningError('TRAIN_FOLDER_UNWRITABLE', `cannot write ${path}: ${(cause as Error).message}`, {
        cause,
      });
    }
    return path;
  }

  async #read(name: string, code: 'TRAIN_NO_CHECKPOINT' | 'TRAIN_CHECKPOINT_CORRUPT'): Promise<Buffer> {
    try {
      return await readFile(join(this.path, name));
    } catch (cause) {
      const reason = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (cause as Error).message;
      throw new LearningError(code, `cannot resume from ${this.path}: ${name}: ${reason}`, { cause });
    }
  }

  #parse(text: string): TrainingState {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      throw this.#corrupt(STATE, 'it is not JSON', cause);
    }
    const parsed = stateSchema.safeParse(value);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw this.#corrupt(STATE, `${issue?.path.join('.') || 'the whole'}: ${issue?.message}`, parsed.error);
    }
    return parsed.data;
  }

  #corrupt(file: string, why: string, cause?: unknown): LearningError {
    return new LearningError(
      'TRAIN_CHECKPOINT_CORRUPT',
      `${join(this.path, file)} is not what was written: ${why}. Start the run anew with --out`,
      { cause },
    );
  }
}
