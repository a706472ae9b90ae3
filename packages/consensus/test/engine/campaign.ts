import type { Strategy } from './adversary.ts';
import { type Coverage, Simulation, type SimulationOptions } from './simulation.ts';

export interface CampaignResult {
  /** `seed: what went wrong`. */
  readonly failures: string[];
  readonly brokenAgreements: number;
  readonly coverage: Coverage;
}

/** Quorum of `floor(2n/3) + 1` and the Byzantine members that liveness tolerates with it. */
export function toleratedFaults(members: number): { readonly quorum: number; readonly faults: number } {
  const quorum = Math.floor((2 * members) / 3) + 1;
  return { quorum, faults: members - quorum };
}

/** A world per seed whose network gets better and worse with it: short and long chaos, light and heavy loss, many crashes. */
export function roughWorld(seed: number, members: number, byzantine: number, strategy: Strategy): SimulationOptions {
  return {
    seed,
    members,
    byzantine,
    strategy,
    timelyFromMs: [500, 2000, 6000][seed % 3] as number,
    lossBefore: seed % 2 === 0 ? 0.05 : 0.3,
    crashBefore: seed % 5 === 0 ? 0.1 : 0.02,
    cutBetweenSides: seed % 7 < 2,
  };
}

export function campaign(
  seeds: number,
  options: (seed: number) => SimulationOptions,
  needsDecision = true,
): CampaignResult {
  const failures: string[] = [];
  let brokenAgreements = 0;
  const total: Record<string, number> = {};
  for (let seed = 1; seed <= seeds; seed++) {
    const { violations, allDecided, coverage } = new Simulation(options(seed)).run();
    if (violations.some((violation) => violation.startsWith('agreement'))) brokenAgreements += 1;
    for (const violation of violations) failures.push(`${seed}: ${violation}`);
    if (needsDecision && !allDecided && violations.length === 0) failures.push(`${seed}: not everybody decides`);
    for (const [name, count] of Object.entries(coverage)) total[name] = (total[name] ?? 0) + count;
  }
  return { failures, brokenAgreements, coverage: total as unknown as Coverage };
}
