import { type Blobs, type ChainState, layoutOf, posocParametersOf } from '@wattmesh/consensus';
import { EvLearning, type LearningReport } from './ev-learning.ts';
import { type EvProfile, environmentOf, readEvProfile } from './ev-profile.ts';
import { type EvIdentity, EvSource } from './ev-source.ts';
import { LearnerFile } from './learner-memory.ts';
import { PoisoningTrainer, ThreadTrainer, type Trainer } from './trainer.ts';

/** What an EV's learning needs of the running peer. */
export interface LearningPorts {
  /** The peer's own folder, where the learner keeps what it remembers. */
  readonly dataFolder: string;
  readonly blobs: Pick<Blobs, 'get'>;
  /** Hands a signed update to the peer; false when it came too late. */
  contribute(bytes: Uint8Array): boolean;
  onError(error: unknown): void;
}

/** The EV behind a peer: what it announces, and how it learns. */
export class EvLife {
  readonly source: EvSource;
  readonly #identity: EvIdentity;
  readonly #profile: EvProfile;
  #learning: EvLearning | null = null;

  private constructor(identity: EvIdentity, profile: EvProfile) {
    this.#identity = identity;
    this.#profile = profile;
    this.source = new EvSource(identity, profile);
  }

  /** @throws ConfigError when the profile cannot be used */
  static async read(path: string, identity: EvIdentity): Promise<EvLife> {
    return new EvLife(identity, await readEvProfile(path));
  }

  startLearning({ dataFolder, ...ports }: LearningPorts): void {
    const { genesis, chainId, rank } = this.#identity;
    const { parameterCount } = layoutOf(posocParametersOf(genesis).learning);
    const memory = new LearnerFile(dataFolder, `${chainId}/${rank}`, parameterCount);
    this.#learning = new EvLearning({ identity: this.#identity, trainer: this.#trainer(), memory, ...ports });
  }

  /** See `EvLearning.consider`; nothing before learning has started. */
  consider(state: ChainState): void {
    this.#learning?.consider(state);
  }

  report(): LearningReport | null {
    return this.#learning?.report() ?? null;
  }

  async stop(): Promise<void> {
    await this.#learning?.stop();
  }

  #trainer(): Trainer {
    const { genesis, rank } = this.#identity;
    const { seed, episodesPerRound, poison } = this.#profile;
    const parameters = posocParametersOf(genesis);
    const { observationSize, hidden } = parameters.learning;
    const environment = environmentOf(parameters, this.#profile);
    const honest = new ThreadTrainer({
      observationSize,
      hidden,
      environment,
      seed,
      ev: rank,
      episodes: episodesPerRound,
    });
    return poison === undefined ? honest : new PoisoningTrainer(honest, poison, seed);
  }
}
