import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aggregateModels, combineUpdates } from '../src/federation/aggregate-models.ts';
import { normOf } from '../src/federation/aggregation/norm-clip.ts';
import type { AggregationRule } from '../src/federation/aggregation/rule.ts';
import { poisonUpdates } from '../src/federation/attack.ts';
import { modelHash } from '../src/model/model-codec.ts';
import { streamRng } from '../src/rng.ts';

const F = 2;
const RULES: AggregationRule[] = [
  { name: 'mean' },
  { name: 'median' },
  { name: 'trim', f: F },
  { name: 'krum', f: F },
  { name: 'multikrum', f: F },
  { name: 'clip' },
];
const value = fc.double({ min: -1e3, max: 1e3, noNaN: true });
const updatesOf = (min: number, max: number) =>
  fc
    .integer({ min: 1, max: 6 })
    .chain((length) =>
      fc.array(fc.array(value, { minLength: length, maxLength: length }), { minLength: min, maxLength: max }),
    );
const typed = (updates: number[][]): Float64Array[] => updates.map((update) => Float64Array.from(update));
const combine = (updates: Float64Array[], rule: AggregationRule): Float64Array => combineUpdates(updates, rule).update;

function expectClose(actual: Float64Array, expected: Float64Array): void {
  actual.forEach((x, i) => {
    expect(Math.abs(x - expected[i]!)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(expected[i]!)));
  });
}

describe.each(RULES)('$name', (rule) => {
  it('returns the update that all sent', () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1 }), fc.integer({ min: 2 * F + 3, max: 10 }), (update, count) => {
        const updates = Array.from({ length: count }, () => Float64Array.from(update));
        expectClose(combine(updates, rule), Float64Array.from(update));
      }),
    );
  });

  it('gives the same bits whatever the order of arrival', () => {
    fc.assert(
      fc.property(updatesOf(2 * F + 3, 9), fc.nat(), (updates, seed) => {
        const submissions = typed(updates).map((weights, rank) => ({ rank, weights }));
        const global = new Float64Array(submissions[0]!.weights.length).fill(0.1);
        const shuffled = submissions
          .map((submission, i) => ({ submission, key: (i * 7919 + seed) % 101 }))
          .sort((a, b) => a.key - b.key)
          .map(({ submission }) => submission);
        const [one, other] = [submissions, shuffled].map((list) => aggregateModels(global, list, rule).weights);
        expect(modelHash(one!)).toBe(modelHash(other!));
      }),
    );
  });

  it('lets one arbitrary update move a robust aggregate by a bounded amount only', () => {
    const inBox = fc.double({ min: -1, max: 1, noNaN: true });
    const anywhere = fc.double({ min: -1e12, max: 1e12, noNaN: true });
    const crowd = fc.array(fc.tuple(inBox, inBox), { minLength: 2 * F + 2, maxLength: 9 });
    fc.assert(
      fc.property(crowd, anywhere, anywhere, fc.nat({ max: 9 }), (honest, x, y, place) => {
        const updates = typed(honest.map((update) => [...update]));
        updates.splice(place % (updates.length + 1), 0, Float64Array.of(x, y));
        const update = combine(updates, rule);
        if (rule.name === 'mean') {
          const others = Math.abs(update[0]! - x / updates.length);
          expect(others).toBeLessThanOrEqual(1 + 1e-9 * Math.abs(x));
          return;
        }
        // Of honest updates no longer than sqrt 2 and never f of the others: nothing that the one says gets out of that.
        expect(Math.hypot(update[0]!, update[1]!)).toBeLessThanOrEqual(Math.SQRT2 + 1e-9);
      }),
    );
    const far = combine([...Array(9).fill(Float64Array.of(0)), Float64Array.of(1e9)], rule)[0];
    if (rule.name === 'mean') expect(far).toBe(1e8);
  });
});

describe('relations between rules', () => {
  it('mean, median and trim(0) agree on one or two updates', () => {
    fc.assert(
      fc.property(updatesOf(1, 2), (updates) => {
        const mean = combine(typed(updates), { name: 'mean' });
        expectClose(combine(typed(updates), { name: 'median' }), mean);
        expectClose(combine(typed(updates), { name: 'trim', f: 0 }), mean);
      }),
    );
  });

  it('median and trim stay between the (f+1)-th smallest and largest value of each coordinate', () => {
    fc.assert(
      fc.property(updatesOf(2 * F + 1, 9), (updates) => {
        for (const rule of [{ name: 'median' }, { name: 'trim', f: F }] as const) {
          combine(typed(updates), rule).forEach((x, i) => {
            const column = updates.map((update) => update[i]!).sort((a, b) => a - b);
            expect(x).toBeGreaterThanOrEqual(column[F]! - 1e-9);
            expect(x).toBeLessThanOrEqual(column[column.length - 1 - F]! + 1e-9);
          });
        }
      }),
    );
  });

  it('krum returns one of its inputs, clip never exceeds the median norm', () => {
    fc.assert(
      fc.property(updatesOf(2 * F + 3, 9), (updates) => {
        const { update, selected } = combineUpdates(typed(updates), { name: 'krum', f: F });
        expect(Array.from(update)).toEqual(updates[selected![0]!]);
        const norms = typed(updates)
          .map(normOf)
          .sort((a, b) => a - b);
        const middle = norms.length >> 1;
        const median = norms.length % 2 ? norms[middle]! : (norms[middle - 1]! + norms[middle]!) / 2;
        expect(normOf(combine(typed(updates), { name: 'clip' }))).toBeLessThanOrEqual(median * (1 + 1e-9));
      }),
    );
  });

  it('clips to the median norm: of norms 3, 1 and 2 only the first is scaled, to 2', () => {
    const update = combine([Float64Array.of(1.8, 2.4), Float64Array.of(0, 1), Float64Array.of(0, 2)], { name: 'clip' });
    expectClose(update, Float64Array.of(1.2 / 3, (1.6 + 3) / 3));
  });

  it('sums the updates that multi-Krum chose by rank, not by score', () => {
    const rng = streamRng(1, 'updates');
    const updates = Array.from({ length: 7 }, () => Float64Array.from({ length: 50 }, () => rng.normal()));
    const { update, selected } = combineUpdates(updates, { name: 'multikrum', f: 1 });
    const meanIn = (order: readonly number[]): Float64Array =>
      update.map((_, i) => order.reduce((sum, index) => sum + updates[index]![i]!, 0) / order.length);
    expect(update).toEqual(meanIn([...selected!].sort((a, b) => a - b)));
    expect(update).not.toEqual(meanIn(selected!));
  });

  it('breaks krum ties by index', () => {
    const twins = [0, 0, 1, 1, 0, 1, 0].map((x) => Float64Array.of(x));
    expect(combineUpdates(twins, { name: 'krum', f: 2 }).selected).toEqual([0]);
  });
});

describe('refusals', () => {
  const code = (name: string) => expect.objectContaining({ code: name });
  const global = Float64Array.of(0, 0);
  const good = (rank: number) => ({ rank, weights: Float64Array.of(rank, 1) });

  it.each([
    ['FRL_UPDATE_WRONG_LENGTH', [good(0), { rank: 1, weights: Float64Array.of(1) }], { name: 'mean' }],
    ['FRL_UPDATE_NON_FINITE', [good(0), { rank: 1, weights: Float64Array.of(1, Number.NaN) }], { name: 'median' }],
    ['FRL_UPDATE_NON_FINITE', [{ rank: 1, weights: Float64Array.of(Number.NEGATIVE_INFINITY, 0) }], { name: 'clip' }],
    ['FRL_DUPLICATE_UPDATE', [good(3), good(3)], { name: 'mean' }],
    ['FRL_TOO_FEW_UPDATES', [], { name: 'mean' }],
    ['FRL_TOO_FEW_UPDATES', [good(0), good(1)], { name: 'trim', f: 1 }],
    ['FRL_TOO_FEW_UPDATES', [good(0), good(1), good(2), good(3)], { name: 'krum', f: 1 }],
    ['FRL_TOO_FEW_UPDATES', [good(0), good(1), good(2), good(3)], { name: 'multikrum', f: 1 }],
    ['FRL_INVALID_CONFIG', [good(0)], { name: 'trim', f: 0.5 }],
  ] as [string, { rank: number; weights: Float64Array }[], AggregationRule][])('%s', (name, submissions, rule) => {
    expect(() => aggregateModels(global, submissions, rule)).toThrowError(code(name));
  });
});

describe('attacks', () => {
  const updates = [1, 2, 3, 4].map((x) => Float64Array.of(x, -x));

  it('sign flip sends the negative, scaled; others are untouched', () => {
    const sent = poisonUpdates(updates, [1], { kind: 'sign-flip', factor: 3 }, streamRng(0));
    expect(sent.map((update) => [...update])).toEqual([
      [1, -1],
      [-6, 6],
      [3, -3],
      [4, -4],
    ]);
  });

  it('ALIE sends the honest mean minus z population standard deviations, from every attacker alike', () => {
    const sent = poisonUpdates(updates, [0, 1], { kind: 'alie', z: 1.5 }, streamRng(0));
    for (const attacker of [0, 1]) expectClose(sent[attacker]!, Float64Array.of(3.5 - 0.75, -3.5 - 0.75));
    expect(sent.slice(2)).toEqual(updates.slice(2));
  });

  it('noise has the stated spread and depends on the stream alone', () => {
    const zero = [new Float64Array(4000)];
    const attack = { kind: 'noise', sd: 0.3 } as const;
    const [sent] = poisonUpdates(zero, [0], attack, streamRng(5));
    const sd = Math.sqrt(sent!.reduce((sum, x) => sum + x * x, 0) / sent!.length);
    expect(Math.abs(sd - 0.3)).toBeLessThan(0.02);
    expect(poisonUpdates(zero, [0], attack, streamRng(5))[0]).toEqual(sent);
  });

  it('refuses attackers that do not exist, and ALIE without honest company', () => {
    const invalid = expect.objectContaining({ code: 'FRL_INVALID_CONFIG' });
    expect(() => poisonUpdates(updates, [4], { kind: 'sign-flip', factor: 1 }, streamRng(0))).toThrowError(invalid);
    expect(() => poisonUpdates(updates, [0, 1, 2, 3], { kind: 'alie', z: 1 }, streamRng(0))).toThrowError(invalid);
  });
});
