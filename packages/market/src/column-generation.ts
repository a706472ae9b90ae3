import { realArithmetic } from './arithmetic.ts';
import { arcSaving, type CoalitionTrade, sidesOf } from './coalition-problem.ts';
import type { ProsumerMarket } from './prosumer-market.ts';
import { largestGain, solveTransport, type TransportProblem } from './transport.ts';

export interface GeneratedOptimum {
  readonly value: number;
  readonly trades: readonly CoalitionTrade<number>[];
  /** How often the problem was solved, and how many arcs it had in the end. */
  readonly passes: number;
  readonly arcs: number;
}

/**
 * The grand optimum of a large slot (section 10): solves it on a few arcs, prices the omitted ones with the duals, adds
 * those that would still save energy, and repeats until none would. The value is the same as with all arcs; which of
 * several optimal flows comes out is not fixed.
 *
 * `startsWith` says which arcs are there from the start, for example `nearestPartnerArcs`.
 */
export function generatedGrandOptimum(
  market: ProsumerMarket,
  startsWith: (seller: number, buyer: number) => boolean,
): GeneratedOptimum {
  const { model } = market;
  const { sellers, buyers } = sidesOf(
    model,
    Array.from({ length: market.size }, (_, i) => i),
  );
  const saving = sellers.map((i) => buyers.map((j) => arcSaving(model, i, j)));
  const gain: (number | undefined)[][] = sellers.map((i, a) =>
    buyers.map((j, b) => (saving[a]![b]! > 0 && startsWith(i, j) ? saving[a]![b]! : undefined)),
  );
  const problem: TransportProblem<number> = {
    supply: sellers.map((i) => model.surplus[i]!),
    demand: buyers.map((j) => model.deficit[j]!),
    gain,
  };
  const smallest = realArithmetic.tolerance(largestGain(realArithmetic, saving));
  for (let passes = 1; ; passes++) {
    const { flow, supplyPrice, demandPrice } = solveTransport(realArithmetic, problem);
    let added = 0;
    sellers.forEach((i, a) => {
      buyers.forEach((j, b) => {
        const rate = saving[a]![b]!;
        if (gain[a]![b] !== undefined || model.arcWeight(i, j, rate) === undefined) return;
        if (rate - supplyPrice[a]! - demandPrice[b]! <= smallest) return;
        gain[a]![b] = rate;
        added += 1;
      });
    });
    if (added > 0) continue;
    const trades = sellers.flatMap((seller, a) =>
      buyers.map((buyer, b) => ({ seller, buyer, energy: flow[a]![b]! })).filter(({ energy }) => energy > 0),
    );
    return {
      value: trades.reduce((sum, { seller, buyer, energy }) => sum + energy * arcSaving(model, seller, buyer), 0),
      trades,
      passes,
      arcs: gain.flat().filter((g) => g !== undefined).length,
    };
  }
}
