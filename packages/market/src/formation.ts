import { arcSaving, type CoalitionModel, type CoalitionOutcome, optimizeLoss, sidesOf } from './coalition-problem.ts';
import { findParetoSplit } from './pareto-split.ts';

export interface FormationOptions {
  /** A merge or pair that would have more members is inadmissible. */
  readonly maxCoalitionSize: number;
  /** Search for splits after each round of merges. Needed only where `v` is not superadditive (forced trading). */
  readonly searchSplits: boolean;
}

/** One accepted change of the partition. `outcomes` of the parts `before` and `after`, and what it added to the sum of savings. */
export interface FormationStep<T> {
  readonly kind: 'pair' | 'merge' | 'split';
  readonly before: readonly CoalitionOutcome<T>[];
  readonly after: readonly CoalitionOutcome<T>[];
  readonly gain: T;
}

export interface Formation<T> {
  /** Final partition, ordered by lowest member. */
  readonly coalitions: readonly CoalitionOutcome<T>[];
  /** Partitions after the singletons, the initial pairs and each round: the rows of thesis Table 3.2. */
  readonly partitions: readonly (readonly (readonly number[])[])[];
  readonly steps: readonly FormationStep<T>[];
  /** Passes, the last and unchanged one included. */
  readonly rounds: number;
  readonly merges: number;
  readonly splits: number;
  /** Coalition problems that had to be solved. */
  readonly problemsSolved: number;
}

/** Section 4.1: acceptable pairs by increasing loss rate, then seller, then buyer; each prosumer once. */
export function initialPairs<T>(model: CoalitionModel<T>): (readonly [number, number])[] {
  const everyone = Array.from({ length: model.size }, (_, i) => i);
  const { sellers, buyers } = sidesOf(model, everyone);
  const candidates: { readonly seller: number; readonly buyer: number; readonly rate: T }[] = [];
  for (const seller of sellers) {
    for (const buyer of buyers) {
      const rate = model.pairRate(seller, buyer);
      if (rate !== undefined) candidates.push({ seller, buyer, rate });
    }
  }
  candidates.sort((a, b) => model.arithmetic.compare(a.rate, b.rate) || a.seller - b.seller || a.buyer - b.buyer);
  const taken = new Set<number>();
  const pairs: (readonly [number, number])[] = [];
  for (const { seller, buyer } of candidates) {
    if (taken.has(seller) || taken.has(buyer)) continue;
    taken.add(seller).add(buyer);
    pairs.push([seller, buyer]);
  }
  return pairs;
}

/** Section 4.2: no member's saving falls by more than the tolerance from `before` to `after`, and one rises by more. */
export function dominates<T>(
  model: CoalitionModel<T>,
  after: readonly CoalitionOutcome<T>[],
  before: readonly CoalitionOutcome<T>[],
): boolean {
  const { compare, subtract, zero } = model.arithmetic;
  const savedBefore = new Map<number, T>();
  for (const { members, saving } of before) {
    for (let k = 0; k < members.length; k++) savedBefore.set(members[k]!, saving[k]!);
  }
  let rises = false;
  for (const outcome of after) {
    for (let k = 0; k < outcome.members.length; k++) {
      const change = subtract(outcome.saving[k]!, savedBefore.get(outcome.members[k]!)!);
      if (compare(subtract(zero, change), model.paretoTolerance) > 0) return false;
      if (compare(change, model.paretoTolerance) > 0) rises = true;
    }
  }
  return rises;
}

interface Merge<T> {
  readonly parts: readonly [CoalitionOutcome<T>, CoalitionOutcome<T>];
  readonly union: CoalitionOutcome<T>;
  readonly gain: T;
}

/**
 * Merge-and-split from the initial pairs until nothing changes (section 4.3). Always ends: every accepted step raises the
 * sum of savings, and there are finitely many partitions.
 */
export function formCoalitions<T>(model: CoalitionModel<T>, options: FormationOptions): Formation<T> {
  const { arithmetic } = model;
  const { compare, add, subtract } = arithmetic;
  const solved = new Map<string, CoalitionOutcome<T>>();
  const solve = (members: readonly number[]): CoalitionOutcome<T> => {
    const key = members.join();
    let outcome = solved.get(key);
    if (outcome === undefined) {
      outcome = optimizeLoss(model, members);
      solved.set(key, outcome);
    }
    return outcome;
  };
  const canTrade = tradingPartners(model);
  const steps: FormationStep<T>[] = [];
  const gainOf = (after: readonly CoalitionOutcome<T>[], before: readonly CoalitionOutcome<T>[]) =>
    subtract(
      after.reduce((sum, { value }) => add(sum, value), arithmetic.zero),
      before.reduce((sum, { value }) => add(sum, value), arithmetic.zero),
    );
  const accept = (
    kind: FormationStep<T>['kind'],
    after: readonly CoalitionOutcome<T>[],
    before: readonly CoalitionOutcome<T>[],
  ) => {
    steps.push({ kind, before, after, gain: gainOf(after, before) });
  };

  let coalitions: CoalitionOutcome<T>[] = Array.from({ length: model.size }, (_, i) => solve([i]));
  const partitions = [membersOf(coalitions)];
  if (options.maxCoalitionSize >= 2) {
    for (const [seller, buyer] of initialPairs(model)) {
      const before = [
        coalitions.find((c) => c.members[0] === seller)!,
        coalitions.find((c) => c.members[0] === buyer)!,
      ];
      const pair = solve(ascending([seller, buyer]));
      accept('pair', [pair], before);
      coalitions = [...coalitions.filter((c) => !before.includes(c)), pair];
    }
  }
  partitions.push(membersOf(coalitions));

  const evaluate = (a: CoalitionOutcome<T>, b: CoalitionOutcome<T>): Merge<T> | undefined => {
    if (a.members.length + b.members.length > options.maxCoalitionSize) return undefined;
    if (!a.members.some((i) => b.members.some((j) => canTrade[i]![j]))) return undefined;
    const union = solve(ascending([...a.members, ...b.members]));
    const gain = gainOf([union], [a, b]);
    if (compare(gain, model.paretoTolerance) <= 0 || !dominates(model, [union], [a, b])) return undefined;
    return { parts: a.members[0]! < b.members[0]! ? [a, b] : [b, a], union, gain };
  };
  /** Larger gain first; ties by the parts' lowest members, which makes the order of the list irrelevant. */
  const order = (a: Merge<T>, b: Merge<T>) =>
    compare(b.gain, a.gain) ||
    a.parts[0].members[0]! - b.parts[0].members[0]! ||
    a.parts[1].members[0]! - b.parts[1].members[0]!;

  let rounds = 0;
  let merges = 0;
  let splits = 0;
  for (let changed = true; changed; ) {
    changed = false;
    rounds += 1;
    let possible: Merge<T>[] = [];
    coalitions.forEach((a, at) => {
      for (const b of coalitions.slice(at + 1)) {
        const merge = evaluate(a, b);
        if (merge !== undefined) possible.push(merge);
      }
    });
    while (possible.length > 0) {
      const best = possible.reduce((a, b) => (order(b, a) < 0 ? b : a));
      accept('merge', [best.union], best.parts);
      merges += 1;
      changed = true;
      coalitions = coalitions.filter((c) => !best.parts.includes(c));
      possible = possible.filter(({ parts }) => !parts.some((part) => best.parts.includes(part)));
      for (const other of coalitions) {
        const merge = evaluate(other, best.union);
        if (merge !== undefined) possible.push(merge);
      }
      coalitions.push(best.union);
    }
    if (options.searchSplits) {
      for (let at = 0; at < coalitions.length; at++) {
        const parts = findParetoSplit(coalitions[at]!, solve, (after, before) => dominates(model, after, before));
        if (parts === undefined) continue;
        accept('split', parts, [coalitions[at]!]);
        splits += 1;
        changed = true;
        coalitions = [...coalitions.filter((_, k) => k !== at), ...parts];
        at = -1;
      }
    }
    partitions.push(membersOf(coalitions));
  }
  return {
    coalitions: [...coalitions].sort((a, b) => a.members[0]! - b.members[0]!),
    partitions,
    steps,
    rounds,
    merges,
    splits,
    problemsSolved: solved.size,
  };
}

/** `[i][j]`: a seller and a buyer whose trade saves energy. */
function tradingPartners<T>(model: CoalitionModel<T>): boolean[][] {
  const { compare, zero } = model.arithmetic;
  const everyone = Array.from({ length: model.size }, (_, i) => i);
  const { sellers, buyers } = sidesOf(model, everyone);
  const partners = everyone.map(() => everyone.map(() => false));
  for (const i of sellers) {
    for (const j of buyers) {
      if (compare(arcSaving(model, i, j), zero) <= 0) continue;
      partners[i]![j] = true;
      partners[j]![i] = true;
    }
  }
  return partners;
}

function ascending(members: readonly number[]): number[] {
  return [...members].sort((a, b) => a - b);
}

function membersOf<T>(coalitions: readonly CoalitionOutcome<T>[]): number[][] {
  return coalitions.map(({ members }) => [...members]).sort((a, b) => a[0]! - b[0]!);
}
