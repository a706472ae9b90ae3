import type { Arithmetic } from './arithmetic.ts';
import { lexicographicallyLargest } from './lexicographic-flow.ts';
import { solveTransport, type TransportProblem } from './transport.ts';

/**
 * Everything that the coalition problem needs to know about a slot, in one arithmetic: kWh and fractions for studies,
 * Wh and half-ppb for the chain. Prosumers are indices `0 .. size - 1`.
 */
export interface CoalitionModel<T> {
  readonly arithmetic: Arithmetic<T>;
  readonly size: number;
  /** Energy that is for sale, zero for buyers and neutral prosumers. */
  readonly surplus: readonly T[];
  /** Energy that is wanted, zero for sellers and neutral prosumers. */
  readonly deficit: readonly T[];
  /** What `member` saves per unit of energy in a trade with `partner`, eq. 3.7: `r_i - a r_ij`. May be negative. */
  memberGain(member: number, partner: number): T;
  /**
   * Whether the trade loses less than either side's exchange with the EDC (section 4.1), and its loss rate to sort
   * by.
   */
  pairRate(seller: number, buyer: number): T | undefined;
  /** What the solver maximises per unit on an arc with saving `saving`: the saving itself, refined by a tie rule. */
  arcWeight(seller: number, buyer: number, saving: T): T | undefined;
  /** Smallest gain or loss of a member that counts (section 4.2); 0 in exact arithmetic. */
  readonly paretoTolerance: T;
}

export interface CoalitionTrade<T> {
  readonly seller: number;
  readonly buyer: number;
  readonly energy: T;
}

/** The solved coalition problem of one set of members. `saving[k]` belongs to `members[k]`; members ascend. */
export interface CoalitionOutcome<T> {
  readonly members: readonly number[];
  readonly trades: readonly CoalitionTrade<T>[];
  readonly saving: readonly T[];
  readonly value: T;
}

/** `s_ij` of section 3: what both sides of a trade save together per unit of energy. */
export function arcSaving<T>(model: CoalitionModel<T>, seller: number, buyer: number): T {
  return model.arithmetic.add(model.memberGain(seller, buyer), model.memberGain(buyer, seller));
}

/** Sellers and buyers among `members`, in their order. */
export function sidesOf<T>(
  model: CoalitionModel<T>,
  members: readonly number[],
): { readonly sellers: readonly number[]; readonly buyers: readonly number[] } {
  const { compare, zero } = model.arithmetic;
  return {
    sellers: members.filter((i) => compare(model.surplus[i]!, zero) > 0),
    buyers: members.filter((i) => compare(model.deficit[i]!, zero) > 0),
  };
}

/**
 * The transport problem behind eqs. 3.11-3.15 for `sellers` and `buyers`, with the weights that decide ties or
 * without.
 */
export function transportProblem<T>(
  model: CoalitionModel<T>,
  sellers: readonly number[],
  buyers: readonly number[],
  weight: (seller: number, buyer: number, saving: T) => T | undefined,
): TransportProblem<T> {
  return {
    supply: sellers.map((i) => model.surplus[i]!),
    demand: buyers.map((j) => model.deficit[j]!),
    gain: sellers.map((i) => buyers.map((j) => weight(i, j, arcSaving(model, i, j)))),
  };
}

/**
 * OptimizeLoss(S), eqs. 3.7, 3.9, 3.11-3.15: the trades among `members` (ascending) that save most, made unique by the
 * model's tie rule and then by the lexicographic one, with each member's saving `save_i` and their sum `v(S)`.
 */
export function optimizeLoss<T>(model: CoalitionModel<T>, members: readonly number[]): CoalitionOutcome<T> {
  const { arithmetic } = model;
  const { add, multiply, compare, zero } = arithmetic;
  const { sellers, buyers } = sidesOf(model, members);
  const savingOf = new Map<number, T>(members.map((i) => [i, zero]));
  const trades: CoalitionTrade<T>[] = [];
  if (sellers.length > 0 && buyers.length > 0) {
    const problem = transportProblem(model, sellers, buyers, model.arcWeight);
    const { flow } = lexicographicallyLargest(arithmetic, problem, solveTransport(arithmetic, problem));
    const scale = sellers.reduce((sum, i) => add(sum, model.surplus[i]!), zero);
    const nothing = arithmetic.tolerance(scale);
    sellers.forEach((seller, a) => {
      buyers.forEach((buyer, b) => {
        const energy = flow[a]![b]!;
        if (compare(energy, nothing) <= 0) return;
        trades.push({ seller, buyer, energy });
        savingOf.set(seller, add(savingOf.get(seller)!, multiply(energy, model.memberGain(seller, buyer))));
        savingOf.set(buyer, add(savingOf.get(buyer)!, multiply(energy, model.memberGain(buyer, seller))));
      });
    });
  }
  const saving = members.map((i) => savingOf.get(i)!);
  return { members, trades, saving, value: saving.reduce(add, zero) };
}

/**
 * `v(S)` alone, for the free problem (arcs with a positive saving): cheaper than `optimizeLoss`, since every optimal
 * flow has the same value and no tie needs deciding.
 */
export function coalitionValue<T>(model: CoalitionModel<T>, members: readonly number[]): T {
  const { arithmetic } = model;
  const { add, multiply, compare, zero } = arithmetic;
  const { sellers, buyers } = sidesOf(model, members);
  if (sellers.length === 0 || buyers.length === 0) return zero;
  const problem = transportProblem(model, sellers, buyers, (_seller, _buyer, saving) =>
    compare(saving, zero) > 0 ? saving : undefined,
  );
  const { supplyPrice, demandPrice } = solveTransport(arithmetic, problem);
  let value = zero;
  supplyPrice.forEach((price, a) => {
    value = add(value, multiply(price, problem.supply[a]!));
  });
  demandPrice.forEach((price, b) => {
    value = add(value, multiply(price, problem.demand[b]!));
  });
  return value;
}
