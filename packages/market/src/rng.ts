/** A source of uniform numbers in [0, 1), given by the caller: this package never draws its own randomness. */
export type Rng = () => number;

/** A uniformly random order of `items` (Fisher-Yates). */
export function shuffled<T>(items: readonly T[], rng: Rng): T[] {
  const order = [...items];
  for (let last = order.length - 1; last > 0; last--) {
    const pick = Math.floor(rng() * (last + 1));
    [order[last], order[pick]] = [order[pick]!, order[last]!];
  }
  return order;
}
