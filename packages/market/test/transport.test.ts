import fc from 'fast-check';
import * as highsModule from 'highs';
import type { LegacyHighs } from 'highs/legacy-types';
import { describe, expect, test } from 'vitest';
import { integerArithmetic, realArithmetic } from '../src/arithmetic.ts';
import { lexicographicallyLargest } from '../src/lexicographic-flow.ts';
import { solveTransport, type TransportProblem } from '../src/transport.ts';
import { enumeratedFlow } from './oracle/enumerated-flow.ts';
import { SEED } from './random-inputs.ts';

// The package's types describe its CommonJS build; what an ES import gives is the loader itself.
const loadHighs = highsModule.default as unknown as () => Promise<LegacyHighs>;
const highs = await loadHighs();

/** The optimum according to HiGHS. */
function highsOptimum(problem: TransportProblem<number>): number {
  const terms: string[] = [];
  const rows = problem.supply.map(() => [] as string[]);
  const columns = problem.demand.map(() => [] as string[]);
  problem.gain.forEach((row, i) => {
    row.forEach((gain, j) => {
      if (gain === undefined) return;
      terms.push(`${gain.toFixed(15)} x${i}_${j}`);
      rows[i]!.push(`x${i}_${j}`);
      columns[j]!.push(`x${i}_${j}`);
    });
  });
  if (terms.length === 0) return 0;
  const limits = [
    ...rows.map((names, i) => [names, problem.supply[i]!] as const),
    ...columns.map((names, j) => [names, problem.demand[j]!] as const),
  ].filter(([names]) => names.length > 0);
  const text = [
    'Maximize',
    ` obj: ${terms.join(' + ')}`,
    'Subject To',
    ...limits.map(([names, limit], k) => ` c${k}: ${names.join(' + ')} <= ${limit}`),
    'End',
  ].join('\n');
  const solution = highs.solve(text, { primal_feasibility_tolerance: 1e-9, dual_feasibility_tolerance: 1e-9 });
  expect(solution.Status).toBe('Optimal');
  return solution.ObjectiveValue;
}

const real = (max: number) => fc.integer({ min: 1, max: 1_000_000 }).map((step) => (step / 1_000_000) * max);

const realProblem: fc.Arbitrary<TransportProblem<number>> = fc
  .tuple(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 8 }))
  .chain(([sellers, buyers]) =>
    fc.record({
      supply: fc.array(real(20), { minLength: sellers, maxLength: sellers }),
      demand: fc.array(real(20), { minLength: buyers, maxLength: buyers }),
      gain: fc.array(
        fc.array(fc.oneof({ weight: 5, arbitrary: real(0.1) }, { weight: 1, arbitrary: fc.constant(undefined) }), {
          minLength: buyers,
          maxLength: buyers,
        }),
        { minLength: sellers, maxLength: sellers },
      ),
    }),
  );

describe('solveTransport', () => {
  test('reaches the optimum of HiGHS, with a dual that proves it', () => {
    fc.assert(
      fc.property(realProblem, (problem) => {
        const optimum = highsOptimum(problem);
        const raw = solveTransport(realArithmetic, problem);
        for (const solution of [raw, lexicographicallyLargest(realArithmetic, problem, raw)]) {
          let value = 0;
          problem.gain.forEach((row, i) => {
            row.forEach((gain, j) => {
              const x = solution.flow[i]![j]!;
              expect(x).toBeGreaterThanOrEqual(0);
              if (gain === undefined) {
                expect(x).toBe(0);
                return;
              }
              value += gain * x;
              const slack = solution.supplyPrice[i]! + solution.demandPrice[j]! - gain;
              expect(slack).toBeGreaterThanOrEqual(-1e-12);
              // Complementary slackness: a used arc is tight.
              if (x > 1e-9) expect(Math.abs(slack)).toBeLessThanOrEqual(1e-12);
            });
          });
          problem.supply.forEach((supply, i) => {
            const sold = solution.flow[i]!.reduce((sum, x) => sum + x, 0);
            expect(Math.abs(sold + solution.supplyLeft[i]! - supply)).toBeLessThanOrEqual(1e-9);
            expect(solution.supplyLeft[i]).toBeGreaterThanOrEqual(-1e-9);
            if (solution.supplyLeft[i]! > 1e-9) expect(solution.supplyPrice[i]).toBeLessThanOrEqual(1e-12);
          });
          problem.demand.forEach((demand, j) => {
            const bought = solution.flow.reduce((sum, row) => sum + row[j]!, 0);
            expect(Math.abs(bought + solution.demandLeft[j]! - demand)).toBeLessThanOrEqual(1e-9);
            if (solution.demandLeft[j]! > 1e-9) expect(solution.demandPrice[j]).toBeLessThanOrEqual(1e-12);
          });
          const dual =
            problem.supply.reduce((sum, supply, i) => sum + supply * solution.supplyPrice[i]!, 0) +
            problem.demand.reduce((sum, demand, j) => sum + demand * solution.demandPrice[j]!, 0);
          expect(Math.abs(value - optimum)).toBeLessThanOrEqual(1e-7 * Math.max(1e-3, optimum));
          expect(Math.abs(dual - value)).toBeLessThanOrEqual(1e-9);
        }
      }),
      { seed: SEED, numRuns: 80 },
    );
  });

  test('in integers: the enumerated optimum, and among the optima the lexicographically largest', () => {
    const energy = fc.bigInt({ min: 0n, max: 3n });
    const tied = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })).chain(([sellers, buyers]) =>
      fc.record({
        supply: fc.array(energy, { minLength: sellers, maxLength: sellers }),
        demand: fc.array(energy, { minLength: buyers, maxLength: buyers }),
        // Gains of 1 to 3 tie all the time; 0 means no arc.
        gain: fc.array(fc.array(fc.bigInt({ min: 0n, max: 3n }), { minLength: buyers, maxLength: buyers }), {
          minLength: sellers,
          maxLength: sellers,
        }),
      }),
    );
    fc.assert(
      fc.property(tied, ({ supply, demand, gain }) => {
        const problem = { supply, demand, gain: gain.map((row) => row.map((g) => (g > 0n ? g : undefined))) };
        const expected = enumeratedFlow(supply, demand, gain, () => 0n);
        const raw = solveTransport(integerArithmetic, problem);
        const value = raw.flow.flatMap((row, i) => row.map((x, j) => x * gain[i]![j]!)).reduce((a, b) => a + b, 0n);
        expect(value).toBe(expected.value);
        expect(lexicographicallyLargest(integerArithmetic, problem, raw).flow).toEqual(expected.flow);
      }),
      { seed: SEED, numRuns: 800 },
    );
  });
});
