import {
  type Blobs,
  type ChainState,
  type PosocState,
  placeOfSlot,
  posocParametersOf,
  signUpdate,
} from '@wattmesh/consensus';
import { tensorBytes } from '@wattmesh/frl';
import { type EvIdentity, globalWeights } from './ev-source.ts';
import type { LearnerMemory, RememberedRound } from './learner-memory.ts';
import type { Trainer } from './trainer.ts';

/** How an EV's learning went so far. */
export interface LearningReport {
  readonly rounds: number;
  readonly medianMs: number;
  readonly maxMs: number;
  /** Rounds whose slot had ended before the update was ready. */
  readonly late: number;
}

export interface EvLearningModules {
  readonly identity: EvIdentity;
  readonly trainer: Trainer;
  readonly memory: LearnerMemory;
  readonly blobs: Pick<Blobs, 'get'>;
  /** Hands a signed update to the peer; false when it came too late. */
  contribute(bytes: Uint8Array): boolean;
  onError(error: unknown): void;
}

/** Starts a training round when the chain has come to one, and sends what comes out. One round at a time. */
export class EvLearning {
  readonly #modules: EvLearningModules;
  readonly #tookMs: number[] = [];
  #slot = -1;
  #late = 0;
  #remembered: RememberedRound | null = null;
  #running: Promise<void>;

  constructor(modules: EvLearningModules) {
    this.#modules = modules;
    this.#running = this.#remember();
  }

  /** Looks at the chain's state; to be called when it has moved, and when bytes that were missing have come. */
  consider({ slot, app }: ChainState): void {
    const { identity, blobs } = this.#modules;
    if (slot === this.#slot || placeOfSlot(identity.genesis, slot).round === null) return;
    const state = app as PosocState;
    const weights = globalWeights(identity.genesis, state, blobs);
    if (weights === null) return;
    this.#slot = slot;
    this.#running = this.#running.then(() => this.#train(slot, state.rounds + 1, weights));
  }

  report(): LearningReport {
    const sorted = [...this.#tookMs].sort((a, b) => a - b);
    return {
      rounds: sorted.length,
      medianMs: sorted[sorted.length >> 1] ?? 0,
      maxMs: sorted.at(-1) ?? 0,
      late: this.#late,
    };
  }

  async stop(): Promise<void> {
    this.#slot = Number.POSITIVE_INFINITY;
    await this.#modules.trainer.stop();
    await this.#running;
  }

  /** A memory that cannot be used costs Adam a few rounds of warming up, and nothing else. */
  async #remember(): Promise<void> {
    try {
      this.#remembered = await this.#modules.memory.load();
    } catch (error) {
      this.#modules.onError(error);
    }
  }

  /** A round that is trained again, after a restart, begins as it did the first time and ends with the same update. */
  #momentsBefore(round: number): Float64Array | null {
    const known = this.#remembered;
    if (known === null || known.round > round) return null;
    return known.round === round ? known.before : known.after;
  }

  async #train(slot: number, round: number, weights: Float64Array): Promise<void> {
    const { identity, trainer, contribute, onError } = this.#modules;
    // Overtaken while the round before was still running: that slot is over.
    if (slot !== this.#slot) return;
    try {
      const optimizerState = this.#momentsBefore(round);
      const result = await trainer.train({ round, weights, optimizerState });
      this.#tookMs.push(result.tookMs);
      const before = optimizerState ?? new Float64Array(result.optimizerState.length);
      this.#remembered = { round, before, after: result.optimizerState };
      // Before anybody sees the update: who stops in between must come back with the same one, not with a second.
      await this.#modules.memory.save(this.#remembered).catch(onError);
      const { genesis, chainId, rank, sign } = identity;
      const { learning } = posocParametersOf(genesis);
      const shape = [learning.observationSize, ...learning.hidden];
      const update = signUpdate({ chainId, slot, rank, shape, tensor: tensorBytes(result.weights) }, sign);
      if (!contribute(update)) this.#late += 1;
    } catch (error) {
      if (this.#slot !== Number.POSITIVE_INFINITY) onError(error);
    }
  }
}
