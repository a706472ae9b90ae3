import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HALF_NANO_WH_PER_WH, type IntegerMarketInput, settleMarket, shapleyHalfNanoWh } from '../src/index.ts';
import { enumeratedFlow } from './oracle/enumerated-flow.ts';
import { literalMarket } from './oracle/literal-market.ts';
import { SEED, scatteredInput, tiedInput } from './random-inputs.ts';

const sum = (values: readonly bigint[]) => values.reduce((total, value) => total + value, 0n);

/** The same slot with member `order[k]` listed at place `k`. */
function relisted(input: IntegerMarketInput, order: readonly number[]): IntegerMarketInput {
  return {
    ...input,
    balanceWh: order.map((i) => input.balanceWh[i]!),
    rateEdcPpb: order.map((i) => input.rateEdcPpb[i]!),
    ratePpb: order.map((i) => order.map((j) => input.ratePpb[i]![j]!)),
    tieWeight: (i, j) => input.tieWeight(order[i]!, order[j]!),
  };
}

/** Two sellers on one bus, two buyers on another, 1 Wh each: both assignments save the same. */
function twoBusTie(tieWeight: IntegerMarketInput['tieWeight']): IntegerMarketInput {
  const bus = [0, 0, 1, 1];
  return {
    balanceWh: [1n, 1n, -1n, -1n],
    rateEdcPpb: [30n, 30n, 40n, 40n],
    ratePpb: bus.map((a) => bus.map((b) => (a === b ? 1n : 10n))),
    lossCharge: 'half',
    maxCoalitionSize: 12,
    tieWeight,
  };
}

describe('settleMarket agrees with the literal reading of the rules', () => {
  test('on small slots full of ties', () => {
    fc.assert(
      fc.property(tiedInput(6, 3n), (input) => {
        const outcome = settleMarket(input);
        const literal = literalMarket(input);
        expect(outcome.coalitions.map(({ members }) => members)).toEqual(literal.coalitions);
        expect(outcome.coalitions.map(({ valueHalfNanoWh }) => valueHalfNanoWh)).toEqual(literal.values);
        expect(outcome.trades).toEqual(literal.trades);
        expect(outcome.savingHalfNanoWh).toEqual(literal.saving);
        expect([outcome.rounds, outcome.merges]).toEqual([literal.rounds, literal.merges]);
      }),
      { seed: SEED, numRuns: 600 },
    );
  });

  test('on small slots without ties', () => {
    fc.assert(
      fc.property(scatteredInput(6, 4n), (input) => {
        const outcome = settleMarket(input);
        const literal = literalMarket(input);
        expect(outcome.coalitions.map(({ members }) => members)).toEqual(literal.coalitions);
        expect(outcome.trades).toEqual(literal.trades);
      }),
      { seed: SEED, numRuns: 150 },
    );
  });
});

describe('ties on one bus', () => {
  const assignment = (input: IntegerMarketInput) =>
    settleMarket(input).trades.map(({ seller, buyer }) => [seller, buyer]);
  /** All four in one coalition from the start of the merge: the pairs {0,2} and {1,3} gain nothing by merging. */
  const inOneCoalition = (tieWeight: IntegerMarketInput['tieWeight']) => ({
    ...twoBusTie(tieWeight),
    balanceWh: [2n, 1n, -1n, -2n],
  });

  test('pairs go to the lower ranks', () => {
    expect(assignment(twoBusTie(() => 0n))).toEqual([
      [0, 2],
      [1, 3],
    ]);
  });

  test('flows go to the larger tie weight', () => {
    // Seller 0 has 2 Wh for buyers 2 and 3; all flows that serve everybody tie.
    const favouring = (a: number, b: number) => (i: number, j: number) =>
      (i === a && j === b) || (i === b && j === a) ? 7n : 0n;
    expect(assignment(inOneCoalition(favouring(1, 2)))).toEqual([
      [0, 3],
      [1, 2],
    ]);
    expect(assignment(inOneCoalition(favouring(1, 3)))).toEqual([
      [0, 2],
      [0, 3],
      [1, 3],
    ]);
  });

  test('sorting by public key first makes the order of the announcements irrelevant', () => {
    // Excess supply: of three sellers on one bus somebody stays unserved, and only the rule can say who.
    const bus = [0, 0, 0, 1, 1];
    const announced = {
      ...twoBusTie(() => 0n),
      balanceWh: [2n, 2n, 2n, -1n, -2n],
      rateEdcPpb: bus.map((b) => (b === 0 ? 30n : 40n)),
      ratePpb: bus.map((a) => bus.map((b) => (a === b ? 1n : 10n))),
    };
    const keys = ['c4', '0b', '9e', '77', '15'];
    const settleAnnounced = (arrival: readonly number[]) => {
      const ranked = [...arrival].sort((a, b) => (keys[a]! < keys[b]! ? -1 : 1));
      const weight = (i: number, j: number) =>
        BigInt((Number.parseInt(keys[i]!, 16) * Number.parseInt(keys[j]!, 16)) % 251);
      const outcome = settleMarket(relisted({ ...announced, tieWeight: weight }, ranked));
      return outcome.trades.map((t) => `${keys[ranked[t.seller]!]} -> ${keys[ranked[t.buyer]!]}: ${t.energyWh}`);
    };
    const expected = settleAnnounced([0, 1, 2, 3, 4]);
    expect(expected.length).toBeGreaterThan(1);
    for (const arrival of permutations([0, 1, 2, 3, 4])) expect(settleAnnounced(arrival)).toEqual(expected);
  });

  test('whichever assignment wins, every member saves the same', () => {
    const input = twoBusTie(() => 0n);
    for (const order of permutations([0, 1, 2, 3])) {
      const outcome = settleMarket(relisted(input, order));
      const saving = input.balanceWh.map((_, i) => outcome.savingHalfNanoWh[order.indexOf(i)]);
      // Per Wh: 2 * 30 - 10 for a seller, 2 * 40 - 10 for a buyer.
      expect(saving).toEqual([50n, 50n, 70n, 70n]);
    }
  });

  test('without tie weights, the lexicographically largest flow', () => {
    expect(assignment(inOneCoalition(() => 0n))).toEqual([
      [0, 2],
      [0, 3],
      [1, 3],
    ]);
  });
});

describe('properties of a settled slot', () => {
  const inputs = scatteredInput(16, 30_000n);
  const check = (property: (input: IntegerMarketInput) => void, numRuns = 100) =>
    fc.assert(fc.property(inputs, property), { seed: SEED, numRuns });

  test('energy is conserved to the Wh and trades stay between a seller and a buyer of one coalition', () => {
    check((input) => {
      const outcome = settleMarket(input);
      const coalitionOf = (i: number) => outcome.coalitions.findIndex(({ members }) => members.includes(i));
      for (const { seller, buyer, energyWh } of outcome.trades) {
        expect(energyWh > 0n && input.balanceWh[seller]! > 0n && input.balanceWh[buyer]! < 0n).toBe(true);
        expect(coalitionOf(seller)).toBe(coalitionOf(buyer));
      }
      input.balanceWh.forEach((balance, i) => {
        const sold = sum(outcome.trades.filter((t) => t.seller === i).map((t) => t.energyWh));
        const bought = sum(outcome.trades.filter((t) => t.buyer === i).map((t) => t.energyWh));
        expect(outcome.exportWh[i]! >= 0n && outcome.importWh[i]! >= 0n).toBe(true);
        expect(sold + outcome.exportWh[i]! - bought - outcome.importWh[i]!).toBe(balance);
      });
      expect(outcome.energyTradedWh).toBe(sum(outcome.trades.map((t) => t.energyWh)));
    });
  });

  test('coalitions are a partition within the size limit; neutral members stay alone', () => {
    check((input) => {
      const limited = { ...input, maxCoalitionSize: 4 };
      const { coalitions } = settleMarket(limited);
      expect(coalitions.flatMap(({ members }) => members).sort((a, b) => a - b)).toEqual(
        input.balanceWh.map((_, i) => i),
      );
      expect(coalitions.map(({ members }) => members[0])).toEqual(
        coalitions.map(({ members }) => Math.min(...members)).sort((a, b) => a - b),
      );
      for (const { members } of coalitions) {
        expect(members.length).toBeLessThanOrEqual(4);
        if (members.length === 1) continue;
        expect(members.some((i) => input.balanceWh[i]! > 0n) && members.some((i) => input.balanceWh[i]! < 0n)).toBe(
          true,
        );
        expect(members.every((i) => input.balanceWh[i] !== 0n)).toBe(true);
      }
    });
  });

  test('nobody is worse off than alone, and charged losses follow from the trades', () => {
    check((input) => {
      const outcome = settleMarket(input);
      const charge = input.lossCharge === 'half' ? 1n : 2n;
      input.balanceWh.forEach((_, i) => {
        const trades = outcome.trades.filter((t) => t.seller === i || t.buyer === i);
        const charged =
          sum(trades.map((t) => t.energyWh * charge * input.ratePpb[t.seller]![t.buyer]!)) +
          2n * (outcome.exportWh[i]! + outcome.importWh[i]!) * input.rateEdcPpb[i]!;
        expect(outcome.lossChargedHalfNanoWh[i]).toBe(charged);
        expect(outcome.savingHalfNanoWh[i]! >= 0n).toBe(true);
        expect(outcome.lossAloneHalfNanoWh[i]! - charged).toBe(outcome.savingHalfNanoWh[i]);
        expect(outcome.proofScoreWh[i]! >= outcome.singletonScoreWh[i]!).toBe(true);
      });
      for (const { members, valueHalfNanoWh, proofScoreWh } of outcome.coalitions) {
        expect(valueHalfNanoWh).toBe(sum(members.map((i) => outcome.savingHalfNanoWh[i]!)));
        const exact = sum(
          members.map((i) => {
            const sold = input.balanceWh[i]! > 0n ? input.balanceWh[i]! : 0n;
            return 2n * sold * (1_000_000_000n - input.rateEdcPpb[i]!) + outcome.savingHalfNanoWh[i]!;
          }),
        );
        expect(proofScoreWh * HALF_NANO_WH_PER_WH <= exact && exact < (proofScoreWh + 1n) * HALF_NANO_WH_PER_WH).toBe(
          true,
        );
      }
      if (input.lossCharge === 'half') {
        expect(outcome.physicalSavingHalfNanoWh).toBe(sum(outcome.savingHalfNanoWh));
      }
    });
  });

  test('listing the members in another order permutes the outcome', () => {
    fc.assert(
      fc.property(inputs, fc.infiniteStream(fc.nat()), (input, stream) => {
        const order = input.balanceWh.map((_, i) => i);
        const keys = order.map(() => stream.next().value as number);
        order.sort((a, b) => keys[a]! - keys[b]! || a - b);
        const expected = settleMarket(input);
        const outcome = settleMarket(relisted(input, order));
        const back = <T>(values: readonly T[]) => order.map((_, i) => values[order.indexOf(i)]!);
        expect(back(outcome.savingHalfNanoWh)).toEqual(expected.savingHalfNanoWh);
        expect(back(outcome.exportWh)).toEqual(expected.exportWh);
        expect(back(outcome.importWh)).toEqual(expected.importWh);
        const named = outcome.coalitions.map(({ members }) => members.map((k) => order[k]!).sort((a, b) => a - b));
        expect(named.sort((a, b) => a[0]! - b[0]!)).toEqual(expected.coalitions.map(({ members }) => members));
      }),
      { seed: SEED, numRuns: 100 },
    );
  });
});

describe('shapleyHalfNanoWh', () => {
  test('is efficient and equals the average over all orders', () => {
    fc.assert(
      fc.property(scatteredInput(5, 9n), (input) => {
        const members = input.balanceWh.map((_, i) => i);
        const shares = shapleyHalfNanoWh(input, members);
        const values = new Map<string, bigint>();
        const value = (inside: readonly number[]) => {
          const sorted = [...inside].sort((a, b) => a - b);
          const known = values.get(sorted.join()) ?? enumeratedValue(input, sorted);
          values.set(sorted.join(), known);
          return known;
        };
        const totals = members.map(() => 0n);
        let orders = 0n;
        for (const order of permutations(members)) {
          orders += 1n;
          order.forEach((i, at) => {
            totals[i]! += value(order.slice(0, at + 1)) - value(order.slice(0, at));
          });
        }
        shares.forEach(({ numerator, denominator }, i) => {
          expect(denominator).toBe(orders);
          expect(numerator).toBe(totals[i]);
        });
      }),
      { seed: SEED, numRuns: 15 },
    );
  });
});

/** `v(S)` by enumerating every flow. */
function enumeratedValue(input: IntegerMarketInput, members: readonly number[]): bigint {
  const sellers = members.filter((i) => input.balanceWh[i]! > 0n);
  const buyers = members.filter((i) => input.balanceWh[i]! < 0n);
  const charged = input.lossCharge === 'half' ? 2n : 4n;
  return enumeratedFlow(
    sellers.map((i) => input.balanceWh[i]!),
    buyers.map((j) => -input.balanceWh[j]!),
    sellers.map((i) =>
      buyers.map((j) => 2n * (input.rateEdcPpb[i]! + input.rateEdcPpb[j]!) - charged * input.ratePpb[i]![j]!),
    ),
    () => 0n,
  ).value;
}

function* permutations(items: readonly number[]): Generator<number[]> {
  if (items.length === 0) yield [];
  for (const item of items) {
    for (const rest of permutations(items.filter((other) => other !== item))) yield [item, ...rest];
  }
}
