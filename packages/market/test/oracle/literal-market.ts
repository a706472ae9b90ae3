import type { IntegerMarketInput } from '../../src/index.ts';
import { enumeratedFlow } from './enumerated-flow.ts';

interface Coalition {
  readonly members: readonly number[];
  readonly saving: ReadonlyMap<number, bigint>;
  readonly value: bigint;
  readonly trades: readonly { readonly seller: number; readonly buyer: number; readonly energyWh: bigint }[];
}

/**
 * Sections 3 and 4 read out loud, with every flow enumerated and every pair of coalitions looked at again after each
 * merge. Shares no code with the package.
 */
export function literalMarket(input: IntegerMarketInput) {
  const { balanceWh: balance, rateEdcPpb: rateEdc, ratePpb: rate } = input;
  const charged = input.lossCharge === 'half' ? 1n : 2n;
  const everyone = balance.map((_, i) => i);
  const gain = (i: number, j: number) => 2n * rateEdc[i]! - charged * rate[i]![j]!;

  const solve = (members: readonly number[]): Coalition => {
    const sellers = members.filter((i) => balance[i]! > 0n);
    const buyers = members.filter((i) => balance[i]! < 0n);
    const { flow, value } = enumeratedFlow(
      sellers.map((i) => balance[i]!),
      buyers.map((j) => -balance[j]!),
      sellers.map((i) => buyers.map((j) => gain(i, j) + gain(j, i))),
      (a, b) => input.tieWeight(sellers[a]!, buyers[b]!),
    );
    const saving = new Map(members.map((i) => [i, 0n]));
    const trades: { seller: number; buyer: number; energyWh: bigint }[] = [];
    sellers.forEach((seller, a) => {
      buyers.forEach((buyer, b) => {
        const energyWh = flow[a]![b]!;
        if (energyWh === 0n) return;
        trades.push({ seller, buyer, energyWh });
        saving.set(seller, saving.get(seller)! + energyWh * gain(seller, buyer));
        saving.set(buyer, saving.get(buyer)! + energyWh * gain(buyer, seller));
      });
    });
    return { members, saving, value, trades };
  };

  let coalitions = everyone.map((i) => solve([i]));
  const candidates = everyone
    .filter((i) => balance[i]! > 0n)
    .flatMap((i) => everyone.filter((j) => balance[j]! < 0n).map((j) => ({ i, j, r: rate[i]![j]! })))
    .filter(({ i, j, r }) => r < rateEdc[i]! && r < rateEdc[j]!)
    .sort((a, b) => (a.r < b.r ? -1 : a.r > b.r ? 1 : a.i - b.i || a.j - b.j));
  const paired = new Set<number>();
  for (const { i, j } of candidates) {
    if (paired.has(i) || paired.has(j) || input.maxCoalitionSize < 2) continue;
    paired.add(i).add(j);
    coalitions = [
      ...coalitions.filter(({ members }) => members[0] !== i && members[0] !== j),
      solve([i, j].sort((a, b) => a - b)),
    ];
  }

  let rounds = 0;
  let merges = 0;
  for (let changed = true; changed; ) {
    changed = false;
    rounds += 1;
    for (;;) {
      let best: { union: Coalition; parts: Coalition[]; gain: bigint } | undefined;
      // In order of lowest members, so that "strictly better" keeps the smallest pair among equals.
      const ordered = [...coalitions].sort((a, b) => a.members[0]! - b.members[0]!);
      for (let x = 0; x < ordered.length; x++) {
        for (let y = x + 1; y < ordered.length; y++) {
          const [a, b] = [ordered[x]!, ordered[y]!];
          const members = [...a.members, ...b.members].sort((p, q) => p - q);
          if (members.length > input.maxCoalitionSize) continue;
          const union = solve(members);
          const added = union.value - a.value - b.value;
          const before = (i: number) => a.saving.get(i) ?? b.saving.get(i)!;
          if (added <= 0n || members.some((i) => union.saving.get(i)! < before(i))) continue;
          if (best === undefined || added > best.gain) best = { union, parts: [a, b], gain: added };
        }
      }
      if (best === undefined) break;
      const { union, parts } = best;
      coalitions = [...coalitions.filter((c) => !parts.includes(c)), union];
      merges += 1;
      changed = true;
    }
  }
  const ordered = coalitions.sort((a, b) => a.members[0]! - b.members[0]!);
  return {
    coalitions: ordered.map(({ members }) => members),
    values: ordered.map(({ value }) => value),
    trades: ordered.flatMap(({ trades }) => trades).sort((a, b) => a.seller - b.seller || a.buyer - b.buyer),
    saving: everyone.map((i) => ordered.find(({ members }) => members.includes(i))!.saving.get(i)!),
    rounds,
    merges,
  };
}
