import { MarketError } from './errors.ts';
import { solveLinearSystem } from './linear-system.ts';
import { busAdmittance, type Network, seriesAdmittance, slackBus } from './network.ts';

export interface PowerFlow {
  readonly voltagePu: readonly number[];
  readonly angleRad: readonly number[];
  /** Net active injection per bus; the slack's follows from the solution. */
  readonly injectionMw: readonly number[];
  readonly iterations: number;
  /** Per branch, what enters its series impedance behind tap and charging, per unit. */
  readonly branches: readonly BranchFlow[];
}

export interface BranchFlow {
  readonly activePu: number;
  readonly reactivePu: number;
  /** Voltage where the flow enters. */
  readonly voltagePu: number;
}

const MISMATCH_PU = 1e-10;
const MAX_ITERATIONS = 20;

/**
 * AC power flow by Newton-Raphson in polar form from a flat start (section 9, steps 1 and 2).
 *
 * @throws MarketError MARKET_INVALID_INPUT when it does not converge.
 */
export function solvePowerFlow(network: Network): PowerFlow {
  const { buses, baseMva } = network;
  const { conductance, susceptance } = busAdmittance(network);
  const voltage = buses.map(({ kind, voltagePu }) => (kind === 'pq' ? 1 : voltagePu));
  const angle = buses.map(() => 0);
  const slack = slackBus(network);
  const places = buses.map((_, i) => i);
  const angles = places.filter((i) => i !== slack);
  const magnitudes = places.filter((i) => buses[i]!.kind === 'pq');
  const wantedP = buses.map(({ generationMw, loadMw }) => (generationMw - loadMw) / baseMva);
  const wantedQ = buses.map(({ loadMvar }) => -loadMvar / baseMva);

  const along = (i: number, k: number) => {
    const between = angle[i]! - angle[k]!;
    const product = voltage[i]! * voltage[k]!;
    const [g, b] = [conductance[i]![k]!, susceptance[i]![k]!];
    return {
      active: product * (g * Math.cos(between) + b * Math.sin(between)),
      reactive: product * (g * Math.sin(between) - b * Math.cos(between)),
    };
  };
  const injections = () => {
    const active = places.map((i) => places.reduce((sum, k) => sum + along(i, k).active, 0));
    const reactive = places.map((i) => places.reduce((sum, k) => sum + along(i, k).reactive, 0));
    return { active, reactive };
  };

  for (let iterations = 0; iterations <= MAX_ITERATIONS; iterations++) {
    const { active, reactive } = injections();
    const mismatch = [
      ...angles.map((i) => wantedP[i]! - active[i]!),
      ...magnitudes.map((i) => wantedQ[i]! - reactive[i]!),
    ];
    if (Math.max(...mismatch.map(Math.abs)) < MISMATCH_PU) {
      return {
        voltagePu: voltage,
        angleRad: angle,
        injectionMw: active.map((power) => power * baseMva),
        iterations,
        branches: branchFlows(network, voltage, angle),
      };
    }
    // Rows: active mismatch at all but the slack, reactive at PQ buses. Columns: angles, then relative magnitudes.
    const row = (i: number, isActive: boolean) => [
      ...angles.map((k) => {
        if (i !== k) return isActive ? along(i, k).reactive : -along(i, k).active;
        const self = voltage[i]! ** 2;
        return isActive ? -reactive[i]! - susceptance[i]![i]! * self : active[i]! - conductance[i]![i]! * self;
      }),
      ...magnitudes.map((k) => {
        if (i !== k) return isActive ? along(i, k).active : along(i, k).reactive;
        const self = voltage[i]! ** 2;
        return isActive ? active[i]! + conductance[i]![i]! * self : reactive[i]! - susceptance[i]![i]! * self;
      }),
    ];
    const jacobian = [...angles.map((i) => row(i, true)), ...magnitudes.map((i) => row(i, false))];
    const step = solveLinearSystem(jacobian, mismatch);
    angles.forEach((i, at) => {
      angle[i]! += step[at]!;
    });
    magnitudes.forEach((i, at) => {
      voltage[i]! *= 1 + step[angles.length + at]!;
    });
  }
  throw new MarketError('MARKET_INVALID_INPUT', `network has no power flow within ${MAX_ITERATIONS} iterations`, {
    field: 'network',
  });
}

function branchFlows(network: Network, voltage: readonly number[], angle: readonly number[]): BranchFlow[] {
  return network.branches.map((branch) => {
    const { g, b } = seriesAdmittance(branch);
    const behindTap = voltage[branch.from]! / branch.tap;
    const far = voltage[branch.to]!;
    const between = angle[branch.from]! - angle[branch.to]!;
    return {
      activePu: behindTap ** 2 * g - behindTap * far * (g * Math.cos(between) + b * Math.sin(between)),
      reactivePu: -(behindTap ** 2) * b - behindTap * far * (g * Math.sin(between) - b * Math.cos(between)),
      voltagePu: behindTap,
    };
  });
}
