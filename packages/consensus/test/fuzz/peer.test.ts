import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attackedVillage, expectBounded } from './campaign.ts';
import { hostileActs } from './hostile-acts.ts';

describe('a peer among honest ones and a hostile member', () => {
  it('neither breaks, nor signs twice, nor stops, whatever the hostile member sends', () => {
    const verdicts = new Map<string, number>();
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(2), fc.nat(60), hostileActs), { minLength: 40, maxLength: 80 }), (acts) => {
        const village = attackedVillage(acts, (output) =>
          verdicts.set(output.code ?? 'accept', (verdicts.get(output.code ?? 'accept') ?? 0) + 1),
        );
        expectBounded(village);
      }),
      { numRuns: 8, seed: 3, endOnFailure: true },
    );
    // The acts get deep enough to mean something: many kinds of verdict, and not only refusals.
    expect(verdicts.get('accept')).toBeGreaterThan(20);
    expect(verdicts.size).toBeGreaterThan(20);
  });
});
