import fc from 'fast-check';
import { expect, test } from 'vitest';
import { floorDivide, roundToTotal } from '../src/rounding.ts';
import { SEED } from './random-inputs.ts';

test('floorDivide rounds towards minus infinity', () => {
  expect([7n, -7n, 6n, -6n, 0n].map((numerator) => floorDivide(numerator, 3n))).toEqual([2n, -3n, 2n, -2n, 0n]);
});

test('missing units go to the largest fractional parts, ties to the lower index', () => {
  expect(roundToTotal([5n, 5n, 5n, 5n], 10n, 2n)).toEqual([1n, 1n, 0n, 0n]);
  expect(roundToTotal([12n, 19n, 14n], 10n, 4n)).toEqual([1n, 2n, 1n]);
  // -2.5, 1.2 and 1.3: floors -3, 1, 1 sum to -1; the missing unit goes to the half.
  expect(roundToTotal([-25n, 12n, 13n], 10n, 0n)).toEqual([-2n, 1n, 1n]);
});

test('sums to the total, and moves no amount by a unit or more', () => {
  fc.assert(
    fc.property(
      fc.array(fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }), { minLength: 1, maxLength: 20 }),
      fc.bigInt({ min: 1n, max: 10n ** 6n }),
      (numerators, denominator) => {
        const total = floorDivide(
          numerators.reduce((sum, numerator) => sum + numerator, 0n),
          denominator,
        );
        const rounded = roundToTotal(numerators, denominator, total);
        expect(rounded.reduce((sum, amount) => sum + amount, 0n)).toBe(total);
        rounded.forEach((amount, k) => {
          const error = amount * denominator - numerators[k]!;
          expect(error > -denominator && error < denominator).toBe(true);
        });
      },
    ),
    { seed: SEED, numRuns: 200 },
  );
});
