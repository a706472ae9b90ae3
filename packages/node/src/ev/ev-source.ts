import {
  type Blobs,
  type ContributionSource,
  finiteWeights,
  type Genesis,
  type Hash,
  type Hex,
  hourTariff,
  layoutOf,
  offPriceMicro,
  type PosocState,
  placeOfSlot,
  posocParametersOf,
  sha256,
  signAction,
  signPayment,
} from '@wattmesh/consensus';
import { announcedActionWh, type EnvironmentConfig, sampleStay, streamRng, TypedArrayActorCritic } from '@wattmesh/frl';
import { type EvProfile, environmentOf } from './ev-profile.ts';

export interface EvIdentity {
  readonly genesis: Genesis;
  readonly chainId: Hash;
  readonly rank: number;
  readonly sign: (digest: Hash) => Hex;
}

/** The current global model's weights; null when this peer does not have its bytes yet. */
export function globalWeights(genesis: Genesis, state: PosocState, blobs: Pick<Blobs, 'get'>): Float64Array | null {
  const { learning } = posocParametersOf(genesis);
  const bytes = state.modelHash === sha256(learning.initialModel) ? learning.initialModel : blobs.get(state.modelHash);
  return bytes === null ? null : finiteWeights(bytes, layoutOf(learning).parameterCount);
}

/** An EV's stay on a day: it follows from its profile alone. */
export function stayOfDay(
  environment: EnvironmentConfig,
  { seed }: Pick<EvProfile, 'seed'>,
  day: number,
): { readonly arrivalHour: number; readonly departureHour: number; readonly energyWh: bigint } {
  const { arrivalSlot, departureSlot, initialEnergyKwh } = sampleStay(environment, streamRng(seed, 'stay', day));
  const { socMin, socMax, capacityKwh } = environment.battery;
  const wh = Math.round(initialEnergyKwh * 1_000);
  const clamped = Math.min(
    Math.floor(socMax * capacityKwh * 1_000),
    Math.max(Math.ceil(socMin * capacityKwh * 1_000), wh),
  );
  return { arrivalHour: arrivalSlot, departureHour: departureSlot, energyWh: BigInt(clamped) };
}

/**
 * The EV behind a peer. Each hour of its stay it announces what the current global model would do; its battery is where its
 * settled actions have left it. At the end of a day it says whether it pays its share of the mining reward.
 */
export class EvSource implements ContributionSource {
  readonly #identity: EvIdentity;
  readonly #profile: EvProfile;
  readonly #environment: EnvironmentConfig;
  readonly #model: TypedArrayActorCritic;

  constructor(identity: EvIdentity, profile: EvProfile) {
    const parameters = posocParametersOf(identity.genesis);
    this.#identity = identity;
    this.#profile = profile;
    this.#environment = environmentOf(parameters, profile);
    this.#model = new TypedArrayActorCritic(layoutOf(parameters.learning));
  }

  contributions(slot: number, state: unknown, blobs: Pick<Blobs, 'get'>): readonly Uint8Array[] {
    const { genesis, chainId, rank, sign } = this.#identity;
    const { day, hour, isLastOfDay } = placeOfSlot(genesis, slot);
    const messages: Uint8Array[] = [];
    if (hour !== null) {
      const ev = this.#action(day, hour, state as PosocState, blobs);
      messages.push(signAction({ chainId, slot, rank, ev }, sign));
    }
    if (isLastOfDay) messages.push(signPayment({ chainId, slot, rank, pays: day >= this.#profile.paysFromDay }, sign));
    return messages;
  }

  #action(
    day: number,
    hour: number,
    state: PosocState,
    blobs: Pick<Blobs, 'get'>,
  ): { energyWh: bigint; actionWh: bigint; limitMicro: bigint } | null {
    const { genesis, rank } = this.#identity;
    const parameters = posocParametersOf(genesis);
    const { arrivalHour, departureHour, energyWh: arrivesWithWh } = stayOfDay(this.#environment, this.#profile, day);
    if (hour < arrivalHour || hour >= departureHour) return null;
    const energyWh = state.stays[rank]?.energyWh ?? arrivesWithWh;
    const tariff = hourTariff(parameters, day, hour);
    const weights = globalWeights(genesis, state, blobs);
    // Without the model's bytes (just caught up) it stays connected and waits.
    const actionWh =
      weights === null
        ? 0n
        : announcedActionWh(this.#model, weights, this.#environment, parameters.battery, energyWh, {
            hour,
            hoursLeft: departureHour - hour,
            priceCadPerKwh: Number(tariff.gridSellMicro) / 1e6,
            delta: deltaOfHour(Number(tariff.gridSellMicro), Number(offPriceMicro(parameters, day)), this.#environment),
            rangeAnxietyCad: this.#profile.rangeAnxietyCad,
          });
    // A price taker: the grid's own price is as good as any.
    const limitMicro = actionWh > 0n ? tariff.gridSellMicro : tariff.gridBuyMicro;
    return { energyWh, actionWh, limitMicro };
  }
}

function deltaOfHour(price: number, offPrice: number, { tariff }: EnvironmentConfig): number {
  return Math.min(1, Math.max(tariff.deltaFloor, price / offPrice - 1));
}
