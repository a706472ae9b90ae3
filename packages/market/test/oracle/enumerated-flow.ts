/**
 * Slow and obviously right: looks at every integral flow. Small balances only.
 *
 * Returns the flow with the largest saving, then the largest tie weight, then the lexicographically largest entries; an
 * arc whose saving is not positive carries nothing.
 */
export function enumeratedFlow(
  supply: readonly bigint[],
  demand: readonly bigint[],
  saving: readonly (readonly bigint[])[],
  tieWeight: (a: number, b: number) => bigint,
): { readonly flow: bigint[][]; readonly value: bigint } {
  let best: { flow: bigint[][]; value: bigint; weight: bigint } | undefined;
  const flow = supply.map(() => demand.map(() => 0n));
  const left = { supply: [...supply], demand: [...demand] };

  const isLarger = (a: bigint[][], b: bigint[][]) => {
    const [left, right] = [a.flat(), b.flat()];
    const at = left.findIndex((x, k) => x !== right[k]);
    return at >= 0 && left[at]! > right[at]!;
  };
  const visit = (cell: number): void => {
    if (cell === supply.length * demand.length) {
      let value = 0n;
      let weight = 0n;
      flow.forEach((row, a) => {
        row.forEach((x, b) => {
          value += x * saving[a]![b]!;
          weight += x * tieWeight(a, b);
        });
      });
      const better =
        best === undefined ||
        value > best.value ||
        (value === best.value && (weight > best.weight || (weight === best.weight && isLarger(flow, best.flow))));
      if (better) best = { flow: flow.map((row) => [...row]), value, weight };
      return;
    }
    const a = Math.floor(cell / demand.length);
    const b = cell % demand.length;
    const mayCarry = (x: bigint) => x === 0n || (saving[a]![b]! > 0n && x <= left.supply[a]! && x <= left.demand[b]!);
    for (let x = 0n; mayCarry(x); x++) {
      flow[a]![b] = x;
      left.supply[a]! -= x;
      left.demand[b]! -= x;
      visit(cell + 1);
      left.supply[a]! += x;
      left.demand[b]! += x;
    }
    flow[a]![b] = 0n;
  };
  visit(0);
  return best!;
}
