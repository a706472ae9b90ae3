import type { Arithmetic } from './arithmetic.ts';
import { largest, largestGain, type TransportProblem, type TransportSolution } from './transport.ts';

/**
 * Among all optimal flows of `problem`, the one whose entries, read row by row, are lexicographically largest.
 *
 * A flow is optimal exactly when it is complementary to one optimal dual, so it moves only on arcs with zero reduced
 * cost and leaves supply or demand over only where the price is zero. Each arc in turn is raised as far as those
 * rules allow (a maximum flow from its buyer back to its seller) and then frozen.
 */
export function lexicographicallyLargest<T>(
  arithmetic: Arithmetic<T>,
  problem: TransportProblem<T>,
  solution: TransportSolution<T>,
): TransportSolution<T> {
  const { add, subtract, compare } = arithmetic;
  const sellers = problem.supply.length;
  const buyers = problem.demand.length;
  const energyZero = arithmetic.tolerance(largest(arithmetic, [...problem.supply, ...problem.demand]));
  const gainZero = arithmetic.tolerance(largestGain(arithmetic, problem.gain));
  const positive = (energy: T) => compare(energy, energyZero) > 0;
  const free = (price: T) => compare(price, gainZero) <= 0;

  const flow = solution.flow.map((row) => [...row]);
  const supplyLeft = [...solution.supplyLeft];
  const demandLeft = [...solution.demandLeft];
  const supplyFree = solution.supplyPrice.map(free);
  const demandFree = solution.demandPrice.map(free);
  const open = problem.gain.map((row, i) =>
    row.map((g, j) => g !== undefined && free(subtract(add(solution.supplyPrice[i]!, solution.demandPrice[j]!), g))),
  );

  // Nodes: sellers, then buyers, then the grid, which takes what is not traded and gives what is not delivered.
  const grid = sellers + buyers;
  const residual = (from: number, to: number): T | 'unlimited' | undefined => {
    if (from < sellers && to >= sellers && to < grid) return open[from]![to - sellers] ? 'unlimited' : undefined;
    if (to < sellers && from >= sellers && from < grid)
      return open[to]![from - sellers] ? flow[to]![from - sellers]! : undefined;
    if (from === grid && to < sellers) return supplyFree[to] ? supplyLeft[to]! : undefined;
    if (to === grid && from < sellers)
      return supplyFree[from] ? subtract(problem.supply[from]!, supplyLeft[from]!) : undefined;
    if (to === grid && from < grid) return demandFree[from - sellers] ? demandLeft[from - sellers]! : undefined;
    if (from === grid && to < grid) {
      return demandFree[to - sellers] ? subtract(problem.demand[to - sellers]!, demandLeft[to - sellers]!) : undefined;
    }
    return undefined;
  };
  const push = (from: number, to: number, amount: T) => {
    if (from < sellers && to < grid) flow[from]![to - sellers] = add(flow[from]![to - sellers]!, amount);
    else if (to < sellers && from < grid) flow[to]![from - sellers] = subtract(flow[to]![from - sellers]!, amount);
    else if (from === grid && to < sellers) supplyLeft[to] = subtract(supplyLeft[to]!, amount);
    else if (from === grid) demandLeft[to - sellers] = add(demandLeft[to - sellers]!, amount);
    else if (from < sellers) supplyLeft[from] = add(supplyLeft[from]!, amount);
    else demandLeft[from - sellers] = subtract(demandLeft[from - sellers]!, amount);
  };

  for (let i = 0; i < sellers; i++) {
    for (let j = 0; j < buyers; j++) {
      if (!open[i]![j]) continue;
      open[i]![j] = false;
      for (let path = findPath(sellers + j, i); path !== undefined; path = findPath(sellers + j, i)) {
        let amount: T | undefined;
        for (let step = 1; step < path.length; step++) {
          const capacity = residual(path[step - 1]!, path[step]!);
          if (capacity === undefined || capacity === 'unlimited') continue;
          if (amount === undefined || compare(capacity, amount) < 0) amount = capacity;
        }
        // Every path leaves a buyer, along a used arc or towards the grid, and both are limited.
        const moved = amount!;
        for (let step = 1; step < path.length; step++) push(path[step - 1]!, path[step]!, moved);
        flow[i]![j] = add(flow[i]![j]!, moved);
      }
    }
  }

  /** Nodes of a shortest residual path, ends included. */
  function findPath(start: number, end: number): number[] | undefined {
    const cameFrom = new Array<number>(grid + 1).fill(-1);
    cameFrom[start] = start;
    const queue = [start];
    for (let head = 0; head < queue.length; head++) {
      const node = queue[head]!;
      if (node === end) break;
      for (let next = 0; next <= grid; next++) {
        if (cameFrom[next] !== -1) continue;
        const capacity = residual(node, next);
        if (capacity === undefined || (capacity !== 'unlimited' && !positive(capacity))) continue;
        cameFrom[next] = node;
        queue.push(next);
      }
    }
    if (cameFrom[end] === -1) return undefined;
    const path = [end];
    for (let node = end; node !== start; ) {
      node = cameFrom[node]!;
      path.unshift(node);
    }
    return path;
  }

  return { flow, supplyLeft, demandLeft, supplyPrice: solution.supplyPrice, demandPrice: solution.demandPrice };
}
