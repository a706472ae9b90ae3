import { posocParametersOf } from '@wattmesh/consensus';
import { getBytes, ModelGains } from '@wattmesh/node';
import type { Runtime } from '../runtime/runtime.ts';
import type { EventOf, LabEventBody } from './events.ts';

/** A round may be over in a fifth of a second. */
const LOOK_EVERY_MS = 100;
/** Points of a learning curve; more rounds are thinned out evenly. */
const MAX_MEASURED = 60;

interface SeenModel {
  readonly bytes: Uint8Array;
  readonly atMs: number;
}

/**
 * Collects the global models of EVs while they learn, and measures them when the run is over: what a measurement takes of the
 * machine must not come from the peers.
 */
export class ModelWatch {
  readonly #runtime: Runtime;
  readonly #gains: ModelGains;
  readonly #record: (event: LabEventBody, atMs: number) => void;
  readonly #rounds = new Map<string, number>();
  readonly #seen = new Map<string, SeenModel>();
  #lookedMs = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | null = null;

  constructor(runtime: Runtime, evaluationDays: number, record: (event: LabEventBody, atMs: number) => void) {
    this.#runtime = runtime;
    const { genesis, members } = runtime.network;
    const profiles = members.flatMap((member) => ('ev' in member ? [member.ev] : []));
    this.#gains = new ModelGains(posocParametersOf(genesis), profiles, evaluationDays);
    this.#record = record;
  }

  /** Tells of a round that a block has decided. */
  onRound({ round, modelHash }: Pick<EventOf<'round'>, 'round' | 'modelHash'>): void {
    if (!this.#rounds.has(modelHash)) this.#rounds.set(modelHash, round);
  }

  /** Asks some peer for its newest model, now and then; a peer that does not answer holds nobody up. */
  look(elapsedMs: number): void {
    if (this.#looking !== null || elapsedMs - this.#lookedMs < LOOK_EVERY_MS) return;
    this.#lookedMs = elapsedMs;
    this.#looking = this.#fetch(elapsedMs).finally(() => {
      this.#looking = null;
    });
  }

  /** Measures every model that was seen and that a block has decided, with the newest. */
  async finish(elapsedMs: number): Promise<void> {
    await this.#looking;
    await this.#fetch(elapsedMs);
    const models = [...this.#seen].flatMap(([hash, model]) => {
      const round = this.#rounds.get(hash);
      return round === undefined ? [] : [{ hash, round, ...model }];
    });
    models.sort((a, b) => a.round - b.round);
    const step = Math.ceil(models.length / MAX_MEASURED);
    for (const [k, { hash, round, bytes, atMs }] of models.entries())
      if (k % step === 0 || k === models.length - 1)
        this.#record({ type: 'model', round, hash, gains: this.#gains.of(bytes) }, atMs);
  }

  async #fetch(atMs: number): Promise<void> {
    for (const name of this.#runtime.names) {
      const apiUrl = this.#runtime.apiUrl(name);
      const model = apiUrl === null ? null : await getBytes(apiUrl, '/model').catch(() => null);
      if (model === null) continue;
      const hash = model.headers.get('x-model-hash') ?? '';
      if (!this.#seen.has(hash)) this.#seen.set(hash, { bytes: model.bytes, atMs });
      return;
    }
  }
}
