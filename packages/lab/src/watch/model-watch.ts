import { posocParametersOf } from '@wattmesh/consensus';
import { getBytes, ModelGains } from '@wattmesh/node';
import type { Runtime } from '../runtime/runtime.ts';
import type { EventOf, LabEventBody } from './events.ts';

const LOOK_EVERY_MS = 1_000;

/** Measures the global model of EVs while they learn: the newest that a peer shows, once for each hash. */
export class ModelWatch {
  readonly #runtime: Runtime;
  readonly #gains: ModelGains;
  readonly #record: (event: LabEventBody) => void;
  readonly #rounds = new Map<string, number>();
  readonly #measured = new Set<string>();
  #lookedMs = Number.NEGATIVE_INFINITY;

  constructor(runtime: Runtime, evaluationDays: number, record: (event: LabEventBody) => void) {
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

  /** Measures the newest model, at most once a second; `isLast` waives that. */
  async look(elapsedMs: number, isLast = false): Promise<void> {
    if (!isLast && elapsedMs - this.#lookedMs < LOOK_EVERY_MS) return;
    this.#lookedMs = elapsedMs;
    for (const name of this.#runtime.names) {
      const apiUrl = this.#runtime.apiUrl(name);
      const model = apiUrl === null ? null : await getBytes(apiUrl, '/model').catch(() => null);
      if (model === null) continue;
      const hash = model.headers.get('x-model-hash') ?? '';
      const round = this.#rounds.get(hash);
      if (round === undefined || this.#measured.has(hash)) return;
      this.#measured.add(hash);
      this.#record({ type: 'model', round, hash, gains: this.#gains.of(model.bytes) });
      return;
    }
  }
}
