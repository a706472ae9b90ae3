import { solveLinearSystem } from './linear-system.ts';
import type { LossRates } from './loss-rate.ts';
import { DEFAULT_LOSS_PER_KM } from './loss-rate.ts';
import { type Network, slackBus } from './network.ts';
import { type PowerFlow, solvePowerFlow } from './power-flow.ts';

export interface LossTableOptions {
  /** Power factor of the traded power. */
  readonly powerFactor?: number;
  /**
   * `signed` credits a trade that runs against the flow; `unsigned` (default) charges it all the same, so rates are
   * >= 0.
   */
  readonly sign?: 'signed' | 'unsigned';
}

/**
 * Loss rates between the buses of a network (section 9; eq. 3.1 with the division cancelled), as fractions of the
 * traded energy: `[from][to]` by place in `network.buses`. Where the network is meshed, a trade's path is its DC flow
 * shares.
 *
 * The rates are those of the base case: household trades are far too small to change its flows.
 *
 * @throws MarketError MARKET_INVALID_INPUT when the network is not connected or has no power flow.
 */
export function networkLossRates(network: Network, options: LossTableOptions = {}): number[][] {
  return lossRatesAt(network, solvePowerFlow(network), options);
}

/** As `networkLossRates`, around a power flow that is already known. */
export function lossRatesAt(network: Network, flow: PowerFlow, options: LossTableOptions = {}): number[][] {
  const { powerFactor = 1, sign = 'unsigned' } = options;
  const reactivePerActive = Math.tan(Math.acos(powerFactor));
  const factors = transferFactors(network);
  return network.buses.map((_, from) =>
    network.buses.map((__, to) => {
      let rate = 0;
      network.branches.forEach((branch, l) => {
        const { activePu, reactivePu, voltagePu } = flow.branches[l]!;
        const share = factors[l]![from]! - factors[l]![to]!;
        const perVoltage = branch.resistancePu / voltagePu ** 2;
        const active = activePu * share;
        const reactive = reactivePu * share * reactivePerActive;
        rate += perVoltage * (sign === 'signed' ? active + reactive : Math.abs(active) + Math.abs(reactive));
      });
      return rate;
    }),
  );
}

/** Active losses of a power flow, MW: those due to active flows and those due to reactive ones (section 9, step 2). */
export function networkLossMw(
  network: Network,
  flow: PowerFlow,
): { readonly activeMw: number; readonly reactiveMw: number } {
  const loss = { activeMw: 0, reactiveMw: 0 };
  network.branches.forEach((branch, l) => {
    const { activePu, reactivePu, voltagePu } = flow.branches[l]!;
    const perVoltage = (branch.resistancePu / voltagePu ** 2) * network.baseMva;
    loss.activeMw += perVoltage * activePu ** 2;
    loss.reactiveMw += perVoltage * reactivePu ** 2;
  });
  return loss;
}

/** Where on the network a prosumer is: the place of its bus in `network.buses`, and how far it lives from it. */
export interface NetworkLocation {
  readonly bus: number;
  readonly distanceKm: number;
}

/**
 * Loss rates between prosumers on a network whose unsigned bus rates are given; the EDC is at the slack bus. The way
 * to the bus counts too, so that neighbours on one bus do not trade for free.
 */
export function networkLoss(
  network: Network,
  busRates: readonly (readonly number[])[],
  locations: readonly NetworkLocation[],
  lossPerKm: number = DEFAULT_LOSS_PER_KM,
): LossRates {
  const slack = slackBus(network);
  const toBus = (i: number) => lossPerKm * locations[i]!.distanceKm;
  return {
    size: locations.length,
    rateEdc: (i) => busRates[locations[i]!.bus]![slack]! + toBus(i),
    rate: (i, j) => busRates[locations[i]!.bus]![locations[j]!.bus]! + toBus(i) + toBus(j),
  };
}

/** Power that moves from one bus to another during a slot. */
export interface Exchange {
  readonly from: number;
  readonly to: number;
  readonly powerMw: number;
}

/**
 * Losses charged to each exchange, MW, so that they add up to `actualLossMw` (section 9, step 5): what the signed
 * rates miss is spread in proportion to what they charge. `exchanges` must decompose all injections, trades as well
 * as those with the EDC.
 */
export function allocateLosses(
  signedRates: readonly (readonly number[])[],
  exchanges: readonly Exchange[],
  actualLossMw: number,
): number[] {
  const charged = exchanges.map(({ from, to, powerMw }) => powerMw * signedRates[from]![to]!);
  const sum = charged.reduce((total, loss) => total + loss, 0);
  return charged.map((loss) => (sum === 0 ? actualLossMw / charged.length : (loss * actualLossMw) / sum));
}

/** Share of 1 MW from a bus to the slack that flows on each branch, in the DC approximation: `[branch][bus]`. */
function transferFactors(network: Network): number[][] {
  const slack = slackBus(network);
  const places = network.buses.map((_, i) => i).filter((i) => i !== slack);
  const admittance = places.map(() => places.map(() => 0));
  const at = (bus: number) => places.indexOf(bus);
  for (const branch of network.branches) {
    const strength = 1 / (branch.reactancePu * branch.tap);
    const [from, to] = [at(branch.from), at(branch.to)];
    if (from >= 0) admittance[from]![from]! += strength;
    if (to >= 0) admittance[to]![to]! += strength;
    if (from < 0 || to < 0) continue;
    admittance[from]![to]! -= strength;
    admittance[to]![from]! -= strength;
  }
  const factors = network.branches.map(() => network.buses.map(() => 0));
  for (const bus of places) {
    const angles = solveLinearSystem(
      admittance,
      places.map((place) => (place === bus ? 1 : 0)),
    );
    const angle = (place: number) => (place === slack ? 0 : angles[at(place)]!);
    network.branches.forEach((branch, l) => {
      factors[l]![bus] = (angle(branch.from) - angle(branch.to)) / (branch.reactancePu * branch.tap);
    });
  }
  return factors;
}
