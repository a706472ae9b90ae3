/** A balanced transmission or distribution network in per unit, as MATPOWER cases describe it. */
export interface Network {
  readonly baseMva: number;
  /** Buses are referred to by their place in this list. */
  readonly buses: readonly Bus[];
  readonly branches: readonly Branch[];
}

export interface Bus {
  /** The number that the case gives it. */
  readonly number: number;
  readonly kind: 'slack' | 'pv' | 'pq';
  readonly loadMw: number;
  readonly loadMvar: number;
  readonly generationMw: number;
  /** Set point of slack and PV buses, and where the iteration starts for PQ buses. */
  readonly voltagePu: number;
  /** Shunt susceptance, MVAr injected at 1 pu. */
  readonly shuntMvar: number;
}

export interface Branch {
  /** Places in `buses`; the tap is on the `from` side. */
  readonly from: number;
  readonly to: number;
  readonly resistancePu: number;
  readonly reactancePu: number;
  readonly chargingPu: number;
  /** Off-nominal turns ratio; 1 for a line. */
  readonly tap: number;
}

/** A complex matrix as conductances and susceptances. */
export interface Admittance {
  readonly conductance: readonly (readonly number[])[];
  readonly susceptance: readonly (readonly number[])[];
}

/** Series admittance `1 / (r + jx)`. */
export function seriesAdmittance(branch: Branch): { readonly g: number; readonly b: number } {
  const square = branch.resistancePu ** 2 + branch.reactancePu ** 2;
  return { g: branch.resistancePu / square, b: -branch.reactancePu / square };
}

/** The bus admittance matrix (section 9, step 1). */
export function busAdmittance(network: Network): Admittance {
  const conductance = network.buses.map(() => network.buses.map(() => 0));
  const susceptance = network.buses.map(() => network.buses.map(() => 0));
  const add = (row: number, column: number, g: number, b: number) => {
    conductance[row]![column]! += g;
    susceptance[row]![column]! += b;
  };
  for (const branch of network.branches) {
    const { g, b } = seriesAdmittance(branch);
    const { from, to, tap } = branch;
    add(from, from, g / tap ** 2, (b + branch.chargingPu / 2) / tap ** 2);
    add(to, to, g, b + branch.chargingPu / 2);
    add(from, to, -g / tap, -b / tap);
    add(to, from, -g / tap, -b / tap);
  }
  network.buses.forEach((bus, i) => {
    add(i, i, 0, bus.shuntMvar / network.baseMva);
  });
  return { conductance, susceptance };
}

/** Place of the slack bus, where the EDC is connected. */
export function slackBus(network: Network): number {
  return network.buses.findIndex(({ kind }) => kind === 'slack');
}
