import type { Arithmetic } from './arithmetic.ts';

/**
 * Maximise `sum gain[i][j] * flow[i][j]` with row sums at most `supply`, column sums at most `demand`, flow >= 0.
 * An arc whose gain is `undefined` carries nothing. All supplies and demands are >= 0.
 */
export interface TransportProblem<T> {
  readonly supply: readonly T[];
  readonly demand: readonly T[];
  readonly gain: readonly (readonly (T | undefined)[])[];
}

/**
 * An optimal flow and an optimal dual: `gain[i][j] <= supplyPrice[i] + demandPrice[j]`, both prices >= 0, and a price
 * is positive only where the supply or demand is exhausted.
 */
export interface TransportSolution<T> {
  readonly flow: T[][];
  readonly supplyLeft: T[];
  readonly demandLeft: T[];
  readonly supplyPrice: T[];
  readonly demandPrice: T[];
}

/**
 * Successive shortest paths with potentials (Dijkstra on reduced costs `-gain`), from the empty flow until no path
 * gains. With integers the result is exact. Which of several optimal flows comes out is an accident of the search
 * order: `lexicographicallyLargest` makes it unique.
 */
export function solveTransport<T>(arithmetic: Arithmetic<T>, problem: TransportProblem<T>): TransportSolution<T> {
  const { zero, add, subtract, compare } = arithmetic;
  const { gain } = problem;
  const sellers = problem.supply.length;
  const buyers = problem.demand.length;
  const supplyLeft = [...problem.supply];
  const demandLeft = [...problem.demand];
  const energyZero = arithmetic.tolerance(largest(arithmetic, [...problem.supply, ...problem.demand]));
  const gainZero = arithmetic.tolerance(largestGain(arithmetic, gain));
  const flow = problem.supply.map(() => problem.demand.map(() => zero));
  const positive = (energy: T) => compare(energy, energyZero) > 0;
  const arcsFrom = gain.map((row) => row.flatMap((g, j) => (g === undefined ? [] : [j])));

  // Potentials are distances from a source that feeds every seller. Costs are negative, hence so are the buyers' ones.
  const sellerPotential: T[] = problem.supply.map(() => zero);
  const buyerPotential: T[] = problem.demand.map((_, j) => {
    let best = zero;
    for (let i = 0; i < sellers; i++) {
      const g = gain[i]![j];
      if (g !== undefined && compare(subtract(zero, g), best) < 0) best = subtract(zero, g);
    }
    return best;
  });
  let sinkPotential = zero;
  for (const potential of buyerPotential) if (compare(potential, sinkPotential) < 0) sinkPotential = potential;

  const reached = (i: number, j: number, g: T) => {
    const cost = subtract(subtract(sellerPotential[i]!, g), buyerPotential[j]!);
    return compare(cost, zero) < 0 ? zero : cost;
  };

  for (;;) {
    if (compare(subtract(zero, sinkPotential), gainZero) <= 0) break;
    const sellerDistance: (T | undefined)[] = supplyLeft.map((left) => (positive(left) ? zero : undefined));
    const buyerDistance: (T | undefined)[] = demandLeft.map(() => undefined);
    const sellerDone: boolean[] = supplyLeft.map(() => false);
    const buyerDone: boolean[] = demandLeft.map(() => false);
    const buyerFrom: number[] = demandLeft.map(() => -1);
    const sellerFrom: number[] = supplyLeft.map(() => -1);
    // Beyond `limit` a path either loses or is no better than the best one found to a buyer with demand left.
    let limit = subtract(zero, sinkPotential);
    let target = -1;
    for (;;) {
      let nearest = -1;
      let nearestDistance = limit;
      for (let i = 0; i < sellers; i++) {
        const d = sellerDistance[i];
        if (d !== undefined && !sellerDone[i] && compare(d, nearestDistance) < 0) {
          nearest = i;
          nearestDistance = d;
        }
      }
      for (let j = 0; j < buyers; j++) {
        const d = buyerDistance[j];
        if (d !== undefined && !buyerDone[j] && compare(d, nearestDistance) < 0) {
          nearest = sellers + j;
          nearestDistance = d;
        }
      }
      if (nearest < 0) break;
      if (nearest < sellers) {
        const i = nearest;
        sellerDone[i] = true;
        for (const j of arcsFrom[i]!) {
          if (buyerDone[j]) continue;
          const d = add(nearestDistance, reached(i, j, gain[i]![j]!));
          const known = buyerDistance[j];
          if (known === undefined || compare(d, known) < 0) {
            buyerDistance[j] = d;
            buyerFrom[j] = i;
          }
        }
      } else {
        const j = nearest - sellers;
        buyerDone[j] = true;
        if (positive(demandLeft[j]!)) {
          const toSink = add(nearestDistance, subtract(buyerPotential[j]!, sinkPotential));
          if (compare(toSink, limit) < 0) {
            limit = toSink;
            target = j;
          }
        }
        for (let i = 0; i < sellers; i++) {
          // Taking energy back along a used arc costs nothing in reduced cost: used arcs are tight.
          if (sellerDone[i] || !positive(flow[i]![j]!)) continue;
          const known = sellerDistance[i];
          if (known === undefined || compare(nearestDistance, known) < 0) {
            sellerDistance[i] = nearestDistance;
            sellerFrom[i] = j;
          }
        }
      }
    }
    const capped = (d: T | undefined) => (d === undefined || compare(d, limit) > 0 ? limit : d);
    for (let i = 0; i < sellers; i++) sellerPotential[i] = add(sellerPotential[i]!, capped(sellerDistance[i]));
    for (let j = 0; j < buyers; j++) buyerPotential[j] = add(buyerPotential[j]!, capped(buyerDistance[j]));
    sinkPotential = add(sinkPotential, limit);
    if (target < 0) break;
    augment(target, buyerFrom, sellerFrom);
  }

  function augment(target: number, buyerFrom: readonly number[], sellerFrom: readonly number[]): void {
    let amount = demandLeft[target]!;
    let first = buyerFrom[target]!;
    for (let back = sellerFrom[first]!; back >= 0; back = sellerFrom[first]!) {
      if (compare(flow[first]![back]!, amount) < 0) amount = flow[first]![back]!;
      first = buyerFrom[back]!;
    }
    if (compare(supplyLeft[first]!, amount) < 0) amount = supplyLeft[first]!;
    supplyLeft[first] = subtract(supplyLeft[first]!, amount);
    demandLeft[target] = subtract(demandLeft[target]!, amount);
    for (let j = target; j >= 0; ) {
      const i = buyerFrom[j]!;
      flow[i]![j] = add(flow[i]![j]!, amount);
      j = sellerFrom[i]!;
      if (j >= 0) flow[i]![j] = subtract(flow[i]![j]!, amount);
    }
  }

  const nonNegative = (price: T) => (compare(price, zero) < 0 ? zero : price);
  return {
    flow,
    supplyLeft,
    demandLeft,
    supplyPrice: sellerPotential.map(nonNegative),
    demandPrice: buyerPotential.map((potential) => nonNegative(subtract(zero, potential))),
  };
}

/** The largest of non-negative values, zero for none. */
export function largest<T>(arithmetic: Arithmetic<T>, values: readonly T[]): T {
  return values.reduce((best, value) => (arithmetic.compare(value, best) > 0 ? value : best), arithmetic.zero);
}

/** The largest gain of any arc, zero for none. */
export function largestGain<T>(arithmetic: Arithmetic<T>, gain: readonly (readonly (T | undefined)[])[]): T {
  return largest(
    arithmetic,
    gain.flat().filter((g): g is T => g !== undefined),
  );
}
