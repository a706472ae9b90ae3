import fc from 'fast-check';
import { expect, it } from 'vitest';
import { attackedVillage, expectBounded } from './campaign.ts';
import { hostileActs } from './hostile-acts.ts';

/** `FUZZ_SEED=<n> FUZZ_SECONDS=<n>` choose others. */
const seed = Number(process.env.FUZZ_SEED ?? 20_000);
const seconds = Number(process.env.FUZZ_SECONDS ?? 180);

it(
  `stands ${seconds} seconds of hostile messages from seed ${seed} on`,
  () => {
    let villages = 0;
    const attacks = fc.array(fc.tuple(fc.nat(2), fc.nat(60), hostileActs), { minLength: 40, maxLength: 300 });
    const report = fc.check(
      fc.property(attacks, (attack) => {
        villages += 1;
        expectBounded(attackedVillage(attack));
      }),
      { seed, numRuns: 1_000_000, interruptAfterTimeLimit: seconds * 1_000 },
    );
    console.log(`${villages} attacked villages`);
    expect(report.counterexample, fc.defaultReportMessage(report)).toBeNull();
    expect(villages).toBeGreaterThan(0);
  },
  (seconds + 600) * 1_000,
);
