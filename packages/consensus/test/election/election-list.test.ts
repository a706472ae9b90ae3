import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Candidate, Hash } from '../../src/chain/types.ts';
import { type ElectionInput, electionList, proposerAt } from '../../src/election/index.ts';
import { errorCode } from '../fixtures/error-code.ts';

const seedOf = (number: number): Hash => createHash('sha256').update(`seed ${number}`).digest('hex');
const single = (rank: number, weight: bigint): Candidate => ({ members: [rank], miner: rank, successors: [], weight });
const election = (change: Partial<ElectionInput>) =>
  electionList({ members: 10, seed: seedOf(0), candidates: [], first: null, demoted: [], ...change });
const ranks = (change: Partial<ElectionInput>) => election(change).map(({ rank }) => rank);

/** The draw of protocol section 3 once more: 16 bytes of SHA-256("draw" || seed || k), k as 4 bytes. */
function drawNumber(seed: Hash, k: number): bigint {
  const index = Buffer.alloc(4);
  index.writeUInt32BE(k);
  const digest = createHash('sha256').update('draw').update(Buffer.from(seed, 'hex')).update(index).digest('hex');
  return BigInt(`0x${digest.slice(0, 32)}`);
}

describe('the draw', () => {
  test('is the one of protocol section 3, step by step', () => {
    for (let n = 0; n < 50; n++) {
      const seed = seedOf(n);
      const weights = new Map([
        [0, 5n],
        [1, 100n],
        [3, 1n],
        [6, 40n],
      ]);
      const expected: number[] = [];
      for (let k = 0; weights.size > 0; k++) {
        let r = drawNumber(seed, k) % [...weights.values()].reduce((a, b) => a + b);
        for (const [rank, weight] of weights) {
          if (r < weight) {
            expected.push(rank);
            weights.delete(rank);
            break;
          }
          r -= weight;
        }
      }
      const tail = [2, 4, 5, 7];
      for (let k = 4; tail.length > 0; k++) {
        expected.push(...tail.splice(Number(drawNumber(seed, k) % BigInt(tail.length)), 1));
      }
      const candidates = [single(0, 5n), single(1, 100n), single(3, 1n), single(6, 40n)];
      expect(ranks({ members: 8, seed, candidates })).toEqual(expected);
    }
  });

  test('golden vectors', () => {
    // Written down from the formula (the test above recomputes it): they hold the draw still while code changes.
    const seed = '00'.repeat(32);
    expect(drawNumber(seed, 0)).toBe(313077877621341955678448479818070439481n);
    expect(ranks({ members: 5, seed })).toEqual([1, 2, 3, 4, 0]);
    const candidates = [single(1, 10n), { members: [0, 3], miner: 3, successors: [0], weight: 30n }];
    expect(election({ members: 5, seed, candidates })).toEqual([
      { rank: 3, candidate: 1 },
      { rank: 1, candidate: 0 },
      { rank: 2, candidate: null },
      { rank: 4, candidate: null },
      { rank: 0, candidate: null },
    ]);
  });
});

describe('with the exclusion of miners', () => {
  const candidates: Candidate[] = [
    { members: [0, 3, 5], miner: 3, successors: [5, 0], weight: 10n },
    { members: [1, 2], miner: 1, successors: [2], weight: 5n },
  ];
  const input = { members: 6, candidates, first: 0 };
  const ranks = (change: Partial<ElectionInput>) => election({ ...input, ...change }).map(({ rank }) => rank);
  const base = election(input);

  test('a demoted miner’s candidate stays at its place, with its next-best member, who leaves the tail', () => {
    for (const demoted of [[3], [3, 5]]) {
      const next = demoted.length === 1 ? 5 : 0;
      const list = election({ ...input, demoted, exclusion: 'miner' });
      expect(list[0]).toEqual({ rank: next, candidate: 0 });
      const rest = base.slice(1).filter(({ rank }) => rank !== next && !demoted.includes(rank));
      expect(list.slice(1)).toEqual([...rest, ...demoted.map((rank) => ({ rank, candidate: null }))]);
    }
  });

  test('a candidate of which all are demoted is dropped, and nobody ever is', () => {
    const demoted = [5, 3, 0];
    const list = election({ ...input, demoted, exclusion: 'miner' });
    expect(list.map(({ candidate }) => candidate).filter((candidate) => candidate === 0)).toEqual([]);
    expect(list.slice(-3)).toEqual(demoted.map((rank) => ({ rank, candidate: null })));
    expect([...ranks({ demoted, exclusion: 'miner' })].sort()).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test('demoting who is no miner, or excluding coalitions, promotes nobody', () => {
    expect(election({ ...input, demoted: [4], exclusion: 'miner' })).toEqual(election({ ...input, demoted: [4] }));
    const dropped = election({ ...input, demoted: [3], exclusion: 'coalition' });
    expect(dropped).toEqual([...base.slice(1), { rank: 3, candidate: null }]);
  });
});

describe('every list', () => {
  const inputs = fc
    .record({
      members: fc.integer({ min: 1, max: 12 }),
      seed: fc.nat().map(seedOf),
      groups: fc.array(fc.integer({ min: -1, max: 4 }), { minLength: 12, maxLength: 12 }),
      weights: fc.array(fc.bigInt({ min: -5n, max: 2n ** 60n }), { minLength: 5, maxLength: 5 }),
      miners: fc.array(fc.nat(), { minLength: 5, maxLength: 5 }),
      first: fc.option(fc.nat()),
      demoted: fc.uniqueArray(fc.nat(), { maxLength: 4 }),
    })
    .map(({ members, groups, weights, miners, first, demoted, seed }) => {
      const candidates = weights.flatMap((weight, group) => {
        const of = Array.from({ length: members }, (_, rank) => rank).filter((rank) => groups[rank] === group);
        const miner = of[(miners[group] as number) % of.length];
        return miner === undefined
          ? []
          : [{ members: of, miner, successors: of.filter((rank) => rank !== miner), weight }];
      });
      return {
        members,
        seed,
        candidates,
        first: first === null || candidates.length === 0 ? null : first % candidates.length,
        demoted: [...new Set(demoted.map((rank) => rank % members))],
      };
    });

  test('holds every member exactly once', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const list = electionList(input);
        expect(list.map(({ rank }) => rank).sort((a, b) => a - b)).toEqual(
          Array.from({ length: input.members }, (_, rank) => rank),
        );
      }),
      { seed: 1 },
    );
  });

  test('holds every candidate once, at the place of its miner, before all others; demoted ones hold none', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const list = electionList({ ...input, demoted: [] });
        expect(
          list
            .slice(0, input.candidates.length)
            .map(({ candidate }) => candidate)
            .toSorted(),
        ).toEqual(input.candidates.map((_, index) => index).toSorted());
        for (const { rank, candidate } of list) {
          if (candidate !== null) expect(input.candidates[candidate]?.miner).toBe(rank);
        }
        const { demoted } = input;
        const kept = list.filter(({ rank }) => !demoted.includes(rank));
        expect(electionList(input)).toEqual([...kept, ...demoted.map((rank) => ({ rank, candidate: null }))]);
      }),
      { seed: 2 },
    );
  });

  test('has the forced candidate at its head and the rest as drawn without it', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        fc.pre(input.first !== null);
        const first = input.first as number;
        const list = electionList({ ...input, demoted: [] });
        const head = input.candidates[first] as Candidate;
        expect(list[0]).toEqual({ rank: head.miner, candidate: first });
        const others = input.candidates.filter((_, index) => index !== first);
        const rest = electionList({ ...input, candidates: others, first: null, demoted: [] });
        const drawn = rest.slice(0, others.length).map(({ rank }) => rank);
        expect(list.slice(1, 1 + others.length).map(({ rank }) => rank)).toEqual(drawn);
      }),
      { seed: 3 },
    );
  });

  test('has candidates of weight 0 or less after all others', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const list = electionList({ ...input, first: null, demoted: [] }).slice(0, input.candidates.length);
        const weighted = list.map(({ candidate }) => (input.candidates[candidate as number] as Candidate).weight > 0n);
        expect(weighted.lastIndexOf(true)).toBe(weighted.filter(Boolean).length - 1);
      }),
      { seed: 4 },
    );
  });

  test('counts a negative weight as 0', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const clamped = input.candidates.map((one) => ({ ...one, weight: one.weight < 0n ? 0n : one.weight }));
        expect(electionList(input)).toEqual(electionList({ ...input, candidates: clamped }));
      }),
      { seed: 5 },
    );
  });

  test('depends on members by their keys, not on the order in which anybody lists them', () => {
    const keyed = fc.record({
      keys: fc
        .uniqueArray(fc.nat(), { minLength: 6, maxLength: 6 })
        .map((all) => all.map((n) => n.toString(16).padStart(8, '0'))),
      order: fc.shuffledSubarray([0, 1, 2, 3, 4, 5], { minLength: 6 }),
      candidateOrder: fc.shuffledSubarray([0, 1, 2], { minLength: 3 }),
      weights: fc.array(fc.bigInt({ min: 0n, max: 1000n }), { minLength: 3, maxLength: 3 }),
      seed: fc.nat().map(seedOf),
    });
    fc.assert(
      fc.property(keyed, ({ keys, order, candidateOrder, weights, seed }) => {
        // Coalitions of people: {0, 3}, {1, 4}, {2, 5}; the first of each mines.
        const run = (listed: readonly number[], candidates: readonly number[]) => {
          const sorted = listed.map((person) => keys[person] as string).sort();
          const rankOf = (person: number) => sorted.indexOf(keys[person] as string);
          const list = electionList({
            members: 6,
            seed,
            candidates: candidates.map((group) => ({
              members: [rankOf(group), rankOf(group + 3)].sort((a, b) => a - b),
              miner: rankOf(group),
              successors: [rankOf(group + 3)],
              weight: weights[group] as bigint,
            })),
            first: null,
            demoted: [],
          });
          return list.map(({ rank, candidate }) => [sorted[rank], candidate === null ? null : candidates[candidate]]);
        };
        expect(run(order, candidateOrder)).toEqual(run([0, 1, 2, 3, 4, 5], [0, 1, 2]));
      }),
      { seed: 6 },
    );
  });
});

/** Pearson's statistic of counts against expected counts. */
function chiSquare(observed: readonly number[], expected: readonly number[]): number {
  return observed.reduce((sum, count, i) => sum + (count - (expected[i] as number)) ** 2 / (expected[i] as number), 0);
}

/** Values that a chi-square variable exceeds with probability 0.0001, by degrees of freedom. */
const CRITICAL: Readonly<Record<number, number>> = {
  1: 15.14,
  2: 18.42,
  3: 21.11,
  4: 23.51,
  5: 25.74,
  9: 33.72,
  11: 37.37,
};
const DRAWS = 10_000;
const seeds = Array.from({ length: DRAWS }, (_, n) => seedOf(n));

/** How often each key came up over the draws. */
function tally(draw: (seed: Hash) => number | string): Map<number | string, number> {
  const counts = new Map<number | string, number>();
  for (const seed of seeds) {
    const key = draw(seed);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

describe('over 10,000 seeds', () => {
  test.each<[string, readonly bigint[]]>([
    ['equal', [1n, 1n, 1n, 1n]],
    ['steep', [1n, 10n, 100n]],
    ['with zeros', [3n, 0n, 5n, 0n, 2n]],
    ['big', [2n ** 60n, 2n ** 60n, 3n * 2n ** 59n, 2n ** 58n]],
    ['big and small', [2n ** 60n, 2n ** 60n - 1n, 1n]],
    ['realistic, in Wh', [1830n, 2410n, 95n, 12_044n, 4000n, 777n]],
    ['one alone', [7n, 0n, 0n]],
  ])('%s weights: the head of the list follows the weights', (_, weights) => {
    const candidates = weights.map((weight, rank) => single(rank, weight));
    const counts = tally(
      (seed) => electionList({ members: weights.length, seed, candidates, first: null, demoted: [] })[0]?.rank ?? -1,
    );
    const total = Number(weights.reduce((a, b) => a + b));
    const probable = weights.map((weight, rank) => ({ rank, expected: (DRAWS * Number(weight)) / total }));
    const possible = probable.filter(({ expected }) => expected > 1e-6);
    const impossible = probable.filter(({ expected }) => expected <= 1e-6);
    for (const { rank } of impossible) expect(counts.get(rank) ?? 0).toBe(0);
    const observed = possible.map(({ rank }) => counts.get(rank) ?? 0);
    expect(observed.reduce((a, b) => a + b)).toBe(DRAWS);
    const statistic = chiSquare(
      observed,
      possible.map(({ expected }) => expected),
    );
    expect(statistic).toBeLessThan(possible.length === 1 ? 1e-9 : (CRITICAL[possible.length - 1] as number));
  });

  test('the second place is a draw from the rest (eq. 3.24), independent of the first', () => {
    const weights = [1n, 2n, 5n, 2n];
    const candidates = weights.map((weight, rank) => single(rank, weight));
    const counts = tally((seed) => {
      const list = electionList({ members: 4, seed, candidates, first: null, demoted: [] });
      return `${list[0]?.rank},${list[1]?.rank}`;
    });
    const pairs = [0, 1, 2, 3].flatMap((a) => [0, 1, 2, 3].filter((b) => b !== a).map((b) => [a, b] as const));
    const expected = pairs.map(([a, b]) => {
      const [first, second] = [Number(weights[a]), Number(weights[b])];
      return (DRAWS * first * second) / (10 * (10 - first));
    });
    const observed = pairs.map(([a, b]) => counts.get(`${a},${b}`) ?? 0);
    expect(chiSquare(observed, expected)).toBeLessThan(CRITICAL[11] as number);
  });

  test('candidates without weight, and members without a candidate, come in uniform order', () => {
    const candidates = [single(9, 5n), single(1, 0n), single(2, 0n), single(3, 0n)];
    const places = Array.from({ length: 10 }, () => new Map<number, number>());
    for (const seed of seeds) {
      ranks({ seed, candidates }).forEach((rank, place) => {
        const counts = places[place] as Map<number, number>;
        counts.set(rank, (counts.get(rank) ?? 0) + 1);
      });
    }
    const uniform = (place: number, among: readonly number[]) =>
      chiSquare(
        among.map((rank) => places[place]?.get(rank) ?? 0),
        among.map(() => DRAWS / among.length),
      );
    expect(places[0]).toEqual(new Map([[9, DRAWS]]));
    for (const place of [1, 2, 3]) expect(uniform(place, [1, 2, 3])).toBeLessThan(CRITICAL[2] as number);
    for (const place of [4, 6, 9]) expect(uniform(place, [0, 4, 5, 6, 7, 8])).toBeLessThan(CRITICAL[5] as number);
  });

  test('without candidates the whole list is uniform', () => {
    const counts = tally((seed) => ranks({ seed })[0] as number);
    const observed = Array.from({ length: 10 }, (_, rank) => counts.get(rank) ?? 0);
    expect(chiSquare(observed, Array(10).fill(DRAWS / 10))).toBeLessThan(CRITICAL[9] as number);
  });
});

describe('proposers', () => {
  test('take turns by round', () => {
    const list = election({ members: 4 });
    for (let round = 0; round < 12; round++) expect(proposerAt(list, round)).toBe(list[round % 4]?.rank);
    expect(errorCode(() => proposerAt([], 0))).toBe('ELECTION_INVALID_INPUT');
    expect(errorCode(() => proposerAt(list, -1))).toBe('ELECTION_INVALID_INPUT');
  });
});

test.each<[string, Partial<ElectionInput>]>([
  ['no members', { members: 0 }],
  ['half a member', { members: 1.5 }],
  ['a seed of another length', { seed: 'ab' }],
  ['a candidate without members', { candidates: [{ members: [], miner: 0, successors: [], weight: 1n }] }],
  ['a miner from outside', { candidates: [{ members: [1, 2], miner: 3, successors: [1], weight: 1n }] }],
  ['a successor from outside', { candidates: [{ members: [1, 2], miner: 1, successors: [3], weight: 1n }] }],
  ['a member without standing', { candidates: [{ members: [1, 2], miner: 1, successors: [], weight: 1n }] }],
  ['a rank too high', { candidates: [single(10, 1n)] }],
  ['a negative rank', { candidates: [single(-1, 1n)] }],
  ['ranks out of order', { candidates: [{ members: [2, 1], miner: 1, successors: [2], weight: 1n }] }],
  [
    'overlapping candidates',
    { candidates: [single(1, 1n), { members: [0, 1], miner: 0, successors: [1], weight: 1n }] },
  ],
  ['a forced candidate that is none', { candidates: [single(1, 1n)], first: 1 }],
  ['a demoted rank that is none', { demoted: [10] }],
  ['a member demoted twice', { demoted: [3, 4, 3] }],
])('an election with %s is refused', (_, change) => {
  expect(errorCode(() => election(change))).toBe('ELECTION_INVALID_INPUT');
});
