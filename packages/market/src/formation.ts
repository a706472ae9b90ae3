import { arcSaving, type CoalitionModel, type CoalitionOutcome, optimizeLoss, sidesOf } from './coalition-problem.ts';
import { findParetoSplit } from './pareto-split.ts';
import { PriorityQueue } from './priority-queue.ts';

export interface FormationOptions {
  /** A merge or pair that would have more members is inadmissible. */
  readonly maxCoalitionSize: number;
  /** Search for splits after each round of merges. Needed only where `v` is not superadditive (forced trading). */
  readonly searchSplits: boolean;
}

/**
 * One accepted change of the partition: the coalitions that it replaced, those that it made, and what it added to the
 * sum of savings.
 */
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
  /** The one with the lowest member first. */
  readonly parts: readonly [CoalitionOutcome<T>, CoalitionOutcome<T>];
  readonly union: CoalitionOutcome<T>;
  readonly gain: T;
}

/**
 * Merge-and-split from the initial pairs until nothing changes (section 4.3). Always ends: every accepted step raises
 * the sum of savings, and there are finitely many partitions.
 *
 * Each pair of coalitions is looked at once, and only pairs that a profitable arc connects (section 10).
 */
export function formCoalitions<T>(model: CoalitionModel<T>, options: FormationOptions): Formation<T> {
  const { compare, add, subtract, zero } = model.arithmetic;
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
  const sum = (outcomes: readonly CoalitionOutcome<T>[]) =>
    outcomes.reduce((total, { value }) => add(total, value), zero);

  /** Which coalition each prosumer is in now. */
  const coalitionOf: CoalitionOutcome<T>[] = Array.from({ length: model.size }, (_, i) => solve([i]));
  const isAlive = (coalition: CoalitionOutcome<T>) => coalitionOf[coalition.members[0]!] === coalition;
  const partition = () => [...new Set(coalitionOf)];
  const steps: FormationStep<T>[] = [];
  const accept = (
    kind: FormationStep<T>['kind'],
    before: readonly CoalitionOutcome<T>[],
    after: readonly CoalitionOutcome<T>[],
  ) => {
    steps.push({ kind, before, after, gain: subtract(sum(after), sum(before)) });
    for (const coalition of after) for (const i of coalition.members) coalitionOf[i] = coalition;
  };

  const partitions = [membersOf(partition())];
  if (options.maxCoalitionSize >= 2) {
    for (const [seller, buyer] of initialPairs(model)) {
      accept('pair', [coalitionOf[seller]!, coalitionOf[buyer]!], [solve(ascending([seller, buyer]))]);
    }
  }
  partitions.push(membersOf(partition()));

  const partners = tradingPartners(model);
  const neighboursOf = (coalition: CoalitionOutcome<T>) =>
    new Set(coalition.members.flatMap((i) => partners[i]!.map((j) => coalitionOf[j]!)).filter((c) => c !== coalition));
  const evaluate = (a: CoalitionOutcome<T>, b: CoalitionOutcome<T>): Merge<T> | undefined => {
    if (a.members.length + b.members.length > options.maxCoalitionSize) return undefined;
    const union = solve(ascending([...a.members, ...b.members]));
    const gain = subtract(union.value, sum([a, b]));
    if (compare(gain, model.paretoTolerance) <= 0 || !dominates(model, [union], [a, b])) return undefined;
    return { parts: a.members[0]! < b.members[0]! ? [a, b] : [b, a], union, gain };
  };

  let rounds = 0;
  let merges = 0;
  let splits = 0;
  for (let changed = true; changed; ) {
    changed = false;
    rounds += 1;
    const possible = new PriorityQueue<Merge<T>>(byGain(model));
    for (const a of partition()) {
      for (const b of neighboursOf(a)) {
        const merge = a.members[0]! < b.members[0]! ? evaluate(a, b) : undefined;
        if (merge !== undefined) possible.push(merge);
      }
    }
    for (let best = possible.pop(); best !== undefined; best = possible.pop()) {
      if (!best.parts.every(isAlive)) continue;
      accept('merge', best.parts, [best.union]);
      merges += 1;
      changed = true;
      for (const other of neighboursOf(best.union)) {
        const merge = evaluate(other, best.union);
        if (merge !== undefined) possible.push(merge);
      }
    }
    if (options.searchSplits) {
      const unsplit = partition();
      for (let coalition = unsplit.pop(); coalition !== undefined; coalition = unsplit.pop()) {
        const parts = findParetoSplit(coalition, solve, (after, before) => dominates(model, after, before));
        if (parts === undefined) continue;
        accept('split', [coalition], parts);
        splits += 1;
        changed = true;
        unsplit.push(...parts);
      }
    }
    partitions.push(membersOf(partition()));
  }
  return {
    coalitions: partition().sort((a, b) => a.members[0]! - b.members[0]!),
    partitions,
    steps,
    rounds,
    merges,
    splits,
    problemsSolved: solved.size,
  };
}

/** Larger gain first; ties by the lowest members of the parts, so that the order of evaluation decides nothing. */
function byGain<T>(model: CoalitionModel<T>): (a: Merge<T>, b: Merge<T>) => number {
  return (a, b) =>
    model.arithmetic.compare(b.gain, a.gain) ||
    a.parts[0].members[0]! - b.parts[0].members[0]! ||
    a.parts[1].members[0]! - b.parts[1].members[0]!;
}

/** Per prosumer, those it could trade with at a saving. */
function tradingPartners<T>(model: CoalitionModel<T>): number[][] {
  const { compare, zero } = model.arithmetic;
  const everyone = Array.from({ length: model.size }, (_, i) => i);
  const { sellers, buyers } = sidesOf(model, everyone);
  const partners: number[][] = everyone.map(() => []);
  for (const i of sellers) {
    for (const j of buyers) {
      const saving = arcSaving(model, i, j);
      if (compare(saving, zero) <= 0 || model.arcWeight(i, j, saving) === undefined) continue;
      partners[i]!.push(j);
      partners[j]!.push(i);
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
